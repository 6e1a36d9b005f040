/* SPDX-License-Identifier: Apache-2.0 - a history: who asked what, and what came of it, in the order it was seen. All that a checker knows.
 *
 * The form is Jepsen's (github.com/jepsen-io/history): each operation is an :invoke and, mostly, one completion of the same process:
 *
 *   :ok     it happened, and this is what was answered
 *   :fail   it did not happen and never will
 *   :info   it may have happened, may happen later, or never. The process is not used again: the thread goes on as another
 *
 * What the nemesis does are operations of type :info of the process :nemesis. */
#ifndef ORD_JEPSEN_HISTORY_H
#define ORD_JEPSEN_HISTORY_H

#include "jepsen/edn.h"

#define ORD_JEPSEN_OPS_MAX (1u << 24) /* 64 bytes each, and their values */
#define ORD_JEPSEN_THREADS_MAX 1024
#define ORD_JEPSEN_LINE_BYTES_MAX (16u << 20) /* one operation as text */
#define ORD_JEPSEN_NEMESIS (-1)
#define ORD_JEPSEN_NONE UINT32_MAX /* no such operation */

enum ord_jepsen_type { ORD_JEPSEN_INVOKE = 1, ORD_JEPSEN_OK = 2, ORD_JEPSEN_FAIL = 3, ORD_JEPSEN_INFO = 4 };

/* "invoke", "ok", "fail", "info". */
const char *ord_jepsen_type_name(enum ord_jepsen_type type);

/* Its index is its place in the history. */
struct ord_jepsen_op {
	uint64_t time_ns; /* since the run began */
	int32_t process;  /* ORD_JEPSEN_NEMESIS, or 0 and above */
	enum ord_jepsen_type type;
	const char *f;	      /* what was asked ("transfer"); one address for equal texts of a history */
	struct ord_edn value; /* nil when there is none */
	struct ord_edn error; /* nil when there is none */
	uint32_t other;	      /* the invocation's completion, the completion's invocation; ORD_JEPSEN_NONE */
};

struct ord_jepsen_history {
	struct ord_jepsen_op *ops; /* owned */
	uint32_t ops_count;
	uint32_t ops_capacity;
	struct ord_edn_pool pool;	/* the values and names of ops */
	struct ord_jepsen_maker *maker; /* owned */
};

/* An empty history of up to threads_count threads (1 .. ORD_JEPSEN_THREADS_MAX, asserted) that will write it. ORD_ERR_NOMEM. */
int ord_jepsen_open(uint32_t threads_count, struct ord_jepsen_history *ret);

/* Frees everything. Tolerates a zeroed one. */
void ord_jepsen_close(struct ord_jepsen_history *h);

/* --- Writing it down. Not safe by itself: who has several threads holds one lock around each call. All values are copied. ---
 *
 * Times must not go back: an earlier one is counted as the last one's. Each returns ORD_OK, ORD_ERR_NOMEM, or ORD_ERR_TOO_BIG beyond ORD_JEPSEN_OPS_MAX; then the history is
 * as before. */

/* The thread (0 .. threads_count - 1) asks f. Asserts that its last operation was completed. ret_index may be NULL. */
int ord_jepsen_invoke(struct ord_jepsen_history *h, uint32_t thread, uint64_t time_ns, const char *f,
		      struct ord_edn value, uint32_t *ret_index);

/* What came of it: type is OK, FAIL or INFO. After INFO the thread's next operation has a new process: the old number plus threads_count, as in Jepsen. error may be nil. */
int ord_jepsen_complete(struct ord_jepsen_history *h, uint32_t thread, uint64_t time_ns, enum ord_jepsen_type type,
			struct ord_edn value, struct ord_edn error);

/* The nemesis did f: an operation of type INFO. Writes one; Jepsen writes two, when it begins and when it is done. */
int ord_jepsen_nemesis(struct ord_jepsen_history *h, uint64_t time_ns, const char *f, struct ord_edn value,
		       struct ord_edn error);

/* --- As text: one map a line, {:index 0, :time 12, :process 3, :type :invoke, :f :read, :value nil} and :error where there is one. --- */

/* Writes all operations from first on. ORD_ERR_IO when the stream failed. */
int ord_jepsen_write(const struct ord_jepsen_history *h, uint32_t first, FILE *out);

/* Reads a whole file. Strict about each line; whether the operations together make sense is ord_check_shape's to say. *ret can only be read and closed.
 * ORD_ERR_FORMAT with line, column and why in *problem; ORD_ERR_TOO_BIG, ORD_ERR_IO, ORD_ERR_NOMEM. */
int ord_jepsen_read(FILE *in, struct ord_jepsen_history *ret, struct ord_edn_problem *problem);

#endif
