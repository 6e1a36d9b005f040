/* SPDX-License-Identifier: Apache-2.0 - faults on purpose in this node: what can be asked for, what is in force, and both as MessagePack. Only for nodes that were started with --enable-faults. */
#ifndef ORD_NODE_FAULTS_H
#define ORD_NODE_FAULTS_H

#include <msgpack.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "node/faults_disk.h"
#include "node/faults_link.h"
#include "node/params.h"

/* A wall clock that is wrong. */
struct ord_faults_clock_rule {
	int64_t offset_us; /* ahead of the system's clock, from now on */
	int64_t drift_ppm; /* so much faster than it, from now on */
};

/* What a call of `fault` asks for. What is not there stays as it is. */
struct ord_faults_order {
	bool has_links; /* the rules of all links to other nodes; those that are not listed have none */
	struct ord_faults_link_order {
		uint32_t node;
		struct ord_faults_link_rule rule;
	} links[ORD_NODES_MAX];
	uint32_t links_count;
	bool has_disk;
	struct ord_faults_disk_rule disk;
	bool has_clock;
	struct ord_faults_clock_rule clock;
};

#define ORD_FAULTS_OFFSET_US_MAX (INT64_C(100) * 366 * 24 * 3600 * 1000000)
#define ORD_FAULTS_DRIFT_PPM_MAX 1000000

/* Takes the order out of the parameters of `fault`. ORD_ERR_INVALID with *ret_fault, which names the field as "links[2].delay_ms". Whether the nodes are those of the cluster is not looked at. */
int ord_faults_decode(const struct ord_params *params, struct ord_faults_order *ret,
		      struct ord_params_fault *ret_fault);

/* What is in force. */
struct ord_faults_status {
	struct ord_faults_link_status {
		uint32_t node;
		struct ord_faults_link_rule rule;
		struct ord_faults_link_counts counts;
		uint64_t waiting_bytes;
	} links[ORD_NODES_MAX];
	uint32_t links_count;
	struct ord_faults_disk_rule disk;
	struct ord_faults_disk_counts disk_counts;
	uint64_t free_bytes; /* of the disk, as the node sees it */
	struct ord_faults_clock_rule clock;
};

/* What faults are made in; borrowed. */
struct ord_peers;
struct ord_clock;
struct ord_room;
struct ord_faults_parts {
	struct ord_peers *peers;
	struct ord_faults_disk *disk;
	struct ord_clock *clock;
	const struct ord_room *room;
};

/* Makes it so. ORD_ERR_NOT_FOUND with *ret_node: one of the links leads to no other node of the cluster, and nothing was done. */
int ord_faults_apply(const struct ord_faults_parts *parts, const struct ord_faults_order *order, uint32_t *ret_node);

void ord_faults_look(const struct ord_faults_parts *parts, struct ord_faults_status *ret);

/* Packs it: the result of `faults`. */
void ord_faults_put(msgpack_packer *p, const struct ord_faults_status *s);

#endif
