/* SPDX-License-Identifier: Apache-2.0 - error numbers of the whole program: I/O and unusable input. */
#ifndef ORD_BASE_ERR_H
#define ORD_BASE_ERR_H

enum ord_err {
	ORD_OK = 0,
#define X(number, name, text) ORD_ERR_##name = (number),
#include "base/errors.def"
#undef X
};

/* A static English text for err, "unknown error" for a number that is not in errors.def. Never NULL. */
const char *ord_err_text(int err);

/* The name of err as errors.def spells it ("NOT_LEADER"), "ok" for 0, "UNNUMBERED" for a number that is not there. Never NULL. */
const char *ord_err_name(int err);

#endif
