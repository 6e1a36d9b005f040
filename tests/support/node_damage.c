/* SPDX-License-Identifier: Apache-2.0 - damage to the pages of a state in LMDB.
 *
 * A page: u64 number, u16, u16 flags (1 branch, 2 leaf), u16 lower (its free room begins), u16 upper (ends), then u16 offsets of its nodes. A node: u16, u16 and u16 of a branch page: number of the child, lowest first; u16 length of the key,
 * key, value. Page 0 and 1 end with meta data: u32, u32, u64, u64, then 48 bytes each on the free pages and on the table of tables, the last 8 of which are the root's number, u64 last page, u64 transaction.
 */
#include "tests/support/node_damage.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"

#define PAGE 4096u
#define HEADER 16u
#define FLAGS_AT 10u
#define LOWER_AT 12u
#define ROOT_AT (HEADER + 24 + 48 + 40)
#define TRANSACTION_AT (HEADER + 24 + 2 * 48 + 8)
#define BRANCH 1u
#define NODE 8u
#define TABLE_ROOT_AT 40u

static const char *const names[DAMAGE_KINDS] = {"value",   "header",	"pointer", "far child", "child",
						"sibling", "separator", "number",  "shrunk",	"empty"};

const char *node_damage_name(enum node_damage kind)
{
	return names[kind];
}

static uint64_t number_at(const uint8_t *at, unsigned bytes)
{
	uint64_t n = 0;
	memcpy(&n, at, bytes);
	return n;
}

void node_damage_read(const char *path, uint64_t number, uint8_t *ret_page)
{
	int fd = open(path, O_RDONLY);
	cr_assert_geq(fd, 0, "%s", path);
	cr_assert_eq(pread(fd, ret_page, PAGE, (off_t)(number * PAGE)), (ssize_t)PAGE);
	close(fd);
}

static void write_at(const char *path, uint64_t offset, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY);
	cr_assert_geq(fd, 0, "%s", path);
	cr_assert_eq(pwrite(fd, bytes, len, (off_t)offset), (ssize_t)len);
	close(fd);
}

void node_damage_flip(const char *path, uint64_t offset, unsigned bit)
{
	uint8_t page[PAGE];
	node_damage_read(path, offset / PAGE, page);
	page[offset % PAGE] ^= (uint8_t)(1u << bit);
	write_at(path, offset, &page[offset % PAGE], 1);
}

void node_damage_write(const char *path, uint64_t number, const uint8_t *page)
{
	write_at(path, number * PAGE, page, PAGE);
}

static unsigned nodes_count(const uint8_t *page)
{
	return (unsigned)(number_at(page + LOWER_AT, 2) - HEADER) / 2;
}

static unsigned node_at(const uint8_t *page, unsigned place)
{
	return (unsigned)number_at(page + HEADER + 2 * place, 2);
}

static bool is_branch(const uint8_t *page)
{
	return number_at(page + FLAGS_AT, 2) & BRANCH;
}

static uint64_t child_of(const uint8_t *page, unsigned place)
{
	return number_at(page + node_at(page, place), 6);
}

/* The root of a table, and its page. */
static uint64_t table_root(const char *path, unsigned table, uint8_t *ret_page)
{
	uint8_t other[PAGE];
	char name[8];
	int len = snprintf(name, sizeof name, "%u", table);
	node_damage_read(path, 0, ret_page);
	node_damage_read(path, 1, other);
	if (number_at(other + TRANSACTION_AT, 8) > number_at(ret_page + TRANSACTION_AT, 8))
		memcpy(ret_page, other, PAGE);
	node_damage_read(path, number_at(ret_page + ROOT_AT, 8), ret_page);
	for (unsigned i = 0; i < nodes_count(ret_page); i++) {
		const uint8_t *node = ret_page + node_at(ret_page, i);
		if (number_at(node + 6, 2) != (uint64_t)len || memcmp(node + NODE, name, (size_t)len) != 0)
			continue;
		uint64_t root = number_at(node + NODE + len + TABLE_ROOT_AT, 8);
		node_damage_read(path, root, ret_page);
		return root;
	}
	cr_assert_fail("table %u is not there", table);
	return 0;
}

/* The branch page above the leaf in the middle of a table, and the leaf's place in it. */
static uint64_t middle_branch(const char *path, unsigned table, uint8_t *ret_page, unsigned *ret_place)
{
	uint8_t below[PAGE];
	uint64_t number = table_root(path, table, ret_page);
	cr_assert(is_branch(ret_page), "table %u has no branch page", table);
	for (;;) {
		*ret_place = nodes_count(ret_page) / 2;
		node_damage_read(path, child_of(ret_page, *ret_place), below);
		if (!is_branch(below))
			return number;
		number = child_of(ret_page, *ret_place);
		memcpy(ret_page, below, PAGE);
	}
}

uint64_t node_damage_leaf(const char *path, unsigned table)
{
	uint8_t page[PAGE];
	unsigned place;
	middle_branch(path, table, page, &place);
	return child_of(page, place);
}

uint64_t node_damage_branch(const char *path, unsigned table)
{
	uint8_t page[PAGE];
	unsigned place;
	return middle_branch(path, table, page, &place);
}

static void damage_leaf(const char *path, uint64_t number, enum node_damage kind)
{
	uint8_t page[PAGE];
	node_damage_read(path, number, page);
	unsigned node = node_at(page, 0);
	if (kind == DAMAGE_VALUE)
		page[node + NODE + number_at(page + node + 6, 2) + 4] ^= 1u;
	else if (kind == DAMAGE_HEADER)
		page[LOWER_AT + 1] ^= 4u;
	else if (kind == DAMAGE_POINTER)
		page[HEADER + 1] ^= 0x80u;
	else if (kind == DAMAGE_SHRUNK)
		page[LOWER_AT] = (uint8_t)(page[LOWER_AT] - 2);
	else if (kind == DAMAGE_NUMBER)
		page[0] ^= 4u;
	else
		page[LOWER_AT] = HEADER + 2, page[LOWER_AT + 1] = 0;
	node_damage_write(path, number, page);
}

void node_damage_do(const char *path, unsigned table, enum node_damage kind)
{
	uint8_t page[PAGE];
	unsigned place;
	uint64_t number = middle_branch(path, table, page, &place);
	uint8_t *child = page + node_at(page, place);
	if (kind == DAMAGE_FAR_CHILD)
		child[2] ^= 2u;
	else if (kind == DAMAGE_CHILD)
		child[0] ^= 2u;
	else if (kind == DAMAGE_SIBLING)
		memcpy(child, page + node_at(page, place - 1), 6);
	else if (kind == DAMAGE_SEPARATOR)
		child[NODE] ^= 1u;
	else
		damage_leaf(path, child_of(page, place), kind);
	node_damage_write(path, number, page);
}
