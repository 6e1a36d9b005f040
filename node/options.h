/* SPDX-License-Identifier: Apache-2.0 - one option of a node: what it is called, what it may be, where it is kept. For the config files only. */
#ifndef ORD_NODE_OPTIONS_H
#define ORD_NODE_OPTIONS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "node/config.h"

enum ord_option_kind {
	ORD_OPTION_UUID = 1,
	ORD_OPTION_NUMBER = 2, /* uint32_t */
	ORD_OPTION_BYTES = 3,  /* uint64_t, suffixes allowed */
	ORD_OPTION_NODES = 4,
	ORD_OPTION_TEXT = 5,
	ORD_OPTION_FLAG = 6 /* bool: "yes" or "no"; on the command line no value, for yes */
};

struct ord_option {
	const char *key;
	enum ord_option_kind kind;
	size_t offset; /* in struct ord_config */
	uint64_t least;
	uint64_t most;
	uint64_t initial;
	const char *value_name;
	const char *help;
};

/* The lines of options.def. */
size_t ord_options_count(void);
const struct ord_option *ord_option_at(size_t i);

/* Sets one option from its text; nodes are added to those that are there. ORD_ERR_INVALID with why (without place and key). */
int ord_option_set(const struct ord_option *o, struct ord_config *c, const char *value, char why[ORD_CONFIG_WHY_SIZE]);

/* The list of nodes: "1=host:peerport:clientport,2=[::1]:peerport:clientport". */
int ord_config_nodes_add(struct ord_config *c, const char *value, char why[ORD_CONFIG_WHY_SIZE]);

/* Sorts the nodes; refuses a number or an address that is there twice. why begins with the key. */
int ord_config_nodes_check(struct ord_config *c, char why[ORD_CONFIG_WHY_SIZE]);
void ord_config_nodes_print(const struct ord_config *c, const char *key, FILE *out);

#endif
