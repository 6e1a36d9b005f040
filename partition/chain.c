/* SPDX-License-Identifier: Apache-2.0 - the history hash. */
#include "partition/chain.h"

#include "base/assert.h"
#include "base/err.h"

int ord_chain_open(struct ord_chain *chain)
{
	*chain = (struct ord_chain){0};
	chain->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	chain->context = EVP_MD_CTX_new();
	if (chain->sha256 == NULL || chain->context == NULL ||
	    EVP_DigestInit_ex2(chain->context, chain->sha256, NULL) != 1) {
		ord_chain_close(chain);
		return ORD_ERR_NOMEM;
	}
	return ORD_OK;
}

void ord_chain_close(struct ord_chain *chain)
{
	EVP_MD_CTX_free(chain->context);
	EVP_MD_free(chain->sha256);
	*chain = (struct ord_chain){0};
}

void ord_chain_add(struct ord_chain *chain, struct ord_slice entry)
{
	unsigned len = 0;
	int ok = EVP_DigestInit_ex2(chain->context, NULL, NULL);
	ok &= EVP_DigestUpdate(chain->context, chain->hash, sizeof chain->hash);
	ok &= EVP_DigestUpdate(chain->context, entry.base, entry.len);
	ok &= EVP_DigestFinal_ex(chain->context, chain->hash, &len);
	ORD_ASSERT(ok == 1);
	ORD_ASSERT(len == sizeof chain->hash);
}
