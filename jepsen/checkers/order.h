/* SPDX-License-Identifier: Apache-2.0 - checker: one order for all commands of a partition, the same on every node, which agrees with real time.
 *
 *   any f, value with :id i -> ok {... :id i :position [partition offset], :replayed true}    where the id was logged
 *   :log {:node n :partition p :from o} -> ok {:node n :partition p :from o :commands ["..." "..."]}
 *        a piece of a node's history of a partition: the commands at offsets o, o + 1, ...; each a text that tells them apart (a hash), nil for one that is not there.
 *        To be read last, when a node has all that is committed: its pieces together have all that was acknowledged before
 *   :log {...} -> ok {... :ids [i j nil]} besides     the ids of the same commands, where they have one
 */
#ifndef ORD_JEPSEN_CHECKERS_ORDER_H
#define ORD_JEPSEN_CHECKERS_ORDER_H

#include "jepsen/verdict.h"

/* Rules, all invalid: `shared-position` (two ids at one), `moved` (one id at two), `real-time` (what was completed before another one was asked for the first time lies behind it in the same partition), `replicas-differ` (two nodes have
 * different commands at one offset), `hole` (a node lacks a command before others that it has), `not-in-log` (an acknowledged id is not at its position in a node's log), `short-log` (a node's log begins behind or ends before the position of an acknowledged id), `failed-but-logged` (all operations with an id were fails, and a log has it).
 * `missing-log` (logs were read, but not each node's of each partition), `no-positions`, `malformed`: unknown.
 * Figures: :acknowledged, :partitions, :replicas, :compared (offsets that two or more nodes have), :found-in-logs (acknowledged ids at whose position there is a log). ORD_ERR_NOMEM. */
int ord_check_order(const struct ord_jepsen_history *h, struct ord_verdict *ret);

#endif
