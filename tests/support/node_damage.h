/* SPDX-License-Identifier: Apache-2.0 - damage to the pages of a state in LMDB, as a disk or a lost write would do it. By the format of LMDB 0.9; shares no code with LMDB. */
#ifndef ORD_TESTS_SUPPORT_NODE_DAMAGE_H
#define ORD_TESTS_SUPPORT_NODE_DAMAGE_H

#include <stdint.h>

enum node_damage {
	DAMAGE_VALUE,	  /* a bit in a value */
	DAMAGE_HEADER,	  /* a bit in the header of a leaf: where its free room begins */
	DAMAGE_POINTER,	  /* a bit in a leaf: where a node of it stands */
	DAMAGE_FAR_CHILD, /* a bit in a branch page: a child is a page that is not there */
	DAMAGE_CHILD,	  /* a bit in a branch page: a child is a page close by */
	DAMAGE_SIBLING,	  /* a branch page has one leaf twice, and another one not at all */
	DAMAGE_SEPARATOR, /* a bit in a branch page: the key that leads to a leaf */
	DAMAGE_NUMBER,	  /* a bit in a leaf: its own number */
	DAMAGE_SHRUNK,	  /* a leaf has a node less */
	DAMAGE_EMPTY,	  /* a leaf has one node only */
	DAMAGE_KINDS
};

const char *node_damage_name(enum node_damage kind);

/* Does it to a table of the state in a file, in the middle of it; the table must have a branch page. Asserts (Criterion) that it could be done. */
void node_damage_do(const char *path, unsigned table, enum node_damage kind);

/* The number of the page that is the leaf in the middle of a table, or the branch page above it, and reading and writing that page: 4096 bytes. */
uint64_t node_damage_leaf(const char *path, unsigned table);
uint64_t node_damage_branch(const char *path, unsigned table);
void node_damage_read(const char *path, uint64_t number, uint8_t *ret_page);
void node_damage_write(const char *path, uint64_t number, const uint8_t *page);

/* Changes one bit of a file. */
void node_damage_flip(const char *path, uint64_t offset, unsigned bit);

#endif
