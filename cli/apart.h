/* SPDX-License-Identifier: Apache-2.0 - work in a process of its own: LMDB's pages carry no checksums, and what damaged ones make of it must end nothing else. */
#ifndef ORD_CLI_APART_H
#define ORD_CLI_APART_H

#include <stddef.h>

/* Runs work(ctx) in a child process, with its standard output and error, and brings back the ctx_bytes at ctx as the child left them; what they point to stays the child's.
 * ORD_ERR_CORRUPT when the child was ended before work was done: ctx is then as it was left at that moment. ORD_ERR_IO, ORD_ERR_NOMEM: no child could be made. */
int ord_apart_run(void (*work)(void *ctx), void *ctx, size_t ctx_bytes);

#endif
