/* SPDX-License-Identifier: Apache-2.0 - what leaves a log: only what is durable elsewhere, and what nobody goes on from who is being given a copy of a state. A crash at the wrong moment would show the one, a copy that is slower than the log the other; this needs
 * neither. The linker leads the call here. */
#include "raft/host.h"
#include "tests/sim/coverage.h"
#include "tests/sim/process.h"
#include "tests/sim/states.h"
#include "tests/sim/world.h"

void __real_ord_host_release(struct ord_host *h, uint32_t group, uint64_t index);
void __wrap_ord_host_release(struct ord_host *h, uint32_t group, uint64_t index);

static void check(uint32_t node, uint32_t partition, uint64_t index)
{
	uint64_t base;
	uint64_t copies_base = sim_states_copies_base(node, partition);
	if (sim_states_base(node, partition, &base) && index > base)
		sim_fail(SIM_SAFETY,
			 "node %u, partition %u: the log is released up to %llu, and a start with the checkpoint that "
			 "is durable needs it after %llu",
			 node, partition, (unsigned long long)index, (unsigned long long)base);
	if (index > copies_base)
		sim_fail(SIM_SAFETY,
			 "node %u, partition %u: the log is released up to %llu, and who is being given a copy goes on "
			 "after %llu",
			 node, partition, (unsigned long long)index, (unsigned long long)copies_base);
	if (copies_base != UINT64_MAX)
		sim_cover(SIM_COVER_RELEASED_DURING_COPY);
}

void __wrap_ord_host_release(struct ord_host *h, uint32_t group, uint64_t index)
{
	if (!sim_is_dead(sim_current()))
		check(sim_current()->number, group, index);
	__real_ord_host_release(h, group, index);
}
