/* SPDX-License-Identifier: Apache-2.0 - which back end makes the faults of a cluster; rules that are none. */
#include "cli/fault.h"

const struct ord_fault_back *ord_fault_back_of(const struct ord_layout *l)
{
	return l->netns.on ? &ord_fault_netns : &ord_fault_hooks;
}

bool ord_fault_link_is_none(const struct ord_fault_link *r)
{
	return !r->cut && r->delay_ms == 0 && r->jitter_ms == 0 && r->loss_ppm == 0 && r->duplicate_ppm == 0 &&
	       r->reorder_ppm == 0 && r->rate_bytes_s == 0;
}

bool ord_fault_disk_is_none(const struct ord_fault_disk *r)
{
	return r->slow_ms == 0 && !r->error && !r->full;
}

bool ord_fault_clock_is_none(const struct ord_fault_clock *r)
{
	return r->offset_us == 0 && r->drift_ppm == 0;
}
