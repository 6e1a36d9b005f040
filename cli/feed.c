/* SPDX-License-Identifier: Apache-2.0 - commands from a CSV file into a cluster: in batches, several under way, in bounded memory.
 *
 * A line becomes a row of the batch that is being filled. A full batch is submitted; its slot in the ring is free again when all batches before it
 * and itself are answered and their results written, so results have the order of the file. A line whose request id is under way is held,
 * and the reading with it, until that id has been answered. */
#include "cli/feed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <uv.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/table.h"
#include "cli/target.h"

#define TOLD_LINES_MAX 20  /* wrong lines that are told one by one */
#define PROGRESS_MS 250	   /* between two lines of progress */
#define TEXT_BYTES_MAX 384 /* of one command: a claim's namespace, name and owner */
#define SHOWN_ID_BYTES 64  /* of a request id that is none, in results */
#define REASON_BYTES 256   /* of one line, in results */
#define FIELD_BYTES 32	   /* of a field's name, in results */

struct row {
	struct ord_table_link link; /* in feed.ids while under way */
	struct ordain_id id;
	bool valid;
	bool replayed;
	char shown_id[SHOWN_ID_BYTES + 1]; /* not valid: what stands there */
	const char *status;
	char reason[REASON_BYTES];
	char field[FIELD_BYTES]; /* that the reason is about; "" for none */
};

struct batch {
	struct feed *feed;
	struct row *rows; /* owned; options.batch_lines of them */
	size_t rows_count;
	size_t commands_count;
	bool done;
};

struct feed {
	const struct ord_feed_options *options;
	struct ord_feed_summary *summary;
	uv_loop_t loop;
	struct ordain_client *client;
	struct ord_csv *csv; /* owned */
	struct ord_lines lines;
	struct batch batches[ORD_FEED_BATCHES_MAX]; /* a ring */
	size_t batches_max;			    /* slots in use */
	size_t head;				    /* oldest batch under way */
	size_t under_way;			    /* the slot after them is being filled */
	struct ordain_command *commands;	    /* owned; of the batch being filled */
	char *texts;				    /* owned; theirs, TEXT_BYTES_MAX for each */
	size_t texts_len;
	struct ord_table ids;
	struct ord_csv_record record;
	struct ordain_command held; /* waits for its id; its texts are in the record */
	bool holding;
	bool ended; /* nothing is left to read */
	int err;
	int read_errno; /* with ORD_ERR_IO */
	uint64_t told_lines;
	uint64_t shown_ms; /* when progress was shown last */
};

static bool id_equal(const struct ord_table_link *link, const void *key)
{
	return memcmp(((const struct row *)(const void *)link)->id.bytes, key, sizeof(struct ordain_id)) == 0;
}

static uint64_t id_hash(const struct ordain_id *id)
{
	return ord_hash64(id->bytes, sizeof id->bytes);
}

static struct batch *batch_at(struct feed *f, size_t i)
{
	return &f->batches[(f->head + i) % f->batches_max];
}

/* --- Counting --------------------------------------------------------------------------------------------------------- */

static void result_count(struct ord_feed_summary *s, const struct ordain_result *r)
{
	s->replayed += r->replayed;
	switch (r->answer) {
	case ORDAIN_OK:
		s->settled += r->status == ORDAIN_STATUS_SETTLED;
		s->logged += r->status != ORDAIN_STATUS_SETTLED;
		return;
	case ORDAIN_REFUSED:
		s->refused++;
		break;
	case ORDAIN_UNKNOWN:
		s->unknown++;
		break;
	case ORDAIN_FAILED:
		s->failed++;
		break;
	}
	ord_reasons_add(&s->reasons, r->name);
}

static void progress_show(struct feed *f, bool last)
{
	const struct ord_feed_summary *s = f->summary;
	uint64_t now_ms = uv_now(&f->loop);
	if (!f->options->progress || (!last && now_ms - f->shown_ms < PROGRESS_MS))
		return;
	f->shown_ms = now_ms;
	fprintf(stderr,
		"\r%" PRIu64 " lines read, %" PRIu64 " settled, %" PRIu64 " refused, %" PRIu64 " replayed, %" PRIu64
		" unknown\x1b[K%s",
		s->lines, s->settled, s->refused, s->replayed, s->unknown, last ? "\n" : "");
}

