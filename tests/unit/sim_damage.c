/* SPDX-License-Identifier: Apache-2.0 - damage that the simulated disk does to what it had promised to keep: where, what, and the way back. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "tests/sim/disk.h"
#include "tests/sim/world.h"
#include "tests/support/sim_stub.h"

#define SECTORS 6
#define FILE_BYTES (SECTORS * SIM_SECTOR)
#define ROUNDS 300

typedef bool (*damage)(struct sim_disk *d, const char *prefix, char *text, size_t text_size);

static struct sim_disk *disk;
static char text[256];

/* A disk with a file of SECTORS sectors, a sync for each: all but the last may be damaged. */
static int begin(uint64_t seed)
{
	sim_disk_close(disk);
	sim_stub_begin(seed);
	disk = sim_disk_open();
	cr_assert_eq(sim_fs_mkdir(disk, AT_FDCWD, "/wal"), 0);
	int fd = sim_fs_open(disk, AT_FDCWD, "/wal/a", O_RDWR | O_CREAT);
	for (int i = 0; i < SECTORS; i++) {
		char bytes[SIM_SECTOR];
		memset(bytes, 'a' + i, sizeof bytes);
		cr_assert_eq(sim_fs_pwrite(disk, fd, bytes, sizeof bytes, (int64_t)i * SIM_SECTOR), SIM_SECTOR);
		cr_assert_eq(sim_fs_sync(disk, fd), 0);
	}
	return fd;
}

static void make(void)
{
	disk = NULL;
}

static void clean(void)
{
	sim_disk_close(disk);
}

TestSuite(sim_damage, .init = make, .fini = clean, .timeout = 60);

static void sync_all(int fd)
{
	cr_assert_eq(sim_fs_sync(disk, fd), 0);
	const char *names[] = {"/", "/wal"};
	for (size_t i = 0; i < 2; i++) {
		int dir = sim_fs_open(disk, AT_FDCWD, names[i], O_RDONLY | O_DIRECTORY);
		cr_assert_eq(sim_fs_sync(disk, dir), 0);
		cr_assert_eq(sim_fs_close(disk, dir), 0);
	}
}

/* What is read of the file. */
static const char *content(void)
{
	static char bytes[FILE_BYTES + 1];
	memset(bytes, 0, sizeof bytes);
	int fd = sim_fs_open(disk, AT_FDCWD, "/wal/a", O_RDONLY);
	cr_assert_geq(sim_fs_pread(disk, fd, bytes, FILE_BYTES, 0), 0);
	cr_assert_eq(sim_fs_close(disk, fd), 0);
	return bytes;
}

/* Bytes that are not as begin() wrote them; *ret_sector is the last such one's. */
static unsigned wrong_count(unsigned *ret_sector)
{
	const char *bytes = content();
	unsigned count = 0;
	for (unsigned i = 0; i < FILE_BYTES; i++) {
		if (bytes[i] == (char)('a' + i / SIM_SECTOR))
			continue;
		count++;
		*ret_sector = i / SIM_SECTOR;
	}
	return count;
}

Test(sim_damage, a_bit_is_flipped_and_mended)
{
	bool seen[SECTORS] = {false};
	for (uint64_t seed = 0; seed < ROUNDS; seed++) {
		unsigned sector;
		sync_all(begin(seed));
		cr_assert_not(sim_disk_is_damaged(disk, ""));
		cr_assert(sim_disk_flip_bit(disk, "/wal/", text, sizeof text));
		cr_assert(sim_disk_is_damaged(disk, ""));
		cr_assert_eq(wrong_count(&sector), 1);
		seen[sector] = true;
		sim_disk_power_loss(disk);
		cr_assert_eq(wrong_count(&sector), 1, "the platter is damaged too");
		sim_disk_mend(disk, "");
		cr_assert_not(sim_disk_is_damaged(disk, ""));
		cr_assert_eq(wrong_count(&sector), 0);
		sim_disk_power_loss(disk);
		cr_assert_eq(wrong_count(&sector), 0);
	}
	for (unsigned i = 0; i < SECTORS; i++)
		cr_assert_eq(seen[i], i + 1 < SECTORS, "sector %u: what the last sync brought is spared", i);
}

