/* SPDX-License-Identifier: Apache-2.0 - calls of one node alone, whether it leads or not: one attempt on one connection, as a client has that knows of no other node.
 * What the library hides by going elsewhere is seen here: nodes that pass on, leaders that do not know yet that they are none. */
#ifndef ORD_JEPSEN_DIRECT_H
#define ORD_JEPSEN_DIRECT_H

#include "jepsen/client.h"

/* As ord_client_submit, at c->node. Texts of the result are made in the client's pool. */
bool ord_direct_submit(struct ord_client *c, const struct ordain_command *command, struct ordain_result *ret_result,
		       struct ord_told *ret);

/* As ordain_sync_name and ordain_sync_account, at c->node; texts are made in the client's pool. 0, or an error that ord_client_unread tells of. */
int ord_direct_name(struct ord_client *c, struct ordain_str space, struct ordain_str name, struct ordain_name *ret);
int ord_direct_account(struct ord_client *c, struct ordain_str account, struct ordain_account *ret);

#endif
