/* SPDX-License-Identifier: Apache-2.0 - the wall clock that the process of a node sees, where the node has a network namespace: the file DIR/node-N/clock, and the library that adds what it says. */
#include "cli/node_clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/clock_page.h"

static int64_t monotonic_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int fail_errno(const char *path, char *why, size_t why_size)
{
	snprintf(why, why_size, "%s: %s", path, strerror(errno));
	return ORD_ERR_IO;
}

/* Maps the file, with flags of open(); NULL with errno. */
static struct ord_clock_page *page_open(const char *path, int flags)
{
	struct stat st;
	int fd = open(path, flags | O_CLOEXEC, 0644);
	void *base = MAP_FAILED;
	if (fd < 0)
		return NULL;
	bool fits = fstat(fd, &st) == 0 && (st.st_size >= (off_t)ORD_CLOCK_PAGE_BYTES ||
					    ((flags & O_CREAT) != 0 && ftruncate(fd, ORD_CLOCK_PAGE_BYTES) == 0));
	if (fits)
		base = mmap(NULL, ORD_CLOCK_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	else
		errno = EINVAL;
	int saved = errno;
	close(fd);
	errno = saved;
	return base != MAP_FAILED ? base : NULL;
}

static void page_close(struct ord_clock_page *page)
{
	munmap(page, ORD_CLOCK_PAGE_BYTES);
}

/* The rule that does not count is written, then made to count. */
static void page_set(struct ord_clock_page *page, int64_t offset_us, int32_t drift_ppm)
{
	uint32_t next = atomic_load(&page->current) + 1;
	struct ord_clock_rule *r = &page->rules[next & 1];
	atomic_store(&r->offset_us, offset_us);
	atomic_store(&r->drift_ppm, drift_ppm);
	atomic_store(&r->since_us, monotonic_us());
	atomic_store(&page->current, next);
}

static const struct ord_clock_rule *rule_of(const struct ord_clock_page *page)
{
	return &page->rules[atomic_load(&page->current) & 1];
}

/* Beside this program, or where `make install` puts it. */
static bool library_find(char path[PATH_MAX])
{
	static const char *const places[] = {"", "../lib/ordain/"};
	char self[PATH_MAX] = "";
	ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash = len > 0 ? strrchr(self, '/') : NULL;
	if (slash == NULL)
		return false;
	slash[1] = '\0';
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		if (snprintf(path, PATH_MAX, "%s%s" ORD_CLOCK_PAGE_LIBRARY, self, places[i]) < PATH_MAX &&
		    access(path, R_OK) == 0)
			return true;
	}
	return false;
}

static const char *variable_or_none(const char *name)
{
	const char *value = getenv(name);
	return value != NULL ? value : "";
}

int ord_node_clock_prepare(const struct ord_layout *l, const struct ord_layout_node *node,
			   struct ord_node_clock_environment *ret, char *why, size_t why_size)
{
	char library[PATH_MAX], path[PATH_MAX];
	ret->variables[0] = NULL;
	if (!library_find(library))
		return ORD_OK;
	ord_layout_path(l, node, "clock", path);
	struct ord_clock_page *page = page_open(path, O_RDWR | O_CREAT);
	if (page == NULL)
		return fail_errno(path, why, why_size);
	if (atomic_load(&rule_of(page)->since_us) > monotonic_us())
		page_set(page, 0, 0);
	page_close(page);
	snprintf(ret->file, sizeof ret->file, ORD_CLOCK_PAGE_VARIABLE "=%s", path);
	snprintf(ret->preload, sizeof ret->preload, "LD_PRELOAD=%s %s", library, variable_or_none("LD_PRELOAD"));
	/* A sanitizer's library minds others before it; this one does nothing that it has to see. */
	snprintf(ret->sanitizer, sizeof ret->sanitizer, "ASAN_OPTIONS=verify_asan_link_order=0:%s",
		 variable_or_none("ASAN_OPTIONS"));
	ret->variables[0] = ret->file;
	ret->variables[1] = ret->preload;
	ret->variables[2] = ret->sanitizer;
	ret->variables[3] = NULL;
	return ORD_OK;
}

/* A line of /proc/PID/maps ends with the path of what is mapped. */
bool ord_node_clock_is_seen(const struct ord_layout *l, const struct ord_layout_node *node, pid_t pid)
{
	char path[PATH_MAX], maps[32], line[PATH_MAX + 128];
	bool seen = false;
	snprintf(maps, sizeof maps, "/proc/%d/maps", (int)pid);
	ord_layout_path(l, node, "clock", path);
	FILE *in = fopen(maps, "re");
	while (in != NULL && !seen && fgets(line, sizeof line, in) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		const char *at = strchr(line, '/');
		seen = at != NULL && strcmp(at, path) == 0;
	}
	if (in != NULL)
		fclose(in);
	return seen;
}

int ord_node_clock_set(const struct ord_layout *l, const struct ord_layout_node *node, int64_t offset_us,
		       int32_t drift_ppm, char *why, size_t why_size)
{
	char path[PATH_MAX];
	ord_layout_path(l, node, "clock", path);
	struct ord_clock_page *page = page_open(path, O_RDWR | O_CREAT);
	if (page == NULL)
		return fail_errno(path, why, why_size);
	page_set(page, offset_us, drift_ppm);
	page_close(page);
	return ORD_OK;
}

void ord_node_clock_remove(const struct ord_layout *l, const struct ord_layout_node *node)
{
	char path[PATH_MAX];
	ord_layout_path(l, node, "clock", path);
	unlink(path);
}

void ord_node_clock_get(const struct ord_layout *l, const struct ord_layout_node *node, int64_t *ret_offset_us,
			int32_t *ret_drift_ppm)
{
	char path[PATH_MAX];
	*ret_offset_us = 0;
	*ret_drift_ppm = 0;
	ord_layout_path(l, node, "clock", path);
	struct ord_clock_page *page = page_open(path, O_RDWR);
	if (page == NULL)
		return;
	*ret_offset_us = ord_clock_page_ahead_us(page, monotonic_us());
	*ret_drift_ppm = (int32_t)atomic_load(&rule_of(page)->drift_ppm);
	page_close(page);
}
