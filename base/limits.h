/* SPDX-License-Identifier: Apache-2.0 - every maximum of the program, with its reason. */
#ifndef ORD_BASE_LIMITS_H
#define ORD_BASE_LIMITS_H

/* Names and identifiers: one length byte on disk and wire. */
#define ORD_ACCOUNT_ID_BYTES_MAX 64 /* a UUID, an IBAN or a path-like name fits */
#define ORD_ASSET_BYTES_MAX 16	    /* ISO 4217 codes and the longer ticker symbols */
#define ORD_NAMESPACE_BYTES_MAX 64
#define ORD_NAME_BYTES_MAX 255 /* the longest that one length byte carries; an e-mail address has at most 254 */
#define ORD_OWNER_BYTES_MAX 64

/* Cluster shape. */
#define ORD_NODES_MAX 9		/* more voters than this only make every commit slower */
#define ORD_SHARDS_MAX 64	/* threads of one node; as many processors as a machine for this has */
#define ORD_PARTITIONS_MAX 1024 /* measured: 1,000 idle groups cost 9 % of a core in heartbeats */

/* Client protocol. */
#define ORD_RPC_BYTES_MAX (4u << 20) /* one request or answer; 10,000 transfers of 400 bytes fit */
#define ORD_BATCH_ITEMS_MAX 10000    /* items of one batch method */
#define ORD_HISTORY_ITEMS_MAX 1000   /* postings in one answer of history */
#define ORD_WAIT_MS_MAX 60000	     /* longest that one call may wait for its outcome */
#define ORD_CLIENT_CONNECTIONS_MAX 10000
#define ORD_CONNECTION_CALLS_MAX \
	1024 /* unanswered calls of one connection; then it is not read until answers have left */
#define ORD_CONNECTION_ITEMS_MAX 65536 /* items of those calls; about 60 bytes each, and an answer of 400 at most */
#define ORD_CONNECTION_OUTPUT_PAUSE_BYTES (4u << 20) /* unsent answers; then it is not read until some have left */
#define ORD_CONNECTION_OUTPUT_BYTES_MAX (64u << 20)  /* answers that a client does not read; past this it is cut off */

/* Log entries. */
#define ORD_ENTRY_BYTES_MAX (1u << 20)	   /* one Raft entry; a batch larger than this becomes several */
#define ORD_COMMAND_BYTES_MAX 1024	   /* one client command, encoded */
#define ORD_DELIVER_BYTES_MAX (256u << 10) /* messages of one delivery from partition to partition */

/* History. */
#define ORD_BLOCK_BYTES (256u << 10) /* a block ends with the entry that brings the sum of its entries to this */
#define ORD_BLOCK_CONTENT_BYTES_MAX \
	(2u << 20) /* a block before compression: its entries, each with index, term, length */
#define ORD_BLOCK_STORED_BYTES_MAX ((2u << 20) + (16u << 10)) /* after: what cannot be compressed grows a little */
#define ORD_VOLUME_BYTES (64u << 20)		  /* a file of history; the block that passes this is its last */
#define ORD_HISTORY_WAITING_BYTES_MAX (64u << 20) /* blocks that wait for the disk; then who fills them waits */
#define ORD_SCRUB_PAUSE_MS 60000		  /* a short history need not be read all the time */
#define ORD_HISTORY_RUN_BYTES (4u << 20)	  /* blocks that share a write and a sync, before compression */

/* Queues of one partition at its leader. */
#define ORD_ADMIT_BYTES_MAX (16u << 20) /* commands that wait to be proposed; then clients are answered busy */
#define ORD_ADMIT_WAIT_MS \
	1000 /* so long they wait at most: past saturation more would wait for what nobody wants any more */
#define ORD_READS_MAX 100000	 /* reads that wait at one partition; then clients are answered busy */
#define ORD_FORWARDS_MAX 200000	 /* calls passed on to other nodes or waiting for a leader, all partitions; then busy */
#define ORD_UNSETTLED_MAX 200000 /* accepted transfers without outcome; then new ones are answered busy */
#define ORD_DELIVER_WINDOW_MESSAGES 16384u /* sent to one other partition and not yet applied there */

/* State. */
#define ORD_CHECKPOINT_ROWS_MAX 2000 /* records of a checkpoint that one turn encodes or lets go: about a millisecond */

#define ORD_COPY_BYTES \
	(1u << 20) /* one piece of a copy of a state: a frame that keeps no message of Raft waiting for long */

/* Peers. */
#define ORD_MAILBOX_BYTES_MAX (64u << 20) /* that other shards of the node have posted to one, and it has not read */
#define ORD_TRAY_BYTES_MAX (32u << 20)	  /* collected by one shard for another; half of it for answers alone */
#define ORD_FRAME_BYTES_MAX (32u << 20)	  /* one frame between nodes */
#define ORD_PEER_OUTPUT_BYTES_MAX (64u << 20) /* unsent to one peer; then Raft messages are dropped, as by a network */

_Static_assert(ORD_COMMAND_BYTES_MAX * 16 <= ORD_ENTRY_BYTES_MAX, "an entry holds many commands");
_Static_assert(ORD_DELIVER_BYTES_MAX + ORD_COMMAND_BYTES_MAX <= ORD_ENTRY_BYTES_MAX, "a delivery fits an entry");
_Static_assert(ORD_BLOCK_BYTES + ORD_ENTRY_BYTES_MAX + (ORD_BLOCK_BYTES / 17 + 1) * 20 <= ORD_BLOCK_CONTENT_BYTES_MAX,
	       "a block holds its longest entry and the most entries: an entry with a command has 17 bytes at least");
_Static_assert(ORD_BLOCK_CONTENT_BYTES_MAX <= ORD_HISTORY_RUN_BYTES, "one block can be written");
_Static_assert(ORD_BLOCK_STORED_BYTES_MAX <= ORD_FRAME_BYTES_MAX / 2, "a block fits a frame");
_Static_assert(ORD_COPY_BYTES * 4 <= ORD_PEER_OUTPUT_BYTES_MAX, "a piece of a copy can be sent");
_Static_assert(ORD_ENTRY_BYTES_MAX * 4ull <= ORD_FRAME_BYTES_MAX, "a frame carries entries");
_Static_assert(ORD_NAMESPACE_BYTES_MAX + ORD_NAME_BYTES_MAX + 2 * ORD_OWNER_BYTES_MAX + 64 <= ORD_COMMAND_BYTES_MAX,
	       "the longest command fits");

#endif
