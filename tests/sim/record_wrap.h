/* SPDX-License-Identifier: Apache-2.0 - the linker's names for ord_partition_apply under --wrap: what replicas call, and what is behind it. For record.c and its tests. */
#ifndef ORD_TESTS_SIM_RECORD_WRAP_H
#define ORD_TESTS_SIM_RECORD_WRAP_H

#include "partition/partition.h"

int __real_ord_partition_apply(struct ord_partition *p, struct ord_slice entry, struct ord_effects *fx);
int __wrap_ord_partition_apply(struct ord_partition *p, struct ord_slice entry, struct ord_effects *fx);

#endif
