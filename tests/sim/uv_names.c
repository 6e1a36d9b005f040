/* SPDX-License-Identifier: Apache-2.0 - libuv's errors, addresses and names. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "tests/sim/loop.h"
#include "tests/sim/net.h"
#include "tests/sim/world.h"

/* Looking a name up. */
#define RESOLVE_US_MAX 3000
#define RESOLVE_FAILS_ONCE_IN 200

const char *uv_strerror(int err)
{
	return strerror(-err);
}

const char *uv_version_string(void)
{
	return "simulated";
}

uv_buf_t uv_buf_init(char *base, unsigned int len)
{
	return (uv_buf_t){.base = base, .len = len};
}

int uv_ip4_addr(const char *ip, int port, struct sockaddr_in *ret)
{
	memset(ret, 0, sizeof *ret);
	ret->sin_family = AF_INET;
	ret->sin_port = htons((uint16_t)port);
	return inet_pton(AF_INET, ip, &ret->sin_addr) == 1 ? 0 : UV_EINVAL;
}

int uv_ip6_addr(const char *ip, int port, struct sockaddr_in6 *ret)
{
	memset(ret, 0, sizeof *ret);
	ret->sin6_family = AF_INET6;
	ret->sin6_port = htons((uint16_t)port);
	return inet_pton(AF_INET6, ip, &ret->sin6_addr) == 1 ? 0 : UV_EINVAL;
}

int uv_ip_name(const struct sockaddr *address, char *ret, size_t size)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)address;
	return inet_ntop(AF_INET, &in->sin_addr, ret, (socklen_t)size) == NULL ? UV_ENOSPC : 0;
}

/* --- Names: "nodeN" and addresses in figures. --- */

static int name_resolve(const char *name, const char *port, struct addrinfo **ret)
{
	struct sockaddr_in *in = calloc(1, sizeof(struct addrinfo) + sizeof *in);
	SIM_ASSERT(in != NULL);
	struct addrinfo *info = (struct addrinfo *)(void *)in;
	in = (struct sockaddr_in *)(void *)(info + 1);
	uint32_t number;
	int err;
	if (sscanf(name, "node%u", &number) == 1)
		err = sim_net_address(number, (uint16_t)atoi(port), in);
	else
		err = uv_ip4_addr(name, atoi(port), in);
	if (err != 0) {
		free(info);
		return UV_EAI_NONAME;
	}
	info->ai_family = AF_INET;
	info->ai_socktype = SOCK_STREAM;
	info->ai_addr = (struct sockaddr *)in;
	info->ai_addrlen = sizeof *in;
	*ret = info;
	return 0;
}

void uv_freeaddrinfo(struct addrinfo *info)
{
	free(info);
}

struct resolution {
	uv_getaddrinfo_t *request;
	char name[256];
	char port[8];
	uint64_t number; /* by which its event recognises it */
	bool cancelled;
	struct sim_process *process;
};

#define RESOLUTIONS_MAX 256
static struct resolution *resolutions[RESOLUTIONS_MAX]; /* owned; under way, in no loop's ready list yet */
static uint64_t resolutions_ever;

static void resolved(void *ctx, uint64_t arg)
{
	struct resolution *r = ctx;
	(void)arg;
	struct addrinfo *info = NULL;
	uv_getaddrinfo_t *request = r->request;
	int status = r->cancelled ? UV_ECANCELED : 0;
	if (status == 0)
		status = sim_once_in(SIM_NETWORK, RESOLVE_FAILS_ONCE_IN) ? UV_EAI_AGAIN
									 : name_resolve(r->name, r->port, &info);
	free(r);
	request->cb(request, status, info);
}

static void resolution_ready(unsigned place)
{
	struct resolution *r = resolutions[place];
	resolutions[place] = NULL;
	sim_loop_ready(r->process->loop, resolved, r, 0);
}

static void resolve_event(void *ctx, uint64_t number)
{
	(void)ctx;
	for (unsigned i = 0; i < RESOLUTIONS_MAX; i++)
		if (resolutions[i] != NULL && resolutions[i]->number == number)
			resolution_ready(i);
}

void sim_names_hasten(const struct sim_process *p)
{
	for (unsigned i = 0; i < RESOLUTIONS_MAX; i++)
		if (resolutions[i] != NULL && resolutions[i]->process == p)
			resolution_ready(i);
}

int uv_getaddrinfo(uv_loop_t *loop, uv_getaddrinfo_t *request, uv_getaddrinfo_cb cb, const char *node,
		   const char *service, const struct addrinfo *hints)
{
	(void)hints;
	request->cb = cb;
	request->addrinfo = NULL;
	if (cb == NULL)
		return name_resolve(node, service, &request->addrinfo);
	struct resolution *r = calloc(1, sizeof *r);
	SIM_ASSERT(r != NULL);
	r->request = request;
	r->process = sim_loop_process(sim_loop_of(loop));
	snprintf(r->name, sizeof r->name, "%s", node);
	snprintf(r->port, sizeof r->port, "%s", service);
	request->reserved[0] = r;
	unsigned place = 0;
	while (place < RESOLUTIONS_MAX && resolutions[place] != NULL)
		place++;
	SIM_ASSERT(place < RESOLUTIONS_MAX);
	resolutions[place] = r;
	r->number = ++resolutions_ever;
	if (sim_is_dead(r->process))
		resolution_ready(place);
	else
		sim_at(sim_now_us() + 1 + sim_below(SIM_NETWORK, RESOLVE_US_MAX), resolve_event, NULL, r->number);
	return 0;
}

/* Only resolutions are ever cancelled. */
int uv_cancel(uv_req_t *request)
{
	struct resolution *r = ((uv_getaddrinfo_t *)request)->reserved[0];
	for (unsigned i = 0; i < RESOLUTIONS_MAX; i++)
		if (resolutions[i] == r) {
			r->cancelled = true;
			resolution_ready(i);
			return 0;
		}
	return UV_EBUSY;
}