/* --- Results ---------------------------------------------------------------------------------------------------------- */

static void row_write(const struct row *r, FILE *out)
{
	char id[ORDAIN_ID_TEXT_SIZE];
	ordain_id_format(&r->id, id);
	ord_csv_put(out, ord_slice_text(r->valid ? id : r->shown_id));
	fprintf(out, ",%s,", r->status);
	ord_csv_put(out, ord_slice_text(r->reason));
	fputs(r->replayed ? ",true," : ",false,", out);
	ord_csv_put(out, ord_slice_text(r->field));
	fputc('\n', out);
}

/* Writes and frees the batches at the head that are done. */
static void batches_retire(struct feed *f)
{
	bool wrote = f->under_way > 0 && batch_at(f, 0)->done && f->options->results != NULL;
	while (f->under_way > 0 && batch_at(f, 0)->done) {
		struct batch *b = batch_at(f, 0);
		for (size_t i = 0; i < b->rows_count && f->options->results != NULL; i++)
			row_write(&b->rows[i], f->options->results);
		f->head = (f->head + 1) % f->batches_max;
		f->under_way--;
	}
	if (wrote)
		fflush(f->options->results); /* whole lines, for whoever reads along */
}

static const char *status_of(const struct ordain_result *r)
{
	return r->answer == ORDAIN_OK || r->answer == ORDAIN_REFUSED ? ordain_status_name(r->status)
								     : ordain_answer_name(r->answer);
}

static void batch_finish(struct batch *b, const struct ordain_result *results)
{
	size_t next = 0;
	for (size_t i = 0; i < b->rows_count; i++) {
		struct row *row = &b->rows[i];
		if (!row->valid)
			continue;
		const struct ordain_result *r = &results[next++];
		ord_table_remove(&b->feed->ids, &row->link);
		row->status = status_of(r);
		row->replayed = r->replayed;
		snprintf(row->reason, sizeof row->reason, "%s", r->name);
		snprintf(row->field, sizeof row->field, "%s", r->field != NULL ? r->field : "");
		result_count(b->feed->summary, r);
	}
	b->done = true;
}

static void feed_pump(struct feed *f);

static void batch_cb(const struct ordain_result *results, size_t count, void *arg)
{
	struct batch *b = arg;
	struct feed *f = b->feed;
	ORD_ASSERT(count == b->commands_count);
	batch_finish(b, results);
	batches_retire(f);
	progress_show(f, false);
	feed_pump(f);
}

/* Nothing was taken by the library: the lines failed, each with this error. */
static void batch_fail(struct batch *b, int code)
{
	for (size_t i = 0; i < b->rows_count; i++) {
		struct row *row = &b->rows[i];
		if (!row->valid)
			continue;
		ord_table_remove(&b->feed->ids, &row->link);
		row->status = "failed";
		snprintf(row->reason, sizeof row->reason, "%s", ordain_error_name(code));
		b->feed->summary->failed++;
		ord_reasons_add(&b->feed->summary->reasons, ordain_error_name(code));
	}
	b->done = true;
}

/* Sends what was filled. */
static void batch_submit(struct feed *f)
{
	struct batch *b = batch_at(f, f->under_way);
	int err = 0;
	f->under_way++;
	if (b->commands_count > 0)
		err = ordain_submit(f->client, f->commands, b->commands_count, &f->options->call, batch_cb, b);
	if (b->commands_count == 0)
		b->done = true;
	else if (err != 0)
		batch_fail(b, err);
	f->texts_len = 0;
	batches_retire(f);
}

/* --- Reading ---------------------------------------------------------------------------------------------------------- */

static struct ordain_str text_keep(struct feed *f, struct ordain_str s)
{
	struct ordain_str kept = {.base = f->texts + f->texts_len, .len = s.len};
	ORD_ASSERT(f->texts_len + s.len <= (size_t)TEXT_BYTES_MAX * f->options->batch_lines);
	if (s.len > 0)
		memcpy(f->texts + f->texts_len, s.base, s.len);
	f->texts_len += s.len;
	return kept;
}

