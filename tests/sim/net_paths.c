/* SPDX-License-Identifier: Apache-2.0 - machines and the paths between them. */
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "tests/sim/net_state.h"
#include "tests/sim/world.h"

static struct {
	struct sim_net_habits habits;
	bool cut[SIM_ADDRESSES_MAX][SIM_ADDRESSES_MAX];
	uint32_t slow_us[SIM_ADDRESSES_MAX][SIM_ADDRESSES_MAX];
	bool off[SIM_ADDRESSES_MAX];
} paths;

void sim_paths_open(void)
{
	memset(&paths, 0, sizeof paths);
}

struct sim_net_habits *sim_net_habits(void)
{
	return &paths.habits;
}

int sim_net_address(uint32_t address, uint16_t port, struct sockaddr_in *ret)
{
	char text[16];
	if (address == 0 || address >= SIM_ADDRESSES_MAX)
		return UV_EINVAL;
	snprintf(text, sizeof text, "10.0.0.%u", address);
	return uv_ip4_addr(text, port, ret);
}

void sim_net_cut(uint32_t from, uint32_t to, bool cut)
{
	paths.cut[from][to] = cut;
}

void sim_net_slow(uint32_t from, uint32_t to, uint32_t latency_us)
{
	paths.slow_us[from][to] = latency_us;
}

void sim_net_power(uint32_t address, bool on)
{
	paths.off[address] = !on;
}

bool sim_path_is_open(uint32_t from, uint32_t to)
{
	return !paths.cut[from][to] && !paths.off[to];
}

uint64_t sim_path_latency_us(uint32_t from, uint32_t to)
{
	return sim_between(SIM_NETWORK, paths.habits.latency_us_min, paths.habits.latency_us_max) +
	       paths.slow_us[from][to];
}

bool sim_net_is_off(uint32_t address)
{
	return paths.off[address];
}

void sim_paths_show(void)
{
	for (uint32_t a = 1; a < SIM_ADDRESSES_MAX; a++) {
		if (paths.off[a])
			printf("machine %u has no power\n", a);
		for (uint32_t b = 1; b < SIM_ADDRESSES_MAX; b++)
			if (paths.cut[a][b])
				printf("cut: from %u to %u\n", a, b);
	}
}
