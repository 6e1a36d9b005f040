/* SPDX-License-Identifier: Apache-2.0 - one LMDB environment with the tables of partition/store.h: opening, reading, writing. All functions give what LMDB gives (0, an errno or an MDB_*), unless they say otherwise. */
#ifndef ORD_NODE_LMDB_ENV_H
#define ORD_NODE_LMDB_ENV_H

#include <lmdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/mapped.h"
#include "partition/changes.h"
#include "partition/store.h"

/* The directory's name with this behind it. */
#define ORD_LMDB_MARKER ".damaged"

struct ord_lmdb_env {
	MDB_env *env; /* owned; NULL: not open */
	MDB_dbi tables[ORD_STORE_TABLES];
	struct ord_mapped map;
	uint64_t kept_pages; /* that LMDB has in memory for the next write; about, and seldom less */
	char *marker;	     /* owned; of ord_guard_enter, NULL: what is being filled has none */
};

/* One state of an environment, whatever is written meanwhile. May be used by any thread, one at a time. */
struct ord_lmdb_view {
	struct ord_store store; /* ctx is the view: it must stay where it is */
	const struct ord_lmdb_env *env;
	MDB_txn *reader;     /* owned; NULL: not open, and LMDB gives EINVAL to who reads */
	uint32_t looks;	     /* records that were read since pages were let go last */
	size_t held_until;   /* the last transaction of whose pages it is known that they are held; 0: none */
	uint64_t held_pages; /* up to that one */
};

/* The ORD_ERR_* for what LMDB gave. */
int ord_lmdb_err(int rv);

/* The same bytes for LMDB, which does not write to them. */
static inline MDB_val ord_lmdb_val(struct ord_slice s)
{
	return (MDB_val){.mv_size = s.len, .mv_data = (void *)(uintptr_t)s.base};
}

/* The bytes that the file of an environment has, and those that its own pages say. MDB_CORRUPTED: it was cut. By a little it may be shorter: pages at its end that a transaction took and gave back are not
 * written, and nobody reads them. So what was cut off by as little is found by whoever reads it, by a SIGBUS. */
int ord_lmdb_length(MDB_env *env, uint64_t *ret_bytes, uint64_t *ret_wanted);

/* The address space of one environment, where a process has as many open as there are partitions. */
size_t ord_lmdb_env_map_bytes(uint32_t partitions_count);

/* Opens the environment in a directory, which is made when it is not there; its names are durable afterwards. map_bytes is address space. is_fresh: it is being filled, and nothing of it counts before
 * ord_lmdb_env_sync: writes do not wait for the disk. When LMDB ends the process by what it finds in another one, the file ORD_LMDB_MARKER beside the directory says so (node/guard.h). MDB_CORRUPTED also when the
 * file is shorter than it says. To be closed in any case. */
int ord_lmdb_env_open(struct ord_lmdb_env *e, const char *path, size_t map_bytes, bool is_fresh);

/* Closes it and opens it again, which gives back the pages that it keeps. No view may be open, and nothing else may use it. After a failure it is not open, and is to be closed. MDB_CORRUPTED also when what is there by now is not what was written last. */
int ord_lmdb_env_reopen(struct ord_lmdb_env *e, const char *path, size_t map_bytes);

/* No view may be open. Tolerates one that is not open. */
void ord_lmdb_env_close(struct ord_lmdb_env *e);

/* Makes the changes in one transaction, durably. */
int ord_lmdb_env_write(struct ord_lmdb_env *s, const struct ord_changes *changes);

/* Adds pairs that come in the order of tables and keys, behind all that is there; MDB_KEYEXIST when they do not. */
int ord_lmdb_env_add(const struct ord_lmdb_env *e, const struct ord_changes *changes);

/* All that was written is durable. */
int ord_lmdb_env_sync(const struct ord_lmdb_env *e);

/* That part of the file will be read soon: the system may bring it into memory meanwhile. What lies behind the end of the file is passed over, and when nothing comes of it nothing is lost but time. */
void ord_lmdb_env_ahead(const struct ord_lmdb_env *e, uint64_t offset, uint64_t bytes);

/* The pages that were looked at leave the process's memory; what a view has shown stays valid. By any thread. */
void ord_lmdb_env_let_go(const struct ord_lmdb_env *e);

/* Bytes of its file. */
uint64_t ord_lmdb_env_bytes(const struct ord_lmdb_env *e);

/* Opens a view of what was written last; renew leads it to that again. Now and then a view lets go what was looked at, so that reading alone does not fill the process's memory. */
int ord_lmdb_view_open(struct ord_lmdb_view *v, const struct ord_lmdb_env *e);
int ord_lmdb_view_renew(struct ord_lmdb_view *v);

/* The bytes of pages that were freed since the view was opened, and that nothing is written to as long as it is. By the thread that has the view. */
int ord_lmdb_view_held(struct ord_lmdb_view *v, uint64_t *ret_bytes);

/* Tolerates one that is not open. */
void ord_lmdb_view_close(struct ord_lmdb_view *v);

/* Removes the directory of an environment, if it is there. 0 or an errno. */
int ord_lmdb_env_remove(const char *path);

/* The names in a directory are durable. 0 or an errno. */
int ord_lmdb_directory_sync(const char *path);

#endif
