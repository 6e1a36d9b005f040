/* SPDX-License-Identifier: Apache-2.0 - whether a fault took effect, by what `ordain fault` answers. */
#ifndef ORD_JEPSEN_PROOF_H
#define ORD_JEPSEN_PROOF_H

#include "jepsen/storm.h"

/* By the answer of the command that put it in force. UNKNOWN: only what it does later can tell. */
enum ord_storm_effect ord_proof_effect(const struct ord_nemesis_plan *plan, struct ord_edn answer);

/* By the answer of `fault list` just before it is healed. */
enum ord_storm_effect ord_proof_listed(const char *f, struct ord_edn listing);

/* By the same: a node that is gone though no fault of s ended it, in this round or, where a disk was harmed, ever; 0: there is none. */
uint32_t ord_proof_gone(const struct ord_storm *s, struct ord_edn listing);

#endif
