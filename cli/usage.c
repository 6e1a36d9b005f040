/* SPDX-License-Identifier: Apache-2.0 - what a process of this machine has used: processor, memory, disk, network. */
#include "cli/usage.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/err.h"

#define SECTOR_BYTES 512 /* of /proc/diskstats, whatever the device's own are */
#define LINE_BYTES 1024

static const struct ord_usage nothing = {ORD_USAGE_UNKNOWN, ORD_USAGE_UNKNOWN, ORD_USAGE_UNKNOWN,
					 ORD_USAGE_UNKNOWN, ORD_USAGE_UNKNOWN, ORD_USAGE_UNKNOWN};

static FILE *proc_open(pid_t pid, const char *name)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	return fopen(path, "re");
}

/* The number behind "key" at the beginning of a line, times unit. */
static uint64_t proc_value(pid_t pid, const char *name, const char *key, uint64_t unit)
{
	char line[LINE_BYTES];
	uint64_t value = ORD_USAGE_UNKNOWN, n;
	FILE *in = proc_open(pid, name);
	if (in == NULL)
		return value;
	while (fgets(line, sizeof line, in) != NULL) {
		if (strncmp(line, key, strlen(key)) == 0 && sscanf(line + strlen(key), " %" SCNu64, &n) == 1)
			value = n * unit;
	}
	fclose(in);
	return value;
}

/* proc_pid_stat(5): behind the command in parentheses, fields 14 and 15 are utime and stime in clock ticks. */
static uint64_t cpu_us(pid_t pid)
{
	char line[LINE_BYTES];
	uint64_t user, system;
	FILE *in = proc_open(pid, "stat");
	if (in == NULL)
		return ORD_USAGE_UNKNOWN;
	const char *at = fgets(line, sizeof line, in) != NULL ? strrchr(line, ')') : NULL;
	fclose(in);
	if (at == NULL ||
	    sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64, &user, &system) != 2)
		return ORD_USAGE_UNKNOWN;
	return (user + system) * 1000000 / (uint64_t)sysconf(_SC_CLK_TCK);
}

/* The interfaces of the process's network namespace but the one to itself: "name: received-bytes and 7 more, sent-bytes ...". */
static void network_read(pid_t pid, struct ord_usage *u)
{
	char line[LINE_BYTES], name[64];
	uint64_t received, sent;
	FILE *in = proc_open(pid, "net/dev");
	if (in == NULL)
		return;
	u->received_bytes = u->sent_bytes = 0;
	while (fgets(line, sizeof line, in) != NULL) {
		if (sscanf(line, " %63[^:]: %" SCNu64 " %*u %*u %*u %*u %*u %*u %*u %" SCNu64, name, &received,
			   &sent) != 3 ||
		    strcmp(name, "lo") == 0)
			continue;
		u->received_bytes += received;
		u->sent_bytes += sent;
	}
	fclose(in);
}

void ord_usage_mark(struct ord_usage_mark *m, pid_t pid, bool own_network, const struct ord_sockets *all)
{
	*m = (struct ord_usage_mark){.pid = pid, .usage = nothing};
	if (pid == 0)
		return;
	m->usage.cpu_us = cpu_us(pid);
	m->usage.resident_bytes = proc_value(pid, "status", "VmRSS:", 1024);
	m->usage.peak_bytes = proc_value(pid, "status", "VmHWM:", 1024);
	m->usage.written_bytes = proc_value(pid, "io", "write_bytes:", 1);
	if (own_network)
		network_read(pid, &m->usage);
	else
		m->has_sockets = all != NULL && ord_sockets_of(all, pid, &m->sockets) == ORD_OK;
}

void ord_usage_mark_close(struct ord_usage_mark *m)
{
	ord_sockets_close(&m->sockets);
	m->has_sockets = false;
}

static uint64_t since(uint64_t begin, uint64_t end)
{
	bool known = begin != ORD_USAGE_UNKNOWN && end != ORD_USAGE_UNKNOWN && end >= begin;
	return known ? end - begin : ORD_USAGE_UNKNOWN;
}

struct ord_usage ord_usage_between(const struct ord_usage_mark *begin, const struct ord_usage_mark *end)
{
	const struct ord_usage *a = &begin->usage, *b = &end->usage;
	if (begin->pid == 0 || begin->pid != end->pid)
		return nothing;
	struct ord_usage u = {.cpu_us = since(a->cpu_us, b->cpu_us),
			      .resident_bytes = b->resident_bytes,
			      .peak_bytes = b->peak_bytes,
			      .written_bytes = since(a->written_bytes, b->written_bytes),
			      .sent_bytes = since(a->sent_bytes, b->sent_bytes),
			      .received_bytes = since(a->received_bytes, b->received_bytes)};
	if (begin->has_sockets && end->has_sockets)
		ord_sockets_since(&begin->sockets, &end->sockets, &u.sent_bytes, &u.received_bytes);
	return u;
}

/* --- The device ------------------------------------------------------------------------------------------------------- */

uint64_t ord_usage_device(const char *path, char name[ORD_USAGE_DEVICE_SIZE])
{
	struct stat st;
	char line[LINE_BYTES];
	unsigned major_number, minor_number;
	uint64_t sectors, written = ORD_USAGE_UNKNOWN;
	name[0] = '\0';
	FILE *in = stat(path, &st) == 0 ? fopen("/proc/diskstats", "re") : NULL;
	if (in == NULL)
		return ORD_USAGE_UNKNOWN;
	while (written == ORD_USAGE_UNKNOWN && fgets(line, sizeof line, in) != NULL) {
		char found[ORD_USAGE_DEVICE_SIZE];
		if (sscanf(line, "%u %u %63s %*u %*u %*u %*u %*u %*u %" SCNu64, &major_number, &minor_number, found,
			   &sectors) != 4 ||
		    major_number != major(st.st_dev) || minor_number != minor(st.st_dev))
			continue;
		written = sectors * SECTOR_BYTES;
		memcpy(name, found, sizeof found);
	}
	fclose(in);
	return written;
}