Test(sim_damage, nothing_to_damage)
{
	int fd = begin(1);
	cr_assert_not(sim_disk_flip_bit(disk, "/data/", text, sizeof text), "none is called so");
	cr_assert_eq(sim_fs_truncate(disk, fd, 0), 0);
	cr_assert_eq(sim_fs_truncate(disk, fd, FILE_BYTES), 0);
	cr_assert_eq(sim_fs_sync(disk, fd), 0);
	cr_assert_not(sim_disk_flip_bit(disk, "/wal/", text, sizeof text), "zeros");
	cr_assert_eq(sim_fs_pwrite(disk, fd, "x", 1, 0), 1);
	cr_assert_not(sim_disk_flip_bit(disk, "/wal/", text, sizeof text), "dirty");
	cr_assert_eq(sim_fs_sync(disk, fd), 0);
	cr_assert_not(sim_disk_flip_bit(disk, "/wal/", text, sizeof text), "the last sync");
	cr_assert_not(sim_disk_lose_write(disk, "/wal/", text, sizeof text));
	cr_assert_not(sim_disk_misdirect_write(disk, "/wal/", text, sizeof text));
	cr_assert_not(sim_disk_is_damaged(disk, ""));
}

Test(sim_damage, a_lost_write_shows_what_was_there_before)
{
	for (uint64_t seed = 0; seed < ROUNDS; seed++) {
		unsigned sector;
		int fd = begin(seed);
		char bytes[2 * SIM_SECTOR];
		memset(bytes, 'x', sizeof bytes);
		cr_assert_eq(sim_fs_pwrite(disk, fd, bytes, sizeof bytes, 0), sizeof bytes);
		cr_assert_eq(sim_fs_sync(disk, fd), 0);
		cr_assert_eq(sim_fs_pwrite(disk, fd, "f", 1, FILE_BYTES - 1), 1);
		cr_assert_eq(sim_fs_sync(disk, fd), 0);
		cr_assert(sim_disk_lose_write(disk, "/wal/", text, sizeof text));
		wrong_count(&sector);
		const char *damaged = content();
		bool older = strspn(damaged, "x") == SIM_SECTOR || damaged[0] == 'a';
		bool zeros = memchr(damaged, 0, FILE_BYTES) != NULL;
		cr_assert(older != zeros, "%s", text);
		sim_disk_mend(disk, "");
		cr_assert_eq(strspn(content(), "x"), 2 * SIM_SECTOR);
		cr_assert_eq(strlen(content()), FILE_BYTES);
	}
}

Test(sim_damage, a_misdirected_write_doubles_a_sector)
{
	for (uint64_t seed = 0; seed < ROUNDS; seed++) {
		unsigned sector = SECTORS;
		begin(seed);
		cr_assert(sim_disk_misdirect_write(disk, "/wal/", text, sizeof text));
		cr_assert_eq(wrong_count(&sector), SIM_SECTOR);
		cr_assert_lt(sector, SECTORS - 1);
		char letter = content()[sector * SIM_SECTOR];
		cr_assert(letter >= 'a' && letter < 'a' + SECTORS - 1);
		sim_disk_mend(disk, "");
		cr_assert_eq(wrong_count(&sector), 0);
	}
}

Test(sim_damage, all_kinds_at_once_are_mended)
{
	const damage kinds[] = {sim_disk_flip_bit, sim_disk_lose_write, sim_disk_misdirect_write};
	for (uint64_t seed = 0; seed < ROUNDS; seed++) {
		unsigned sector;
		unsigned done = 0;
		begin(seed);
		for (unsigned i = 0; i < 12; i++)
			done += kinds[(seed + i) % 3](disk, "/", text, sizeof text);
		cr_assert(done >= 4 && done < SECTORS, "%u: no sector twice", done);
		sim_disk_mend(disk, "");
		cr_assert_eq(wrong_count(&sector), 0);
	}
}

Test(sim_damage, what_was_written_again_stays)
{
	for (uint64_t seed = 0; seed < ROUNDS; seed++) {
		int fd = begin(seed);
		char bytes[FILE_BYTES];
		memset(bytes, 'n', sizeof bytes);
		sync_all(fd);
		cr_assert(sim_disk_lose_write(disk, "/wal/", text, sizeof text));
		cr_assert_eq(sim_fs_pwrite(disk, fd, bytes, sizeof bytes, 0), sizeof bytes);
		cr_assert(sim_disk_is_damaged(disk, ""), "on the platter");
		bool synced = seed % 3 == 0;
		if (synced) {
			cr_assert_eq(sim_fs_sync(disk, fd), 0);
			cr_assert_not(sim_disk_is_damaged(disk, ""));
		}
		if (seed % 3 == 1)
			sim_disk_power_loss(disk);
		sim_disk_mend(disk, "");
		for (unsigned losses = 0; losses < 2; losses++) {
			const char *found = content();
			bool may_be_old = losses == 0 ? seed % 3 == 1 : !synced;
			for (unsigned i = 0; i < FILE_BYTES; i++)
				cr_assert(found[i] == 'n' || (may_be_old && found[i] == (char)('a' + i / SIM_SECTOR)));
			sim_disk_power_loss(disk);
		}
	}
}

