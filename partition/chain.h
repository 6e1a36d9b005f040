/* SPDX-License-Identifier: Apache-2.0 - the history hash: H(0) is 32 zero bytes, H(n) = SHA-256(H(n-1) followed by the bytes of entry n). */
#ifndef ORD_PARTITION_CHAIN_H
#define ORD_PARTITION_CHAIN_H

#include <openssl/evp.h>
#include <stdint.h>

#include "base/bytes.h"

#define ORD_CHAIN_BYTES 32

struct ord_chain {
	EVP_MD *sha256;	     /* owned */
	EVP_MD_CTX *context; /* owned; kept because making one costs more than hashing a small entry */
	uint8_t hash[ORD_CHAIN_BYTES];
};

/* ORD_ERR_NOMEM when the library gives no SHA-256; the chain is then closed. */
int ord_chain_open(struct ord_chain *chain);

/* Tolerates a zeroed chain. */
void ord_chain_close(struct ord_chain *chain);

/* Goes on by one entry. */
void ord_chain_add(struct ord_chain *chain, struct ord_slice entry);

#endif