static struct row *row_add(struct batch *b)
{
	struct row *row = &b->rows[b->rows_count++];
	memset(row, 0, sizeof *row);
	return row;
}

static void command_add(struct feed *f, struct batch *b, const struct ordain_command *c)
{
	struct ordain_command *kept = &f->commands[b->commands_count++];
	struct row *row = row_add(b);
	row->valid = true;
	row->id = c->id;
	ord_table_put(&f->ids, &row->link, id_hash(&c->id));
	*kept = *c;
	if (c->kind == ORDAIN_TRANSFER) {
		kept->transfer.payer = text_keep(f, c->transfer.payer);
		kept->transfer.payee = text_keep(f, c->transfer.payee);
		kept->transfer.asset = text_keep(f, c->transfer.asset);
	} else {
		kept->naming.space = text_keep(f, c->naming.space);
		kept->naming.name = text_keep(f, c->naming.name);
		kept->naming.owner = text_keep(f, c->naming.owner);
	}
}

static void invalid_add(struct feed *f, struct batch *b, const char *why)
{
	struct row *row = row_add(b);
	struct ord_slice id = ord_lines_request_id(&f->lines, &f->record);
	snprintf(row->shown_id, sizeof row->shown_id, "%.*s", (int)(id.len < SHOWN_ID_BYTES ? id.len : SHOWN_ID_BYTES),
		 (const char *)id.base);
	row->status = "invalid";
	snprintf(row->reason, sizeof row->reason, "%s", why);
	f->summary->invalid++;
	if (f->told_lines++ < TOLD_LINES_MAX)
		fprintf(stderr, "%s%s: line %" PRIu64 ": %s\n", f->options->progress ? "\r\x1b[K" : "",
			f->options->in_name, f->record.line, why);
	else if (f->told_lines == TOLD_LINES_MAX + 1)
		fprintf(stderr, "%s: more lines cannot be used; --results names them all\n", f->options->in_name);
}

enum taken { TAKEN, TAKEN_HELD, TAKEN_END };

/* Reads one line into the batch, or into f->held when its id is under way. */
static enum taken line_take(struct feed *f, struct batch *b)
{
	char why[256];
	const char *csv_why;
	bool have;
	if (!f->holding) {
		int err = ord_csv_next(f->csv, &f->record, &have, &csv_why);
		if (err == ORD_ERR_IO || (err == ORD_OK && !have)) {
			f->err = err;
			f->read_errno = errno;
			return TAKEN_END;
		}
		f->summary->lines++;
		if (err == ORD_OK)
			err = ord_lines_read(&f->lines, &f->record, &f->held, why, sizeof why);
		else
			snprintf(why, sizeof why, "%s", csv_why);
		if (err != ORD_OK) {
			invalid_add(f, b, why);
			return TAKEN;
		}
	}
	f->holding = ord_table_find(&f->ids, id_hash(&f->held.id), f->held.id.bytes, id_equal) != NULL;
	if (f->holding)
		return TAKEN_HELD;
	command_add(f, b, &f->held);
	return TAKEN;
}

/* Reads and submits as long as there is a free slot and nothing is held. */
static void feed_pump(struct feed *f)
{
	while (!f->ended && f->under_way < f->batches_max) {
		struct batch *b = batch_at(f, f->under_way);
		enum taken taken = TAKEN;
		b->rows_count = 0;
		b->commands_count = 0;
		b->done = false;
		while (taken == TAKEN && b->rows_count < f->options->batch_lines)
			taken = line_take(f, b);
		f->ended = taken == TAKEN_END;
		if (b->rows_count > 0)
			batch_submit(f);
		if (taken == TAKEN_HELD && f->under_way > 0)
			return;
	}
}

/* --- Beginning and end ------------------------------------------------------------------------------------------------ */

