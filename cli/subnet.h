/* SPDX-License-Identifier: Apache-2.0 - private networks of 256 addresses that nobody else on this machine uses. */
#ifndef ORD_CLI_SUBNET_H
#define ORD_CLI_SUBNET_H

#include <stddef.h>
#include <stdint.h>

#include "base/uuid.h"

/* Those from 10.64.0.0/24 to 10.127.255.0/24, as numbers: the host in the lowest 8 bits. */
#define ORD_SUBNET_FIRST 0x0a400000u
#define ORD_SUBNET_COUNT 16384u
#define ORD_SUBNET_GATE 254u /* the host's number in it */
#define ORD_SUBNET_TEXT_SIZE 16

/* "10.x.y.host". */
void ord_subnet_host(uint32_t network, uint32_t host, char text[ORD_SUBNET_TEXT_SIZE]);

/* Reads "10.x.y.0". ORD_ERR_FORMAT when it is none of those networks. */
int ord_subnet_parse(const char *text, uint32_t *ret);

/* One that no route of this machine leads into; which one is tried first follows from the id, so that two clusters that are made at once hardly ever take the same.
 * ORD_ERR_IN_USE with why when there is none. */
int ord_subnet_choose(const struct ord_uuid *id, uint32_t *ret, char *why, size_t why_size);

/* ORD_ERR_IN_USE when a route of this machine, other than the default one, leads into the network; why names its link and the remedy. */
int ord_subnet_check(uint32_t network, char *why, size_t why_size);

#endif
