/* SPDX-License-Identifier: Apache-2.0 - flags, directories and texts of the tools that read a node's files. */
#include "cli/offline.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/limits.h"

struct ord_flag ord_offline_data_flag(const char **data)
{
	return (struct ord_flag){.name = "data",
				 .value = "DIR",
				 .text = data,
				 .help = "data directory of a node, which may run",
				 .required = true};
}

struct ord_flag ord_offline_partition_flag(int64_t *partition)
{
	return (struct ord_flag){.name = "partition",
				 .value = "N",
				 .number = partition,
				 .min = 0,
				 .max = ORD_PARTITIONS_MAX - 1,
				 .help = "which partition"};
}

struct ord_flag ord_offline_json_flag(bool *json)
{
	return (struct ord_flag){.name = "json", .on = json, .help = "print JSON"};
}

static int number_compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

int ord_offline_partitions(const char *directory, uint32_t **ret, size_t *ret_count, char *why, size_t why_size)
{
	struct dirent **names = NULL;
	int count = scandir(directory, &names, NULL, alphasort);
	if (count < 0) {
		snprintf(why, why_size, "%s: %s", directory, strerror(errno));
		return ORD_ERR_IO;
	}
	uint32_t *numbers = calloc((size_t)count + 1, sizeof *numbers);
	size_t used = 0;
	for (int i = 0; i < count; i++) {
		int64_t number;
		if (numbers != NULL && ord_args_number(names[i]->d_name, 0, ORD_PARTITIONS_MAX - 1, &number) == ORD_OK)
			numbers[used++] = (uint32_t)number;
		free(names[i]);
	}
	free(names);
	if (numbers == NULL) {
		snprintf(why, why_size, "%s", ord_err_text(ORD_ERR_NOMEM));
		return ORD_ERR_NOMEM;
	}
	qsort(numbers, used, sizeof *numbers, number_compare);
	*ret = numbers;
	*ret_count = used;
	return ORD_OK;
}

void ord_offline_hex(const uint8_t *base, size_t bytes, char *text)
{
	for (size_t i = 0; i < bytes; i++)
		snprintf(text + 2 * i, 3, "%02x", base[i]);
}

void ord_offline_digest(const uint64_t digest[2], char text[ORD_OFFLINE_DIGEST_SIZE])
{
	snprintf(text, ORD_OFFLINE_DIGEST_SIZE, "%016" PRIx64 "%016" PRIx64, digest[0], digest[1]);
}

/* ".141592" as microseconds; false: something else. */
static bool fraction_read(const char **at, uint64_t *us)
{
	uint64_t unit = 100000;
	if (**at != '.')
		return true;
	for ((*at)++; **at >= '0' && **at <= '9'; (*at)++, unit /= 10)
		*us += (uint64_t)(**at - '0') * unit;
	return (*at)[-1] != '.';
}

int ord_offline_time(const char *text, uint64_t *ret_us)
{
	static const char *const formats[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"};
	int64_t number;
	if (ord_args_number(text, 0, INT64_MAX, &number) == ORD_OK) {
		*ret_us = (uint64_t)number;
		return ORD_OK;
	}
	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
		struct tm tm = {0};
		uint64_t us = 0;
		const char *end = strptime(text, formats[i], &tm);
		time_t seconds = end != NULL ? timegm(&tm) : -1;
		if (seconds < 0 || (i == 0 && !fraction_read(&end, &us)) || (strcmp(end, "Z") != 0 && *end != '\0'))
			continue;
		*ret_us = (uint64_t)seconds * 1000000 + us;
		return ORD_OK;
	}
	return ORD_ERR_INVALID;
}
