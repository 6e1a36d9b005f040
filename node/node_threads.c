/* SPDX-License-Identifier: Apache-2.0 - the threads of a node's shards. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "node/log.h"
#include "node/node_state.h"

uv_loop_t *ord_place_loop(struct ord_place *p)
{
	const struct ord_node_options *options = &p->node->options;
	if (p->number == 0 || !options->has_threads)
		return options->loop;
	int err = uv_loop_init(&p->own_loop);
	ORD_ASSERT(err == 0);
	p->has_loop = true;
	return &p->own_loop;
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

static void accepted_close_cb(uv_handle_t *handle)
{
	free(handle);
}

bool ord_place_give_client(struct ord_place *from, struct ord_place *to, uv_stream_t *server)
{
	uv_tcp_t *accepted = malloc(sizeof *accepted);
	if (accepted == NULL || uv_tcp_init(from->loop, accepted) != 0) {
		free(accepted);
		return false;
	}
	/* The other loop has a descriptor of its own; this loop's handle and its descriptor go. */
	uv_os_fd_t fd;
	int other_fd = -1;
	int err = uv_accept(server, (uv_stream_t *)accepted);
	if (err == 0)
		err = uv_fileno((const uv_handle_t *)accepted, &fd);
	if (err == 0)
		other_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	bool is_given = other_fd >= 0 && ord_place_letter_client(from, to, other_fd);
	if (!is_given) {
		ord_log(ORD_LOG_WARN, "a client could not be handed to another shard (%s): its connection is closed",
			err != 0 ? uv_strerror(err) : strerror(errno));
		if (other_fd >= 0)
			close(other_fd);
	}
	uv_close((uv_handle_t *)accepted, accepted_close_cb);
	return true;
}
