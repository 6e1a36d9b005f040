/* SPDX-License-Identifier: Apache-2.0 - nemesis: none. What a run is compared with. */
#include "jepsen/nemeses/nemeses.h"

const struct ord_nemesis ord_nemesis_none = {.name = "none", .summary = "no faults"};
