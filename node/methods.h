/* SPDX-License-Identifier: Apache-2.0 - the methods of the client protocol: a call's parameters into commands and queries. */
#ifndef ORD_NODE_METHODS_H
#define ORD_NODE_METHODS_H

#include <msgpack.h>
#include <stdint.h>

#include "base/bytes.h"
#include "node/params.h"
#include "node/query.h"
#include "partition/command.h"

enum ord_method_kind {
	ORD_METHOD_COMMAND = 1,
	ORD_METHOD_BATCH = 2, /* many commands of one kind */
	ORD_METHOD_READ = 3,
	ORD_METHOD_CLUSTER = 4,
	ORD_METHOD_STATUS = 5,
	ORD_METHOD_SPOIL = 6,	   /* a fault on purpose; only where faults are enabled */
	ORD_METHOD_SCRUB = 7,	   /* begins to check the history on disk */
	ORD_METHOD_CHECKPOINT = 8, /* has all states written to disk */
	ORD_METHOD_FAULT = 9,	   /* as SPOIL; links, disk and clock */
	ORD_METHOD_FAULTS = 10	   /* what of that is in force */
};

struct ord_method {
	const char *name;
	enum ord_method_kind kind;
	int what; /* enum ord_command_kind or enum ord_query_kind */
	uint32_t needed;
	uint32_t optional;
	uint32_t item_needed; /* BATCH: the fields of each item, no others */
};

/* The method of that name. ORD_ERR_NOT_FOUND with a fault that lists the methods. */
int ord_method_find(struct ord_slice name, const struct ord_method **ret, struct ord_params_fault *ret_fault);

/* The parameters of a call. ORD_ERR_INVALID with a fault. */
int ord_method_params(const struct ord_method *m, const msgpack_object *params, struct ord_params *ret,
		      struct ord_params_fault *ret_fault);

/* One item of a BATCH. *ret->given has the id's bit when that much could be read. ORD_ERR_INVALID with a fault. */
int ord_method_item(const struct ord_method *m, const msgpack_object *item, struct ord_params *ret,
		    struct ord_params_fault *ret_fault);

/* The command of a COMMAND call or of a BATCH item, checked. ORD_ERR_INVALID with a fault. */
int ord_method_command(const struct ord_method *m, const struct ord_params *params, struct ord_command *ret,
		       struct ord_params_fault *ret_fault);

/* The query of a READ, and the partition that it is for. ORD_ERR_INVALID with a fault (no such partition). */
int ord_method_query(const struct ord_method *m, const struct ord_params *params, uint32_t partitions_count,
		     struct ord_query *ret, uint32_t *ret_partition, struct ord_params_fault *ret_fault);

#endif