static int heading_read(struct feed *f, char *why, size_t why_size)
{
	const char *csv_why;
	bool have;
	int err = ord_csv_next(f->csv, &f->record, &have, &csv_why);
	if (err == ORD_ERR_FORMAT)
		snprintf(why, why_size, "line %" PRIu64 ": %s", f->record.line, csv_why);
	if (err == ORD_ERR_IO)
		snprintf(why, why_size, "%s", strerror(errno));
	if (err != ORD_OK)
		return err;
	if (!have)
		f->record.fields_count = 0;
	return ord_lines_init(&f->lines, f->options->kind, &f->record, why, why_size);
}

static int feed_allocate(struct feed *f)
{
	struct stat st;
	bool file = fstat(fileno(f->options->in), &st) == 0 && S_ISREG(st.st_mode);
	size_t lines = f->options->batch_lines;
	/* Reading from a pipe may block for long; nothing is under way then, so no answer comes too late to be seen in time. */
	f->batches_max = file ? f->options->batches : 1;
	for (size_t i = 0; i < f->batches_max; i++) {
		f->batches[i].feed = f;
		f->batches[i].rows = calloc(lines, sizeof *f->batches[i].rows);
		if (f->batches[i].rows == NULL)
			return ORD_ERR_NOMEM;
	}
	f->commands = calloc(lines, sizeof *f->commands);
	f->texts = malloc(lines * TEXT_BYTES_MAX);
	if (f->commands == NULL || f->texts == NULL)
		return ORD_ERR_NOMEM;
	return ord_table_open(&f->ids);
}

static void feed_free(struct feed *f)
{
	for (size_t i = 0; i < f->batches_max; i++)
		free(f->batches[i].rows);
	free(f->commands);
	free(f->texts);
	ord_table_close(&f->ids);
	ord_csv_close(f->csv);
	free(f);
}

/* Runs the loop until everything is answered. */
static int feed_loop(struct feed *f, const struct ordain_options *cluster, char *why, size_t why_size)
{
	if (uv_loop_init(&f->loop) != 0) {
		snprintf(why, why_size, "no event loop can be made; are too many files open?");
		return ORD_ERR_IO;
	}
	int err = ordain_open(&f->loop, cluster, &f->client);
	if (err == 0) {
		feed_pump(f);
		uv_run(&f->loop, UV_RUN_DEFAULT);
		ORD_ASSERT(f->ended);
		ORD_ASSERT(f->under_way == 0);
		progress_show(f, true);
		ordain_close(f->client, NULL, NULL);
		uv_run(&f->loop, UV_RUN_DEFAULT);
	} else {
		ord_target_explain(cluster->addresses, err, why, why_size);
	}
	ORD_ASSERT(uv_loop_close(&f->loop) == 0);
	if (err != 0)
		return ORD_ERR_INVALID;
	if (f->err != ORD_OK)
		snprintf(why, why_size, "reading stopped after line %" PRIu64 ": %s", f->record.line,
			 strerror(f->read_errno));
	return f->err;
}

int ord_feed_run(const struct ord_feed_options *options, const struct ordain_options *cluster,
		 struct ord_feed_summary *ret, char *why, size_t why_size)
{
	struct feed *f = calloc(1, sizeof *f);
	ORD_ASSERT(options->batch_lines >= 1 && options->batch_lines <= ORD_FEED_BATCH_MAX);
	ORD_ASSERT(options->batches >= 1 && options->batches <= ORD_FEED_BATCHES_MAX);
	memset(ret, 0, sizeof *ret);
	snprintf(why, why_size, "out of memory");
	if (f == NULL)
		return ORD_ERR_NOMEM;
	f->options = options;
	f->summary = ret;
	int err = feed_allocate(f);
	if (err == ORD_OK)
		err = ord_csv_open(options->in, &f->csv);
	if (err == ORD_OK)
		err = heading_read(f, why, why_size);
	if (err == ORD_OK && options->results != NULL)
		fputs("request_id,status,reason,replayed,field\n", options->results);
	if (err == ORD_OK)
		err = feed_loop(f, cluster, why, why_size);
	feed_free(f);
	if (err == ORD_OK && options->results != NULL && (fflush(options->results) != 0 || ferror(options->results))) {
		snprintf(why, why_size,
			 "--results: %s; the file is not complete, run again: requests that are done are replayed",
			 strerror(errno));
		err = ORD_ERR_IO;
	}
	return err;
}
