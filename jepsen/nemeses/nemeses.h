/* SPDX-License-Identifier: Apache-2.0 - the nemeses, each declared. */
#ifndef ORD_JEPSEN_NEMESES_NEMESES_H
#define ORD_JEPSEN_NEMESES_NEMESES_H

#include "jepsen/nemesis.h"

#define X(name) extern const struct ord_nemesis ord_nemesis_##name;
#include "jepsen/nemeses/nemeses.def"
#undef X

#endif
