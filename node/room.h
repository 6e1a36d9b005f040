/* SPDX-License-Identifier: Apache-2.0 - how much room is left on the disk, and what that means for the node. Decides only; node/gauge.h measures. */
#ifndef ORD_NODE_ROOM_H
#define ORD_NODE_ROOM_H

#include <stdbool.h>
#include <stdint.h>

/* OK --less than the reserve--> LOW --less than a quarter of it--> CRITICAL
 *  <--a quarter more than it--      <--three eighths of it--------
 *
 *   LOW       clients are refused (disk_full), leaderships are handed over; all that is under way is brought to its end, and entries of other leaders are taken
 *   CRITICAL  no entry is proposed or taken any more: the rest is for checkpoints and history, which make room in the log */
enum ord_room_state { ORD_ROOM_OK = 0, ORD_ROOM_LOW = 1, ORD_ROOM_CRITICAL = 2 };
#define ORD_ROOM_STATES 3

/* "ok", "low", "critical". */
const char *ord_room_name(enum ord_room_state state);

/* What a file system says of itself; files are 0 when it does not count them. */
struct ord_room_sample {
	uint64_t free_bytes; /* for this process */
	uint64_t total_bytes;
	uint64_t free_files;
	uint64_t total_files;
	uint64_t waiting_bytes; /* that this node is about to write */
};

struct ord_room {
	uint64_t reserve_bytes;
	uint64_t needs_bytes;
	enum ord_room_state state;
	struct ord_room_sample sample; /* the last one; all 0 before the first */
	uint64_t falls_bytes_s;	       /* how fast it got less between the last two */
	uint64_t sampled_ms;
};

/* reserve_bytes 0: as ord_room_reserve says, once the first sample is there. */
void ord_room_init(struct ord_room *r, uint64_t reserve_bytes, uint64_t needs_bytes);

/* The reserve of a file system of total_bytes when nobody has set one: a tenth of it, 1 GiB at most, but at least 64 MiB and needs_bytes, what the node still writes after it has
 * begun to refuse. */
uint64_t ord_room_reserve(uint64_t total_bytes, uint64_t needs_bytes);

/* Takes a sample; now_ms is monotonic. True when the state is another one now. */
bool ord_room_update(struct ord_room *r, const struct ord_room_sample *sample, uint64_t now_ms);

/* How many bytes of entries may be taken until the next sample; 0 when CRITICAL. They come to the disk in the log, in the history and in states: as much again may fall to each of them, and to
 * what is taken while the sample is, before a quarter of the reserve is touched. */
uint64_t ord_room_entries_bytes(const struct ord_room *r);

/* When to take the next one, in milliseconds: 1000, or less, down to 100, when the next threshold would be passed soon at the speed of now, or of somebody else who begins to write. */
uint32_t ord_room_pause_ms(const struct ord_room *r);

#endif
