/* SPDX-License-Identifier: Apache-2.0 - what ends the process inside LMDB is noted beside the state that it happened in, so that the next start does not read that state again. LMDB's pages have no checksums: a bit that changed in one
 * can send it anywhere.
 *
 * A signal is the business of the whole process: what is here is for all threads and shards together. */
#ifndef ORD_NODE_GUARD_H
#define ORD_NODE_GUARD_H

/* Notes of SIGSEGV, SIGBUS and SIGABRT from now on what they met; then they end the process as they would have. To be called once, before threads are started; without it nothing is noted. */
void ord_guard_install(void);

/* This thread is inside LMDB from here on, until leave. marker is the path of the file that is made when it does not come back; borrowed until leave. NULL: none is made. Not to be nested. */
void ord_guard_enter(const char *marker);
void ord_guard_leave(void);

#endif