Test(sim_damage, a_shorter_file_is_not_mended_beyond_its_end)
{
	for (uint64_t seed = 0; seed < ROUNDS; seed++) {
		int fd = begin(seed);
		sync_all(fd);
		cr_assert(sim_disk_flip_bit(disk, "/wal/", text, sizeof text));
		cr_assert_eq(sim_fs_truncate(disk, fd, 0), 0);
		cr_assert_eq(sim_fs_sync(disk, fd), 0);
		cr_assert_not(sim_disk_is_damaged(disk, ""));
		cr_assert_eq(sim_fs_truncate(disk, fd, FILE_BYTES), 0);
		sim_disk_mend(disk, "");
		cr_assert_eq(content()[0], 0);
		cr_assert_eq(memcmp(content(), content() + 1, FILE_BYTES - 1), 0);
	}
}

Test(sim_damage, damage_ends_with_its_file)
{
	int fd = begin(1);
	sync_all(fd);
	cr_assert(sim_disk_flip_bit(disk, "/wal/", text, sizeof text));
	cr_assert_eq(sim_fs_unlink(disk, AT_FDCWD, "/wal/a"), 0);
	cr_assert_eq(sim_fs_close(disk, fd), 0);
	int dir = sim_fs_open(disk, AT_FDCWD, "/wal", O_RDONLY | O_DIRECTORY);
	cr_assert_eq(sim_fs_sync(disk, dir), 0);
	cr_assert_not(sim_disk_is_damaged(disk, ""));
	sim_disk_mend(disk, "");
}

Test(sim_damage, what_no_sync_promised_is_spared)
{
	for (uint64_t seed = 0; seed < ROUNDS; seed++) {
		int fd = begin(seed);
		sync_all(fd);
		/* Of these some are there after the loss, and the next sync says that they are. */
		for (int i = 0; i < 3; i++)
			cr_assert_eq(sim_fs_pwrite(disk, fd, "x", 1, i * (int64_t)SIM_SECTOR), 1);
		sim_disk_power_loss(disk);
		fd = sim_fs_open(disk, AT_FDCWD, "/wal/a", O_RDWR);
		cr_assert_eq(sim_fs_sync(disk, fd), 0);
		while (sim_disk_flip_bit(disk, "/wal/", text, sizeof text))
			;
		const char *found = content();
		for (int i = 0; i < 3; i++)
			if (found[(size_t)i * SIM_SECTOR] == 'x')
				cr_assert_eq(strspn(found + (size_t)i * SIM_SECTOR + 1, (char[]){(char)('a' + i), 0}),
					     SIM_SECTOR - 1);
	}
}

/* After a loss of power, a failed sync or an end that was cut off, the batch before the last may be the last. */
Test(sim_damage, what_may_be_the_end_of_a_log_is_spared)
{
	for (uint64_t seed = 0; seed < ROUNDS; seed++) {
		unsigned sector = 0;
		int fd = begin(seed);
		sync_all(fd);
		cr_assert_eq(sim_fs_pwrite(disk, fd, "x", 1, FILE_BYTES), 1);
		if (seed % 3 == 0)
			sim_disk_power_loss(disk);
		if (seed % 3 == 1) {
			sim_disk_habits(disk)->sync_fail_once_in = 1;
			cr_assert_eq(sim_fs_sync(disk, fd), -EIO);
			sim_disk_habits(disk)->sync_fail_once_in = 0;
		}
		fd = sim_fs_open(disk, AT_FDCWD, "/wal/a", O_RDWR);
		if (seed % 3 == 2)
			cr_assert_eq(sim_fs_truncate(disk, fd, FILE_BYTES), 0);
		cr_assert_eq(sim_fs_sync(disk, fd), 0);
		cr_assert(sim_disk_flip_bit(disk, "/wal/", text, sizeof text));
		cr_assert_eq(wrong_count(&sector), 1);
		cr_assert_lt(sector, SECTORS - 1);
	}
}
