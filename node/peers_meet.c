/* SPDX-License-Identifier: Apache-2.0 - writing down a directory of a peer that is met for the first time, and what this node is: on a thread of its own, since a disk may take long and the loop has heartbeats to send. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "node/clock.h"
#include "node/datadir.h"
#include "node/log.h"
#include "node/peers_state.h"

struct ord_peers_meeting {
	struct ord_peers *peers; /* borrowed */
	uv_async_t written;
	uv_thread_t writer;
	bool writing;		    /* the thread runs; until it is joined the next six are its own */
	enum ord_standing standing; /* what this node is; 0: somebody was met */
	uint32_t node;		    /* who greeted */
	bool is_new;		    /* by a directory that was never met */
	struct ord_datadir_meeting what;
	int status; /* of the last one */
	int error;  /* and its errno */
	bool resuming;
	struct ord_log_limit failed_log;
};

static void writer_main(void *arg)
{
	struct ord_peers_meeting *m = arg;
	if (m->standing != 0)
		m->status = ord_datadir_decide_write(m->peers->datadir, m->standing);
	else
		m->status = ord_datadir_meeting_write(m->peers->datadir, &m->what);
	m->error = errno;
	uv_async_send(&m->written);
}

/* What comes on connections of the directory that was replaced counts no more. */
static void met(struct ord_peers_meeting *m)
{
	struct ord_peers *p = m->peers;
	ord_datadir_meeting_keep(p->datadir, &m->what);
	for (uint32_t i = 0; m->is_new && i < p->peers_count; i++) {
		struct ord_peer *peer = &p->peers[i];
		if (peer->config->id != m->node)
			continue;
		ord_peers_unheard(peer);
		ord_peers_out_close(peer);
		if (peer->in != NULL)
			ord_peers_in_close(peer->in);
	}
}

static void failed(struct ord_peers_meeting *m)
{
	uint64_t held_back;
	if (!ord_log_allow(&m->failed_log, ord_clock_monotonic_ms(), &held_back))
		return;
	if (m->standing != 0)
		ord_log(ORD_LOG_ERROR,
			"the file identity cannot be written (%s), and this node takes no part before it is: see to "
			"the disk of data_dir",
			strerror(m->error));
	else
		ord_log(ORD_LOG_ERROR,
			"node %u is met for the first time and cannot be remembered (%s): see to the disk of data_dir",
			m->node, strerror(m->error));
}

static void written_cb(uv_async_t *async)
{
	struct ord_peers_meeting *m = async->data;
	struct ord_peers *p = m->peers;
	if (!m->writing || p->stopping)
		return;
	uv_thread_join(&m->writer);
	m->writing = false;
	if (m->status != ORD_OK)
		failed(m);
	else if (m->standing != 0)
		ord_peers_decided(p, m->standing);
	else
		met(m);
	m->resuming = true;
	ord_peers_in_resume(p);
	for (uint32_t i = 0; i < p->peers_count; i++)
		ord_peers_out_resume(&p->peers[i]);
	m->resuming = false;
}

/* What a greeting tells of others than its sender and this node. */
static void firsts_adopt(struct ord_met *met, const struct ord_greeting *g)
{
	for (uint32_t i = 0; i < g->firsts_count; i++)
		if (g->firsts[i].node != g->node)
			ord_met_adopt(met, g->firsts[i].node, &g->firsts[i].incarnation);
}

static bool firsts_known(const struct ord_met *known, const struct ord_greeting *g)
{
	for (uint32_t i = 0; i < g->firsts_count; i++) {
		const struct ord_met_node *n = ord_met_find(known, g->firsts[i].node);
		if (n != NULL && n->node != g->node && !n->has_first)
			return false;
	}
	return true;
}

int ord_peers_meet(struct ord_peers *p, const struct ord_greeting *g)
{
	struct ord_peers_meeting *m = p->meeting;
	const struct ord_met *known = ord_datadir_met(p->datadir);
	int err = ord_met_knows(known, g->node, &g->incarnation);
	if (err == ORD_ERR_MISMATCH || (err == ORD_OK && firsts_known(known, g)))
		return err;
	if (m->writing)
		return ORD_ERR_BUSY;
	if (m->resuming && m->standing == 0 && m->status != ORD_OK)
		return m->status;
	m->standing = 0;
	m->node = g->node;
	m->is_new = err == ORD_ERR_NOT_FOUND;
	ord_datadir_meeting(p->datadir, &m->what);
	if (m->is_new)
		ord_met_note(&m->what.met, g->node, &g->incarnation);
	firsts_adopt(&m->what.met, g);
	ord_datadir_meeting_format(&m->what);
	m->writing = uv_thread_create(&m->writer, writer_main, m) == 0;
	return m->writing ? ORD_ERR_BUSY : ORD_ERR_IO;
}

bool ord_peers_meet_decide(struct ord_peers *p, enum ord_standing standing)
{
	struct ord_peers_meeting *m = p->meeting;
	if (m->writing)
		return false;
	m->standing = standing;
	m->writing = uv_thread_create(&m->writer, writer_main, m) == 0;
	return true;
}

void ord_peers_meet_start(struct ord_peers *p)
{
	struct ord_peers_meeting *m = calloc(1, sizeof *m);
	ORD_ASSERT(m != NULL && uv_async_init(p->loop, &m->written, written_cb) == 0);
	m->peers = p;
	m->written.data = m;
	p->meeting = m;
	ord_peers_handle_opened(p);
}

static void closed_cb(uv_handle_t *handle)
{
	struct ord_peers_meeting *m = handle->data;
	struct ord_peers *p = m->peers;
	free(m);
	ord_peers_handle_closed(p);
}

void ord_peers_meet_stop(struct ord_peers *p)
{
	struct ord_peers_meeting *m = p->meeting;
	if (m->writing)
		uv_thread_join(&m->writer);
	uv_close((uv_handle_t *)&m->written, closed_cb);
}
