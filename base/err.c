/* SPDX-License-Identifier: Apache-2.0 - texts of the error numbers. */
#include "base/err.h"

const char *ord_err_text(int err)
{
	switch (err) {
	case ORD_OK:
		return "ok";
#define X(number, name, text) \
	case number:          \
		return text;
#include "base/errors.def"
#undef X
	default:
		return "unknown error";
	}
}

const char *ord_err_name(int err)
{
	switch (err) {
	case ORD_OK:
		return "ok";
#define X(number, name, text) \
	case number:          \
		return #name;
#include "base/errors.def"
#undef X
	default:
		return "UNNUMBERED";
	}
}
