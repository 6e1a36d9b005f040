/* SPDX-License-Identifier: Apache-2.0 - requests: what a client asked under an id, and what was decided about it, for good. */
#ifndef ORD_PARTITION_REQUEST_H
#define ORD_PARTITION_REQUEST_H

#include "base/bytes.h"
#include "base/uuid.h"
#include "partition/ahead.h"
#include "partition/command.h"
#include "partition/effects.h"
#include "partition/state.h"

/* NULL when there is none in memory; while an entry is applied all that it can touch is (ord_request_ahead). */
struct ord_request *ord_request_find(const struct ord_partition *p, const struct ord_uuid *id);

/* As ord_account_load and ord_account_ahead. */
int ord_request_load(struct ord_partition *p, const struct ord_uuid *id);
int ord_request_ahead(struct ord_ahead *ahead, const struct ord_uuid *id);

/* Makes a record like r with this body and puts it into the table; its row is the caller's to add. */
struct ord_request *ord_request_make(struct ord_partition *p, const struct ord_request *r, struct ord_slice body);

size_t ord_request_bytes(const struct ord_request *r);

/* Stores a new request as accepted. body is the command's fields as encoded; the caller knows that the id is new. */
struct ord_request *ord_request_log(struct ord_partition *p, const struct ord_command *c, struct ord_slice body);

/* Decide an accepted request, for good; an outcome of a transfer is also told in the effects. Assert that it is accepted.
 * field is NULL or names one of the command's fields. */
void ord_request_settle(struct ord_partition *p, struct ord_request *r);
void ord_request_reject(struct ord_partition *p, struct ord_request *r, enum ord_refusal reason, const char *field);

/* What is known of it; replayed is false. */
struct ord_result ord_request_result(const struct ord_request *r);

/* The answer to a command that comes with the id of a request that was logged before: what was decided then, or ID_REUSED. */
struct ord_result ord_request_replay(const struct ord_request *r, const struct ord_command *c, struct ord_slice body);

/* The command that was asked; its slices point into the record. */
struct ord_command ord_request_command(const struct ord_request *r);

/* Adds the request to a digest, from nothing. */
void ord_request_digest(const struct ord_request *r, struct ord_digest *d);

/* The same of one that is in the store. */
struct ord_digest ord_request_stored_digest(const struct ord_stored_request *s);

#endif
