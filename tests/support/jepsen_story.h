/* SPDX-License-Identifier: Apache-2.0 - histories of a few lines for tests of checkers, and what a checker says of them. */
#ifndef ORD_TESTS_SUPPORT_JEPSEN_STORY_H
#define ORD_TESTS_SUPPORT_JEPSEN_STORY_H

#include "jepsen/verdict.h"

/* A history as text: one operation a line, "3 invoke read [1 nil]", "3 ok read [1 7]", "3 fail cas [1 [2 3]] error [:not 2]", "nemesis info kill nil". Index and time (1 ms apart) come
 * by themselves; a line "at 500" sets the time in ms. Spaces at the beginning of a line do not matter. Fails the test when it is no history. To be closed. */
void story_of(const char *text, struct ord_jepsen_history *ret);

/* Fails the test unless v has the validity, and the first finding of that validity the rule (NULL: there is none); then all that v says is shown. Closes v. */
void story_expect(struct ord_verdict *v, enum ord_validity validity, const char *rule);

/* An integer among the figures; fails the test when there is none of that name. */
int64_t story_figure(const struct ord_verdict *v, const char *name);

#endif
