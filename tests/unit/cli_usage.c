/* SPDX-License-Identifier: Apache-2.0 - what a process used, by the kernel: here this very process, which knows what it did. */
#include "cli/usage.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"

#define BYTES 1000000

/* A connection with itself: ends[0] writes to ends[1]. */
static void connection_make(int ends[2])
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t at_len = sizeof at;
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
	cr_assert_eq(listen(listener, 1), 0);
	cr_assert_eq(getsockname(listener, (struct sockaddr *)&at, &at_len), 0);
	ends[0] = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(connect(ends[0], (struct sockaddr *)&at, sizeof at), 0);
	ends[1] = accept(listener, NULL, NULL);
	cr_assert_geq(ends[1], 0);
	close(listener);
}

static void carry(int ends[2], size_t bytes)
{
	static char buffer[4096];
	while (bytes > 0) {
		size_t part = bytes < sizeof buffer ? bytes : sizeof buffer;
		cr_assert_eq(write(ends[0], buffer, part), (ssize_t)part);
		for (size_t got = 0; got < part;) {
			ssize_t len = read(ends[1], buffer, part - got);
			cr_assert_gt(len, 0);
			got += (size_t)len;
		}
		bytes -= part;
	}
}

static void mark(struct ord_usage_mark *m)
{
	struct ord_sockets all;
	cr_assert_eq(ord_sockets_list(&all), ORD_OK);
	ord_usage_mark(m, getpid(), false, &all);
	ord_sockets_close(&all);
}

Test(cli_usage, network_is_what_connections_carried)
{
	struct ord_usage_mark begin, end;
	int early[2], late[2];
	connection_make(early);
	carry(early, 12345);
	mark(&begin);
	carry(early, BYTES);
	connection_make(late);
	carry(late, 777);
	mark(&end);
	struct ord_usage u = ord_usage_between(&begin, &end);
	cr_assert_eq(u.sent_bytes, BYTES + 777);
	cr_assert_eq(u.received_bytes, BYTES + 777);
	ord_usage_mark_close(&begin);
	ord_usage_mark_close(&end);
}

Test(cli_usage, processor_memory_and_disk)
{
	struct ord_usage_mark begin, end;
	char path[] = "/var/tmp/ordain-usage-XXXXXX";
	int fd = mkstemp(path);
	cr_assert_geq(fd, 0);
	mark(&begin);
	char *memory = malloc(BYTES * 32);
	memset(memory, 1, BYTES * 32);
	cr_assert_eq(write(fd, memory, BYTES), BYTES);
	cr_assert_eq(fdatasync(fd), 0);
	for (clock_t until = clock() + CLOCKS_PER_SEC / 5; clock() < until;)
		;
	mark(&end);
	free(memory);
	struct ord_usage u = ord_usage_between(&begin, &end);
	cr_assert_geq(u.cpu_us, 180000);
	cr_assert_leq(u.cpu_us, 5000000);
	cr_assert_geq(u.resident_bytes, begin.usage.resident_bytes + (uint64_t)BYTES * 30);
	cr_assert_geq(u.peak_bytes, u.resident_bytes);
	if (u.written_bytes != ORD_USAGE_UNKNOWN && u.written_bytes > 0) /* a tmpfs writes to no disk */
		cr_assert_geq(u.written_bytes, BYTES);
	ord_usage_mark_close(&begin);
	ord_usage_mark_close(&end);
	close(fd);
	unlink(path);
}

Test(cli_usage, nothing_is_known_of_others)
{
	struct ord_usage_mark none, self;
	ord_usage_mark(&none, 0, false, NULL);
	mark(&self);
	struct ord_usage u = ord_usage_between(&none, &none);
	cr_assert_eq(u.cpu_us, ORD_USAGE_UNKNOWN);
	cr_assert_eq(u.sent_bytes, ORD_USAGE_UNKNOWN);
	u = ord_usage_between(&none, &self);
	cr_assert_eq(u.resident_bytes, ORD_USAGE_UNKNOWN);
	/* Its connections are not known. */
	struct ord_usage_mark alone;
	ord_usage_mark(&alone, getpid(), false, NULL);
	u = ord_usage_between(&alone, &self);
	cr_assert_eq(u.received_bytes, ORD_USAGE_UNKNOWN);
	cr_assert_neq(u.cpu_us, ORD_USAGE_UNKNOWN);
	ord_usage_mark_close(&self);
}

Test(cli_usage, a_device_is_known_or_not)
{
	char name[ORD_USAGE_DEVICE_SIZE] = "x";
	cr_assert_eq(ord_usage_device("/proc/self", name), ORD_USAGE_UNKNOWN);
	cr_assert_str_eq(name, "");
	cr_assert_eq(ord_usage_device("/there/is/no/such/path", name), ORD_USAGE_UNKNOWN);
}

Test(cli_usage, a_network_of_its_own_has_counters_of_its_own)
{
	struct ord_usage_mark begin, end;
	ord_usage_mark(&begin, getpid(), true, NULL);
	ord_usage_mark(&end, getpid(), true, NULL);
	struct ord_usage u = ord_usage_between(&begin, &end);
	cr_assert_neq(begin.usage.sent_bytes, ORD_USAGE_UNKNOWN);
	cr_assert_neq(u.sent_bytes, ORD_USAGE_UNKNOWN);
	cr_assert_neq(u.received_bytes, ORD_USAGE_UNKNOWN);
}
