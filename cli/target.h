/* SPDX-License-Identifier: Apache-2.0 - which cluster a subcommand talks to, for how long, and how it shows the answer. */
#ifndef ORD_CLI_TARGET_H
#define ORD_CLI_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/args.h"
#include "client/ordain.h"

#define ORD_TARGET_FLAGS 4
#define ORD_TARGET_ADDRESSES_SIZE 4096

/* Where --dir, --connect, --timeout and --json go. */
struct ord_target {
	const char *dir;     /* NULL: not given */
	const char *connect; /* NULL: not given */
	int64_t timeout_ms;
	bool timeout_given;
	bool json;
	struct ord_flag
		flags[ORD_TARGET_FLAGS]; /* for struct ord_args; they point into this struct, so it must not move */
};

/* Defaults and flags. */
void ord_target_init(struct ord_target *t);

/* The cluster's addresses, and its id where that is known. */
struct ord_target_cluster {
	char addresses[ORD_TARGET_ADDRESSES_SIZE];
	struct ordain_id id;
	bool has_id;
};

/* From --dir, else --connect, else the environment's ORDAIN_CONNECT. ORD_ERR_INVALID or what ord_layout_load gives, with why. */
int ord_target_resolve(const struct ord_target *t, struct ord_target_cluster *ret, char *why, size_t why_size);

/* Options for ordain_open; they point into t and cluster. */
struct ordain_options ord_target_options(const struct ord_target *t, const struct ord_target_cluster *cluster);

/* Why a client with these addresses cannot be opened, for what ordain_open gave (enum ordain_error): it names them and the remedy. */
void ord_target_explain(const char *addresses, int code, char *why, size_t why_size);

#endif
