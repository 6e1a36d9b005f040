/* SPDX-License-Identifier: Apache-2.0 - the simulated disk: what is on the platter when, what a loss of power may leave, which damage it does. */
#include "tests/sim/disk.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/world.h"
#include "tests/support/sim_stub.h"

#define LOSSES 400
#define NAMES_SIZE 64

static struct sim_disk *disk;

/* An empty disk in a world of that seed; the one before is closed. */
static void begin(uint64_t seed)
{
	sim_disk_close(disk);
	sim_stub_begin(seed);
	disk = sim_disk_open();
}

static void make(void)
{
	disk = NULL;
	begin(1);
}

static void clean(void)
{
	sim_disk_close(disk);
}

TestSuite(sim_disk, .init = make, .fini = clean, .timeout = 60);

/* --- Shorthands. --- */

static int open_file(const char *path)
{
	int fd = sim_fs_open(disk, AT_FDCWD, path, O_RDWR | O_CREAT);
	cr_assert_geq(fd, SIM_FD_FIRST);
	return fd;
}

static int open_dir(const char *path)
{
	int fd = sim_fs_open(disk, AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
	cr_assert_geq(fd, SIM_FD_FIRST);
	return fd;
}

static void dir_sync(const char *path)
{
	int fd = open_dir(path);
	cr_assert_eq(sim_fs_sync(disk, fd), 0);
	cr_assert_eq(sim_fs_close(disk, fd), 0);
}

/* len bytes of that letter. */
static void fill(int fd, char letter, size_t len, int64_t offset)
{
	char bytes[16384];
	cr_assert_leq(len, sizeof bytes);
	memset(bytes, letter, len);
	cr_assert_eq(sim_fs_pwrite(disk, fd, bytes, len, offset), (int64_t)len);
}

static void sync_file(int fd)
{
	cr_assert_eq(sim_fs_sync(disk, fd), 0);
}

static int64_t len_of(const char *path)
{
	bool is_dir;
	int64_t len;
	return sim_fs_stat(disk, AT_FDCWD, path, &is_dir, &len) == 0 ? len : -1;
}

/* The letter at offset of a file; -1 at its end, -2 when it is not there. */
static int letter_at(const char *path, int64_t offset)
{
	char c;
	int fd = sim_fs_open(disk, AT_FDCWD, path, O_RDONLY);
	if (fd < 0)
		return -2;
	int64_t count = sim_fs_pread(disk, fd, &c, 1, offset);
	cr_assert_eq(sim_fs_close(disk, fd), 0);
	return count == 1 ? c : -1;
}

/* A durable file of that letter. */
static void durable(const char *path, char letter, size_t len)
{
	int fd = open_file(path);
	fill(fd, letter, len, 0);
	sync_file(fd);
	cr_assert_eq(sim_fs_close(disk, fd), 0);
	dir_sync("/");
}

static void die(void *arg)
{
	(void)arg;
	sim_stub_process()->state = SIM_DYING;
}

static void revive(void)
{
	sim_disk_release(disk);
	sim_stub_process()->state = SIM_UP;
	sim_stub_process()->die_at_io = 0;
}

static void lose_power_and_die(void *arg)
{
	die(NULL);
	sim_disk_power_loss(arg);
}

/* --- Files and names. --- */

Test(sim_disk, what_was_written_is_read)
{
	char text[16] = "";
	int fd = open_file("/a");
	cr_assert_eq(sim_fs_write(disk, fd, "hello ", 6), 6);
	cr_assert_eq(sim_fs_write(disk, fd, "world", 5), 5);
	cr_assert_eq(sim_fs_pread(disk, fd, text, 15, 0), 11);
	cr_assert_str_eq(text, "hello world");
	cr_assert_eq(sim_fs_read(disk, fd, text, 15), 0, "the position is the end");
	cr_assert_eq(sim_fs_pwrite(disk, fd, "!", 1, 1000), 1);
	cr_assert_eq(len_of("/a"), 1001);
	cr_assert_eq(letter_at("/a", 500), 0, "between stand zeros");
	cr_assert_eq(sim_fs_truncate(disk, fd, 5), 0);
	cr_assert_eq(sim_fs_truncate(disk, fd, 8), 0);
	memset(text, 'x', sizeof text);
	cr_assert_eq(sim_fs_pread(disk, fd, text, 15, 0), 8);
	cr_assert_arr_eq(text, "hello\0\0\0x", 9);
	cr_assert_eq(sim_disk_bytes(disk), 8);
}

Test(sim_disk, names)
{
	cr_assert_eq(sim_fs_mkdir(disk, AT_FDCWD, "/data"), 0);
	cr_assert_eq(sim_fs_mkdir(disk, AT_FDCWD, "/data"), -EEXIST);
	int dir = open_dir("/data");
	cr_assert_eq(sim_fs_mkdir(disk, dir, "wal"), 0);
	cr_assert_eq(sim_fs_open(disk, dir, "lock", O_RDWR), -ENOENT);
	int fd = sim_fs_open(disk, dir, "lock", O_RDWR | O_CREAT);
	cr_assert_geq(fd, SIM_FD_FIRST);
	cr_assert_eq(sim_fs_open(disk, dir, "lock", O_RDWR | O_CREAT | O_EXCL), -EEXIST);
	cr_assert_eq(sim_fs_open(disk, dir, "lock", O_RDONLY | O_DIRECTORY), -ENOTDIR);
	cr_assert_eq(sim_fs_open(disk, dir, "wal", O_RDWR), -EISDIR);
	cr_assert_eq(sim_fs_access(disk, AT_FDCWD, "data/wal/../lock"), 0);
	cr_assert_eq(sim_fs_access(disk, AT_FDCWD, "data/lock/x"), -ENOTDIR);
	cr_assert_eq(sim_fs_access(disk, AT_FDCWD, "nothing/x"), -ENOENT);
	int parent = sim_fs_open(disk, dir, "..", O_RDONLY | O_DIRECTORY);
	cr_assert_eq(sim_fs_access(disk, parent, "data"), 0);
	cr_assert_eq(sim_fs_rename(disk, dir, "lock", parent, "lock"), 0);
	cr_assert_eq(sim_fs_access(disk, dir, "lock"), -ENOENT);
	cr_assert_eq(sim_fs_access(disk, AT_FDCWD, "/lock"), 0);
	cr_assert_eq(sim_fs_unlink(disk, parent, "lock"), 0);
	cr_assert_eq(sim_fs_unlink(disk, parent, "lock"), -ENOENT);
	cr_assert_eq(sim_fs_unlink(disk, parent, "data"), -EISDIR);
	cr_assert_eq(sim_fs_pwrite(disk, fd, "x", 1, 0), 1, "it lives on while it is open");
	cr_assert_eq(sim_disk_bytes(disk), 1);
	cr_assert_eq(sim_fs_close(disk, fd), 0);
	cr_assert_eq(sim_fs_close(disk, fd), -EBADF);
	cr_assert_eq(sim_disk_bytes(disk), 0);
}

static void append_name(void *arg, const char *name)
{
	char *names = arg;
	size_t len = strlen(names);
	snprintf(names + len, NAMES_SIZE - len, "%s ", name);
}

Test(sim_disk, lists_by_name)
{
	char names[NAMES_SIZE] = "";
	const char *made[] = {"c", "a", "d", "b"};
	for (size_t i = 0; i < 4; i++)
		sim_fs_close(disk, open_file(made[i]));
	cr_assert_eq(sim_fs_list(disk, AT_FDCWD, "/", append_name, names), 0);
	cr_assert_str_eq(names, ". .. a b c d ");
}

Test(sim_disk, a_lock_ends_with_its_descriptor)
{
	int first = open_file("/lock");
	int second = open_file("/lock");
	cr_assert_eq(sim_fs_lock(disk, first), 0);
	cr_assert_eq(sim_fs_lock(disk, second), -EWOULDBLOCK);
	cr_assert_eq(sim_fs_close(disk, first), 0);
	cr_assert_eq(sim_fs_lock(disk, second), 0);
	sim_disk_release(disk);
	cr_assert_eq(sim_fs_lock(disk, second), -EBADF);
	cr_assert_eq(sim_fs_lock(disk, open_file("/lock")), 0);
}

/* --- Loss of power. --- */

Test(sim_disk, what_was_synced_outlives_a_loss_of_power)
{
	for (uint64_t seed = 0; seed < LOSSES; seed++) {
		begin(seed);
		durable("/a", 'a', 3000);
		sim_disk_power_loss(disk);
		cr_assert_eq(len_of("/a"), 3000);
		for (int64_t at = 0; at < 3000; at += 300)
			cr_assert_eq(letter_at("/a", at), 'a');
	}
}

Test(sim_disk, a_sync_of_the_file_does_not_sync_its_name)
{
	unsigned gone = 0;
	for (uint64_t seed = 0; seed < LOSSES; seed++) {
		begin(seed);
		int fd = open_file("/a");
		fill(fd, 'a', 100, 0);
		sync_file(fd);
		sim_disk_power_loss(disk);
		gone += letter_at("/a", 99) == -2;
		cr_assert(letter_at("/a", 99) == 'a' || letter_at("/a", 99) == -2);
	}
	cr_assert(gone > LOSSES / 4 && gone < LOSSES * 3 / 4, "%u", gone);
}

/* Overwrites sectors of a durable file; which of them a loss of power leaves, as a text of 'a' and 'b'. */
static void tear(uint64_t seed, char ret_sectors[9])
{
	begin(seed);
	durable("/a", 'a', 8 * SIM_SECTOR);
	fill(open_file("/a"), 'b', 8 * SIM_SECTOR, 0);
	sim_disk_power_loss(disk);
	for (unsigned i = 0; i < 8; i++) {
		ret_sectors[i] = (char)letter_at("/a", i * SIM_SECTOR);
		cr_assert_eq(letter_at("/a", (i + 1) * SIM_SECTOR - 1), ret_sectors[i], "sectors are atomic");
		cr_assert(ret_sectors[i] == 'a' || ret_sectors[i] == 'b');
	}
	ret_sectors[8] = '\0';
	cr_assert_eq(len_of("/a"), 8 * SIM_SECTOR);
}

Test(sim_disk, dirty_sectors_survive_in_every_way)
{
	unsigned none = 0;
	unsigned all = 0;
	unsigned prefix = 0;
	unsigned subset = 0;
	for (uint64_t seed = 0; seed < LOSSES; seed++) {
		char sectors[9];
		tear(seed, sectors);
		bool torn = strchr(sectors, 'a') != NULL && strchr(sectors, 'b') != NULL;
		none += strchr(sectors, 'b') == NULL;
		all += strchr(sectors, 'a') == NULL;
		prefix += torn && strstr(sectors, "ab") == NULL;
		subset += torn && strstr(sectors, "ab") != NULL;
		cr_assert_eq(sim_stub_covered(SIM_COVER_POWER_LOSS_TORN), torn);
	}
	cr_assert(none > 20 && all > 20 && prefix > 20 && subset > 20, "%u %u %u %u", none, all, prefix, subset);
}

Test(sim_disk, lengths_and_bytes_survive_apart)
{
	bool seen[2][2] = {{false}};
	for (uint64_t seed = 0; seed < LOSSES; seed++) {
		begin(seed);
		durable("/a", 'a', SIM_SECTOR);
		fill(open_file("/a"), 'b', SIM_SECTOR, SIM_SECTOR);
		sim_disk_power_loss(disk);
		bool longer = len_of("/a") == 2 * SIM_SECTOR;
		cr_assert(longer || len_of("/a") == SIM_SECTOR);
		cr_assert_eq(sim_stub_covered(SIM_COVER_POWER_LOSS_LENGTH), !longer);
		cr_assert_eq(letter_at("/a", 0), 'a');
		/* What went beyond the end is nowhere, also when the file gets longer again. */
		cr_assert_eq(sim_fs_truncate(disk, open_file("/a"), 2 * SIM_SECTOR), 0);
		int letter = letter_at("/a", SIM_SECTOR);
		cr_assert(letter == 0 || (longer && letter == 'b'));
		seen[longer][letter == 'b'] = true;
	}
	cr_assert(seen[0][0] && seen[1][0] && seen[1][1]);
}

Test(sim_disk, what_was_cut_off_reads_as_zeros)
{
	bool seen[2] = {false};
	bool seen_in_sector[2] = {false};
	for (uint64_t seed = 0; seed < LOSSES; seed++) {
		begin(seed);
		durable("/a", 'a', 4 * SIM_SECTOR);
		int fd = open_file("/a");
		cr_assert_eq(sim_fs_truncate(disk, fd, 100), 0);
		cr_assert_eq(sim_fs_truncate(disk, fd, 4 * SIM_SECTOR), 0);
		bool synced = seed % 2 == 0;
		if (synced)
			sync_file(fd);
		sim_disk_power_loss(disk);
		cr_assert_eq(len_of("/a"), 4 * SIM_SECTOR);
		cr_assert_eq(letter_at("/a", 99), 'a');
		int letter = letter_at("/a", 2 * SIM_SECTOR);
		cr_assert(letter == 0 || (letter == 'a' && !synced));
		seen[letter == 'a'] = seen[letter == 'a'] || !synced;
		/* The sector in which it was cut was written anew, and it may be there without the new length. */
		if (letter == 'a')
			seen_in_sector[letter_at("/a", 101) == 'a'] = true;
	}
	cr_assert(seen[0] && seen[1]);
	cr_assert(seen_in_sector[0] && seen_in_sector[1]);
}

/* --- Failing syncs and kills. --- */

/* A sync of what was written to it fails. */
static void sync_in_vain(int fd)
{
	sim_disk_habits(disk)->sync_fail_once_in = 1;
	cr_assert_eq(sim_fs_sync(disk, fd), -EIO);
	sim_disk_habits(disk)->sync_fail_once_in = 0;
}

Test(sim_disk, a_failed_sync_leaves_clean_sectors_that_may_not_be_there)
{
	unsigned seen[2] = {0};
	for (uint64_t seed = 0; seed < LOSSES; seed++) {
		begin(seed);
		durable("/a", 'a', 2 * SIM_SECTOR);
		int fd = open_file("/a");
		fill(fd, 'b', 2 * SIM_SECTOR, 0);
		sync_in_vain(fd);
		cr_assert_eq(sim_stub_covered(SIM_COVER_SYNC_FAILED), 1);
		cr_assert_str_eq(sim_stub_words(), "node 1: disk: cannot sync a");
		cr_assert_eq(letter_at("/a", 0), 'b', "the cache shows what was written");
		fill(fd, 'c', 10, SIM_SECTOR);
		sync_file(fd);
		sim_disk_power_loss(disk);
		seen[letter_at("/a", 0) == 'b']++; /* the next sync did not write it */
		cr_assert_eq(letter_at("/a", SIM_SECTOR), 'c', "what was written again is there");
		cr_assert_eq(letter_at("/a", SIM_SECTOR + 10), 'b', "and its whole sector");
	}
	cr_assert_gt(seen[0], 0);
	cr_assert_gt(seen[1], 0);
}

Test(sim_disk, a_failed_sync_may_leave_a_longer_file_without_its_bytes)
{
	unsigned seen[2] = {0};
	for (uint64_t seed = 0; seed < LOSSES; seed++) {
		begin(seed);
		int fd = open_file("/a");
		dir_sync("/");
		fill(fd, 'a', 100, 0);
		sync_in_vain(fd);
		sync_file(fd);
		sim_disk_power_loss(disk);
		cr_assert_eq(len_of("/a"), 100);
		seen[letter_at("/a", 0) == 'a']++;
	}
	cr_assert_gt(seen[0], 0);
	cr_assert_gt(seen[1], 0);
}

static void write_more(void *arg)
{
	fill(*(int *)arg, 'c', SIM_SECTOR, SIM_SECTOR);
}

Test(sim_disk, what_is_written_during_a_sync_is_left_for_the_next)
{
	for (unsigned round = 0; round < 2; round++) {
		bool lost = false;
		for (uint64_t seed = 0; seed < LOSSES && !lost; seed++) {
			begin(seed);
			durable("/a", 'a', 2 * SIM_SECTOR);
			int fd = open_file("/a");
			fill(fd, 'b', SIM_SECTOR, 0);
			sim_stub_in_sleep(write_more, &fd);
			sync_file(fd);
			if (round == 1)
				sync_file(fd);
			sim_disk_power_loss(disk);
			cr_assert_eq(letter_at("/a", 0), 'b');
			lost = letter_at("/a", SIM_SECTOR) == 'a';
		}
		cr_assert_eq(lost, round == 0);
	}
}

Test(sim_disk, a_program_killed_in_a_write_leaves_a_beginning)
{
	bool some = false;
	bool none = false;
	bool all = false;
	for (uint64_t seed = 0; seed < 100; seed++) {
		begin(seed);
		int fd = open_file("/a");
		sim_stub_in_sleep(die, NULL);
		fill(fd, 'a', 1000, 0);
		cr_assert_eq(sim_stub_covered(SIM_COVER_CRASH_IN_WRITE), 1);
		fill(fd, 'b', 1000, 0);
		revive();
		int64_t len = len_of("/a");
		for (int64_t at = 0; at < len; at += 50)
			cr_assert_eq(letter_at("/a", at), 'a');
		some = some || (len > 0 && len < 1000);
		none = none || len == 0;
		all = all || len == 1000;
	}
	cr_assert(some && none && all);
}

Test(sim_disk, the_dead_change_nothing)
{
	durable("/a", 'a', 100);
	int fd = open_file("/a");
	int dir = open_dir("/");
	sim_stub_process()->die_at_io = sim_stub_process()->ios_count + 1;
	fill(fd, 'b', 100, 0);
	cr_assert_eq(sim_stub_covered(SIM_COVER_CRASH_IN_WRITE), 1);
	cr_assert_eq(sim_fs_truncate(disk, fd, 0), 0);
	cr_assert_eq(sim_fs_unlink(disk, dir, "a"), 0);
	cr_assert_eq(sim_fs_rename(disk, dir, "a", dir, "b"), 0);
	cr_assert_eq(sim_fs_mkdir(disk, dir, "c"), 0);
	int made = sim_fs_open(disk, dir, "d", O_RDWR | O_CREAT);
	cr_assert_geq(made, SIM_FD_FIRST);
	fill(made, 'd', 1, 0);
	sync_file(made);
	cr_assert_eq(sim_fs_close(disk, made), 0);
	revive();
	char names[NAMES_SIZE] = "";
	cr_assert_eq(sim_fs_list(disk, AT_FDCWD, "/", append_name, names), 0);
	cr_assert_str_eq(names, ". .. a ");
	cr_assert_eq(letter_at("/a", 99), 'a');
}

Test(sim_disk, a_sync_that_did_not_end_has_done_nothing)
{
	unsigned old = 0;
	for (uint64_t seed = 0; seed < LOSSES; seed++) {
		begin(seed);
		durable("/a", 'a', SIM_SECTOR);
		int fd = open_file("/a");
		fill(fd, 'b', SIM_SECTOR, 0);
		sim_stub_in_sleep(die, NULL);
		sync_file(fd);
		cr_assert_eq(sim_stub_covered(SIM_COVER_CRASH_IN_SYNC), 1);
		revive();
		cr_assert_eq(letter_at("/a", 0), 'b');
		sim_disk_power_loss(disk);
		old += letter_at("/a", 0) == 'a';
	}
	cr_assert(old > LOSSES / 8 && old < LOSSES * 7 / 8, "%u", old);
}

Test(sim_disk, a_loss_of_power_during_a_call_has_decided)
{
	for (uint64_t seed = 0; seed < 100; seed++) {
		begin(seed);
		durable("/a", 'a', SIM_SECTOR);
		int fd = open_file("/a");
		sim_stub_in_sleep(lose_power_and_die, disk);
		fill(fd, 'b', SIM_SECTOR, 0);
		revive();
		cr_assert_eq(letter_at("/a", 0), 'a');
		fd = open_file("/a");
		fill(fd, 'b', SIM_SECTOR, 0);
		sim_stub_in_sleep(lose_power_and_die, disk);
		sync_file(fd);
		revive();
		int letter = letter_at("/a", 0);
		sim_disk_power_loss(disk);
		cr_assert_eq(letter_at("/a", 0), letter);
	}
}

/* --- Directories and power. --- */

static void write_beside(void)
{
	int fd = open_file("/a.new");
	fill(fd, 'b', 100, 0);
	sync_file(fd);
	cr_assert_eq(sim_fs_close(disk, fd), 0);
	cr_assert_eq(sim_fs_rename(disk, AT_FDCWD, "/a.new", AT_FDCWD, "/a"), 0);
}

Test(sim_disk, a_rename_is_atomic)
{
	bool old = false;
	bool new = false;
	bool beside = false;
	for (uint64_t seed = 0; seed < LOSSES; seed++) {
		begin(seed);
		durable("/a", 'a', 100);
		write_beside();
		cr_assert_eq(letter_at("/a", 0), 'b');
		sim_disk_power_loss(disk);
		int letter = letter_at("/a", 99);
		cr_assert(letter == 'a' || letter == 'b');
		cr_assert(letter == 'a' || letter_at("/a.new", 0) == -2, "one name, not two");
		old = old || letter == 'a';
		new = new || letter == 'b';
		beside = beside || (letter == 'a' && letter_at("/a.new", 0) == 'b');
		cr_assert_eq(sim_disk_bytes(disk), letter_at("/a.new", 0) == 'b' ? 200 : 100);
	}
	cr_assert(old && new &&beside);
}

Test(sim_disk, a_sync_of_the_directory_brings_its_names)
{
	for (uint64_t seed = 0; seed < 100; seed++) {
		begin(seed);
		durable("/a", 'a', 100);
		durable("/b", 'b', 100);
		write_beside();
		cr_assert_eq(sim_fs_unlink(disk, AT_FDCWD, "/b"), 0);
		dir_sync("/");
		sim_disk_power_loss(disk);
		cr_assert_eq(letter_at("/a", 99), 'b');
		cr_assert_eq(letter_at("/b", 99), -2);
		cr_assert_eq(letter_at("/a.new", 99), -2);
		cr_assert_eq(sim_stub_covered(SIM_COVER_POWER_LOSS_ENTRY), 0);
	}
}

Test(sim_disk, what_was_removed_may_be_there_again)
{
	bool back = false;
	bool gone = false;
	for (uint64_t seed = 0; seed < 100; seed++) {
		begin(seed);
		durable("/a", 'a', 100);
		cr_assert_eq(sim_fs_unlink(disk, AT_FDCWD, "/a"), 0);
		cr_assert_eq(sim_disk_bytes(disk), 0);
		sim_disk_power_loss(disk);
		back = back || letter_at("/a", 99) == 'a';
		gone = gone || letter_at("/a", 99) == -2;
		cr_assert_eq(sim_disk_bytes(disk), letter_at("/a", 99) == 'a' ? 100 : 0);
	}
	cr_assert(back && gone);
}

Test(sim_disk, a_lost_directory_takes_its_files_with_it)
{
	bool gone = false;
	for (uint64_t seed = 0; seed < 100; seed++) {
		begin(seed);
		cr_assert_eq(sim_fs_mkdir(disk, AT_FDCWD, "/data"), 0);
		int fd = open_file("/data/a");
		fill(fd, 'a', 100, 0);
		sync_file(fd);
		dir_sync("/data");
		sim_disk_power_loss(disk);
		bool lost = sim_fs_access(disk, AT_FDCWD, "/data") != 0;
		cr_assert_eq(letter_at("/data/a", 99), lost ? -2 : 'a');
		cr_assert_eq(sim_disk_bytes(disk), lost ? 0 : 100);
		gone = gone || lost;
	}
	cr_assert(gone);
}

/* --- Habits. --- */

Test(sim_disk, calls_take_their_time)
{
	*sim_disk_habits(disk) = (struct sim_disk_habits){.write_us_max = 1, .sync_us_min = 500, .sync_us_max = 500};
	int fd = open_file("/a");
	fill(fd, 'a', 1, 0);
	cr_assert_eq(sim_stub_slept_us(), 1);
	sync_file(fd);
	cr_assert_eq(sim_stub_slept_us(), 501);
}

Test(sim_disk, reads_and_writes_fail)
{
	char bytes[64];
	int fd = open_file("/a");
	fill(fd, 'a', 64, 0);
	sim_disk_habits(disk)->read_short_once_in = 1;
	int64_t count = sim_fs_pread(disk, fd, bytes, 64, 0);
	cr_assert(count >= 1 && count < 64);
	cr_assert_eq(sim_fs_pread(disk, fd, bytes, 1, 0), 1);
	sim_disk_habits(disk)->read_fail_once_in = 1;
	cr_assert_eq(sim_fs_pread(disk, fd, bytes, 64, 0), -EIO);
	sim_disk_habits(disk)->write_fail_once_in = 1;
	cr_assert_eq(sim_fs_pwrite(disk, fd, "b", 1, 0), -EIO);
	sim_disk_habits(disk)->read_fail_once_in = 0;
	cr_assert_eq(letter_at("/a", 0), 'a');
	cr_assert_eq(sim_stub_covered(SIM_COVER_READ_SHORT), 1);
	cr_assert_eq(sim_stub_covered(SIM_COVER_READ_FAILED), 1);
	cr_assert_eq(sim_stub_covered(SIM_COVER_WRITE_FAILED), 1);
}

Test(sim_disk, a_full_disk_takes_a_part)
{
	char bytes[100] = "";
	sim_disk_habits(disk)->bytes_max = 250;
	int a = open_file("/a");
	int b = open_file("/b");
	cr_assert_eq(sim_fs_pwrite(disk, a, bytes, 100, 0), 100);
	cr_assert_eq(sim_fs_pwrite(disk, b, bytes, 100, 0), 100);
	cr_assert_eq(sim_stub_covered(SIM_COVER_DISK_FULL), 0);
	cr_assert_eq(sim_fs_pwrite(disk, a, bytes, 100, 100), 50);
	cr_assert_eq(sim_fs_pwrite(disk, a, bytes, 100, 150), -ENOSPC);
	cr_assert_eq(sim_stub_covered(SIM_COVER_DISK_FULL), 2);
	cr_assert_eq(sim_fs_pwrite(disk, a, bytes, 100, 50), 100, "what is there may be overwritten");
	cr_assert_eq(sim_fs_truncate(disk, b, 101), -ENOSPC);
	cr_assert_eq(sim_fs_close(disk, b), 0);
	cr_assert_eq(sim_fs_unlink(disk, AT_FDCWD, "/b"), 0);
	cr_assert_eq(sim_fs_pwrite(disk, a, bytes, 100, 150), 100);
	cr_assert_eq(sim_disk_bytes(disk), 250);
}
