/* SPDX-License-Identifier: Apache-2.0 - libuv's requests of file systems: how much room there is. */
#include <stdlib.h>
#include <uv.h>

#include "tests/sim/disk.h"
#include "tests/sim/loop.h"
#include "tests/sim/process.h"
#include "tests/sim/world.h"

/* In these it is counted. */
#define BLOCK_BYTES 512u
/* A disk without a bound. */
#define ENDLESS_BYTES (UINT64_C(1) << 40)

static void answer(uv_fs_t *request, const struct sim_disk *d)
{
	uv_statfs_t *s = calloc(1, sizeof *s);
	SIM_ASSERT(s != NULL);
	uint64_t total_bytes = sim_disk_total_bytes(d);
	uint64_t free_bytes = sim_disk_free_bytes(d);
	s->f_bsize = BLOCK_BYTES;
	s->f_blocks = (total_bytes > ENDLESS_BYTES ? ENDLESS_BYTES : total_bytes) / BLOCK_BYTES;
	s->f_bfree = s->f_bavail = (free_bytes > ENDLESS_BYTES ? ENDLESS_BYTES : free_bytes) / BLOCK_BYTES;
	request->ptr = s;
	request->result = 0;
}

static void answered(void *ctx, uint64_t arg)
{
	uv_fs_t *request = ctx;
	(void)arg;
	answer(request, sim_current()->disk);
	request->cb(request);
}

int uv_fs_statfs(uv_loop_t *loop, uv_fs_t *request, const char *path, uv_fs_cb cb)
{
	SIM_ASSERT(path != NULL && sim_current() != NULL);
	request->cb = cb;
	request->ptr = NULL;
	if (cb == NULL)
		answer(request, sim_current()->disk);
	else
		sim_loop_ready(sim_loop_of(loop), answered, request, 0);
	return 0;
}

void uv_fs_req_cleanup(uv_fs_t *request)
{
	free(request->ptr);
	request->ptr = NULL;
}
