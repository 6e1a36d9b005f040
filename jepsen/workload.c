/* SPDX-License-Identifier: Apache-2.0 - the list of workloads. */
#include "jepsen/workload.h"

#include <string.h>

const struct ord_workload *const ord_workloads[] = {
	&ord_workload_bank,	   &ord_workload_unique, &ord_workload_register, &ord_workload_set,
	&ord_workload_idempotence, &ord_workload_stock,	 &ord_workload_log,	 NULL,
};

const struct ord_workload *ord_workload_find(const char *name)
{
	for (const struct ord_workload *const *w = ord_workloads; *w != NULL; w++) {
		if (strcmp((*w)->name, name) == 0)
			return *w;
	}
	return NULL;
}
