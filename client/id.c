/* SPDX-License-Identifier: Apache-2.0 - making, reading and writing request ids. */
#include <errno.h>
#include <sys/random.h>
#include <time.h>

#include "base/uuid.h"
#include "client/ordain.h"

_Static_assert(sizeof(struct ordain_id) == sizeof(struct ord_uuid), "an id is a UUID");
_Static_assert(ORDAIN_ID_TEXT_SIZE == ORD_UUID_TEXT_SIZE, "and is written like one");

/* Random bytes for this many ids are asked for at once. Kept by no one afterwards: a fork must not repeat them. */
#define ID_RUN 64
#define ID_RANDOM_BYTES 10

static int random_fill(uint8_t *base, size_t len)
{
	while (len > 0) {
		ssize_t got = getrandom(base, len, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return ORDAIN_ERR_SYSTEM;
		base += got;
		len -= (size_t)got;
	}
	return 0;
}

int ordain_id_make_many(struct ordain_id *ids, size_t count)
{
	struct timespec now;
	if (clock_gettime(CLOCK_REALTIME, &now) != 0)
		return ORDAIN_ERR_SYSTEM;
	uint64_t unix_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	for (size_t done = 0; done < count;) {
		uint8_t random[ID_RUN][ID_RANDOM_BYTES];
		size_t run = count - done < ID_RUN ? count - done : ID_RUN;
		int err = random_fill(random[0], run * ID_RANDOM_BYTES);
		if (err != 0)
			return err;
		for (size_t i = 0; i < run; i++, done++) {
			struct ord_uuid id = ord_uuid_v7(unix_ms, random[i]);
			memcpy(ids[done].bytes, id.bytes, sizeof id.bytes);
		}
	}
	return 0;
}

int ordain_id_make(struct ordain_id *ret)
{
	return ordain_id_make_many(ret, 1);
}

int ordain_id_parse(struct ordain_str text, struct ordain_id *ret)
{
	struct ord_uuid id;
	if (ord_uuid_parse(ord_slice_of(text.base, text.len), &id) != 0)
		return ORDAIN_ERR_ARGUMENT;
	memcpy(ret->bytes, id.bytes, sizeof id.bytes);
	return 0;
}

void ordain_id_format(const struct ordain_id *id, char text[ORDAIN_ID_TEXT_SIZE])
{
	struct ord_uuid uuid;
	memcpy(uuid.bytes, id->bytes, sizeof id->bytes);
	ord_uuid_format(&uuid, text);
}
