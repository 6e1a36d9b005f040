/* SPDX-License-Identifier: Apache-2.0 - the threads of a node's shards. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/err.h"
#include "node/client_conn.h"
#include "node/log.h"
#include "node/node_state.h"

/* Then connections stay with shard 0, until some have been taken over. */
#define HANDED_MAX 1024

/* A connection that another shard is to take over. */
struct handed {
	struct ord_task task; /* first */
	int fd;		      /* owned */
};

int ord_place_loop_open(struct ord_place *p)
{
	const struct ord_node_options *options = &p->node->options;
	p->loop = options->loop;
	if (p->number == 0 || !options->has_threads)
		return ORD_OK;
	if (uv_loop_init(&p->own_loop) != 0)
		return ORD_ERR_IO;
	p->loop = &p->own_loop;
	p->has_loop = true;
	return ORD_OK;
}

static void thread_main(void *arg)
{
	struct ord_place *p = arg;
	char name[32];
	snprintf(name, sizeof name, "shard %u", p->number);
	ord_log_thread(name);
	uv_run(p->loop, UV_RUN_DEFAULT);
}

void ord_place_begin_thread(struct ord_place *p)
{
	int err = uv_thread_create(&p->thread, thread_main, p);
	ORD_ASSERT(err == 0);
	p->has_thread = true;
}

void ord_place_end_thread(struct ord_place *p)
{
	if (!p->has_loop)
		return;
	if (p->has_thread)
		uv_thread_join(&p->thread);
	else
		uv_run(p->loop, UV_RUN_DEFAULT);
	int err = uv_loop_close(p->loop);
	ORD_ASSERT(err == 0);
	p->has_loop = false;
}

static void handed_run(struct ord_task *task, void *ctx)
{
	struct handed *h = (struct handed *)task;
	struct ord_place *p = ctx;
	atomic_fetch_sub(&p->node->handed_count, 1);
	if (p->state == ORD_PLACE_RUNNING)
		ord_client_conn_open(p->clients, h->fd);
	else
		close(h->fd);
	free(h);
}

static void accepted_close_cb(uv_handle_t *handle)
{
	free(handle);
}

/* The other loop gets a descriptor of its own; this loop's handle and its descriptor go. */
static int accept_again(uv_loop_t *loop, uv_tcp_t *accepted, uv_stream_t *server, int *ret_fd)
{
	uv_os_fd_t fd;
	int err = uv_tcp_init(loop, accepted);
	ORD_ASSERT(err == 0);
	err = uv_accept(server, (uv_stream_t *)accepted);
	if (err == 0)
		err = uv_fileno((const uv_handle_t *)accepted, &fd);
	if (err == 0 && (*ret_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) < 0)
		err = -errno;
	uv_close((uv_handle_t *)accepted, accepted_close_cb);
	return err;
}

bool ord_place_hand_client(struct ord_place *from, struct ord_place *to, uv_stream_t *server)
{
	uv_tcp_t *accepted = malloc(sizeof *accepted);
	struct handed *h = malloc(sizeof *h);
	if (accepted == NULL || h == NULL || atomic_load(&from->node->handed_count) >= HANDED_MAX) {
		free(accepted);
		free(h);
		return false;
	}
	int err = accept_again(from->loop, accepted, server, &h->fd);
	if (err != 0) {
		ord_log(ORD_LOG_WARN, "a client could not be handed to another shard (%s): its connection is closed",
			uv_strerror(err));
		free(h);
		return true;
	}
	h->task.run = handed_run;
	atomic_fetch_add(&from->node->handed_count, 1);
	ord_mailbox_send(to->box, &h->task);
	return true;
}
