/* SPDX-License-Identifier: Apache-2.0 - names and their owners, asked of the cluster. */
#ifndef ORD_JEPSEN_NAMING_H
#define ORD_JEPSEN_NAMING_H

#include "jepsen/client.h"

/* What is asked of a name. Empty texts: not needed. */
struct ord_naming_ask {
	enum ordain_command_kind kind; /* CLAIM, RELEASE, REASSIGN */
	struct ordain_str space;
	struct ordain_str name;
	struct ordain_str expected;
	struct ordain_str owner;
};

/* Submits it under the id, as ord_client_submit. */
bool ord_naming_submit(struct ord_client *c, const struct ord_naming_ask *ask, const struct ordain_id *id,
		       struct ordain_result *ret_result, struct ord_told *ret);

/* Reads who owns the name. False: *ret tells why that is not known. True: *ret_owner, valid until the next call; its base is NULL when nobody does. */
bool ord_naming_read(struct ord_client *c, struct ordain_str space, struct ordain_str name,
		     struct ordain_str *ret_owner, struct ord_told *ret);

/* :claim, :reassign, :release, :read and :final-read of jepsen/checkers/unique.h, and :request. */
void ord_naming_perform(struct ord_client *c, const struct ord_ask *ask, struct ord_told *ret);

#endif
