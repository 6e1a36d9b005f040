/* SPDX-License-Identifier: Apache-2.0 - which cluster a subcommand talks to, for how long, and how it shows the answer. */
#include "cli/target.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/limits.h"
#include "cli/layout.h"

void ord_target_init(struct ord_target *t)
{
	*t = (struct ord_target){.timeout_ms = 10000};
	t->flags[0] = (struct ord_flag){
		.name = "dir", .value = "DIR", .text = &t->dir, .help = "a cluster made by 'ordain cluster start'"};
	t->flags[1] = (struct ord_flag){.name = "connect",
					.value = "HOST:PORT,...",
					.text = &t->connect,
					.help = "client addresses of one or more nodes",
					.normal = "ORDAIN_CONNECT"};
	t->flags[2] = (struct ord_flag){.name = "timeout",
					.value = "TIME",
					.duration_ms = &t->timeout_ms,
					.given = &t->timeout_given,
					.min = 1,
					.max = ORD_WAIT_MS_MAX,
					.help = "the longest wait for one answer",
					.normal = "10s"};
	t->flags[3] = (struct ord_flag){.name = "json", .on = &t->json, .help = "print JSON"};
}

static int addresses_copy(const char *source, const char *text, struct ord_target_cluster *ret, char *why,
			  size_t why_size)
{
	int len = snprintf(ret->addresses, sizeof ret->addresses, "%s", text);
	if (len > 0 && len < (int)sizeof ret->addresses)
		return ORD_OK;
	snprintf(why, why_size, "%s: %s; write it like 127.0.0.1:7001,127.0.0.1:7002", source,
		 len == 0 ? "it is empty" : "longer than 4095 bytes");
	return ORD_ERR_INVALID;
}

int ord_target_resolve(const struct ord_target *t, struct ord_target_cluster *ret, char *why, size_t why_size)
{
	const char *environment = getenv("ORDAIN_CONNECT");
	ret->has_id = false;
	if (t->dir != NULL && t->connect != NULL) {
		snprintf(why, why_size, "--dir and --connect are both given; give one of them");
		return ORD_ERR_INVALID;
	}
	if (t->dir != NULL) {
		struct ord_layout l;
		int err = ord_layout_load(t->dir, &l, why, why_size);
		if (err != ORD_OK)
			return err;
		ord_layout_addresses(&l, ret->addresses);
		memcpy(ret->id.bytes, l.cluster.bytes, sizeof ret->id.bytes);
		ret->has_id = true;
		return ORD_OK;
	}
	if (t->connect != NULL)
		return addresses_copy("--connect", t->connect, ret, why, why_size);
	if (environment != NULL)
		return addresses_copy("ORDAIN_CONNECT", environment, ret, why, why_size);
	snprintf(why, why_size,
		 "which cluster? give --dir DIR (made by 'ordain cluster start'), --connect HOST:PORT, or set "
		 "ORDAIN_CONNECT");
	return ORD_ERR_INVALID;
}

struct ordain_options ord_target_options(const struct ord_target *t, const struct ord_target_cluster *cluster)
{
	return (struct ordain_options){
		.addresses = cluster->addresses,
		.timeout_ms = (uint32_t)t->timeout_ms,
		.cluster_id = cluster->has_id ? &cluster->id : NULL,
	};
}

void ord_target_explain(const char *addresses, int code, char *why, size_t why_size)
{
	if (code == ORDAIN_ERR_ARGUMENT)
		snprintf(why, why_size,
			 "'%.300s' is not a list of addresses; write it like 127.0.0.1:7001,127.0.0.1:7002", addresses);
	else
		snprintf(why, why_size, "%s", ordain_strerror(code));
}
