/* SPDX-License-Identifier: Apache-2.0 - the one transaction of etcd that a claim needs, as protocol buffers: put a key if nobody has it.
 *
 * The messages are those of etcd's rpc.proto (etcdserverpb.TxnRequest, TxnResponse); the encoding is https://protobuf.dev/programming-guides/encoding */
#ifndef ORD_TESTS_PEERS_ETCD_TXN_H
#define ORD_TESTS_PEERS_ETCD_TXN_H

#include <stdbool.h>

#include "base/bytes.h"

#define ETCD_TXN_PATH "/etcdserverpb.KV/Txn"

/* Appends a TxnRequest: if key was never created, put value under it. Asserts that key and value are shorter than 100 bytes: lengths of one byte. */
void etcd_txn_create(struct ord_bytes *b, struct ord_slice key, struct ord_slice value);

/* What a TxnResponse says: was the key put? ORD_OK, or ORD_ERR_FORMAT when it is none. */
int etcd_txn_succeeded(struct ord_slice response, bool *ret);

#endif
