/* SPDX-License-Identifier: Apache-2.0 - what a checker says of a history: valid or not, why, and figures. */
#ifndef ORD_JEPSEN_VERDICT_H
#define ORD_JEPSEN_VERDICT_H

#include "jepsen/history.h"

#define ORD_VERDICT_FINDINGS_MAX 16 /* kept with their words; all are counted */
#define ORD_VERDICT_OPS_MAX 8	    /* operations that one finding names */
#define ORD_VERDICT_WORDS_BYTES 240
#define ORD_VERDICT_FIGURES_MAX 64

/* The worst of several is the largest. */
enum ord_validity { ORD_VALID = 0, ORD_UNKNOWN = 1, ORD_INVALID = 2 };

/* "valid", "unknown", "invalid". */
const char *ord_validity_name(enum ord_validity validity);

struct ord_finding {
	enum ord_validity validity; /* ORD_UNKNOWN: why it cannot be said; ORD_INVALID: what is wrong */
	const char *rule;	    /* a short name of what is broken, "lost" */
	char words[ORD_VERDICT_WORDS_BYTES];
	uint32_t ops[ORD_VERDICT_OPS_MAX]; /* indices into the history */
	uint32_t ops_count;
};

struct ord_verdict {
	enum ord_validity validity;
	struct ord_finding findings[ORD_VERDICT_FINDINGS_MAX];
	uint32_t findings_kept;
	uint64_t findings_count;
	uint32_t last;		  /* the finding that was added last; ORD_VERDICT_FINDINGS_MAX: it was not kept */
	struct ord_edn figures;	  /* a map, its keys keywords */
	struct ord_edn_pool pool; /* the figures' memory */
};

/* Valid, without findings. ORD_ERR_NOMEM. */
int ord_verdict_open(struct ord_verdict *ret);
void ord_verdict_close(struct ord_verdict *v);

/* Adds a finding with the words of format, cut where they are too long; the verdict becomes validity when it was better. rule is a literal. The operations (ORD_JEPSEN_NONE:
 * none) are those that show it. */
__attribute__((format(printf, 6, 7))) void ord_verdict_add(struct ord_verdict *v, enum ord_validity validity,
							   const char *rule, uint32_t op, uint32_t other_op,
							   const char *format, ...);

/* A figure of the result. name is a literal. Those beyond ORD_VERDICT_FIGURES_MAX are asserted against. */
void ord_verdict_count(struct ord_verdict *v, const char *name, uint64_t number);
void ord_verdict_figure(struct ord_verdict *v, const char *name, struct ord_edn value);

/* All of it as one value in the pool, for results.edn and results.json (ord_edn_write, ord_edn_write_json):
 * {:valid? true | false | :unknown, :findings-count 1, :findings [{:rule :lost, :valid? false, :words "...", :ops [12 40]}], ...figures} */
struct ord_edn ord_verdict_edn(const struct ord_verdict *v, struct ord_edn_pool *pool);

#endif
