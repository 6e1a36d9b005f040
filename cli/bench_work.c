/* SPDX-License-Identifier: Apache-2.0 - what the calls of a bench ask for: which kind, which accounts, which amounts, which names. */
#include "cli/bench_work.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"

const char *ord_bench_kind_name(enum ord_bench_kind kind)
{
	static const char *const names[ORD_BENCH_KINDS] = {"transfers", "claims", "reads"};
	return names[kind];
}

void ord_bench_work_init(struct ord_bench_work *w, const struct ord_bench_work_options *options, uint64_t run)
{
	const uint32_t *shares = options->shares;
	ORD_ASSERT((uint64_t)shares[ORD_BENCH_TRANSFER] + shares[ORD_BENCH_CLAIM] + shares[ORD_BENCH_READ] > 0);
	ORD_ASSERT(shares[ORD_BENCH_TRANSFER] == 0 || options->accounts >= 2);
	ORD_ASSERT(shares[ORD_BENCH_READ] == 0 || options->accounts >= 1);
	ORD_ASSERT(options->hot_percent <= 100);
	*w = (struct ord_bench_work){.options = *options};
	w->prefix_len = (size_t)snprintf(w->prefix, sizeof w->prefix, "bench-%016" PRIx64 "-", run);
	ord_dice_init(&w->dice, options->seed);
	if (options->exponent > 0 && ord_bench_work_has_accounts(w))
		ord_zipf_init(&w->zipf, options->accounts, options->exponent);
}

bool ord_bench_work_has(const struct ord_bench_work *w, enum ord_bench_kind kind)
{
	return w->options.shares[kind] > 0;
}

bool ord_bench_work_has_accounts(const struct ord_bench_work *w)
{
	return ord_bench_work_has(w, ORD_BENCH_TRANSFER) || ord_bench_work_has(w, ORD_BENCH_READ);
}

enum ord_bench_kind ord_bench_work_kind(struct ord_bench_work *w)
{
	const uint32_t *shares = w->options.shares;
	uint64_t transfers = shares[ORD_BENCH_TRANSFER], claims = shares[ORD_BENCH_CLAIM];
	uint64_t at = ord_dice_below(&w->dice, transfers + claims + shares[ORD_BENCH_READ]);
	if (at < transfers)
		return ORD_BENCH_TRANSFER;
	return at < transfers + claims ? ORD_BENCH_CLAIM : ORD_BENCH_READ;
}

uint32_t ord_bench_work_account(struct ord_bench_work *w)
{
	if (w->options.exponent > 0)
		return ord_zipf_rank(&w->zipf, &w->dice);
	return (uint32_t)ord_dice_below(&w->dice, w->options.accounts);
}

/* Another account than this. By Zipf's law the frequent ones would be thrown for long; so after a few throws it is one of all. */
static uint32_t account_beside(struct ord_bench_work *w, uint32_t account)
{
	for (int i = 0; i < 8; i++) {
		uint32_t other = ord_bench_work_account(w);
		if (other != account)
			return other;
	}
	uint64_t step = 1 + ord_dice_below(&w->dice, w->options.accounts - 1);
	return (uint32_t)((account + step) % w->options.accounts);
}

struct ord_bench_move ord_bench_work_move(struct ord_bench_work *w)
{
	bool hot = w->options.hot_percent > 0 && ord_dice_below(&w->dice, 100) < w->options.hot_percent;
	uint32_t payer = hot ? 0 : ord_bench_work_account(w);
	uint32_t payee = account_beside(w, payer);
	bool turned = hot && (ord_dice_next(&w->dice) & 1) != 0;
	return (struct ord_bench_move){.payer = turned ? payee : payer,
				       .payee = turned ? payer : payee,
				       .amount = 1 + (uint32_t)ord_dice_below(&w->dice, ORD_BENCH_AMOUNT_MAX)};
}

uint64_t ord_bench_work_claims(struct ord_bench_work *w, uint32_t count)
{
	uint64_t first = w->claims_count;
	w->claims_count += count;
	return first;
}

/* By hand: several names a command, hundreds of thousands of commands a second, and printf would be a tenth of the bench's time. */
size_t ord_bench_work_name(const struct ord_bench_work *w, uint64_t number, char name[ORD_BENCH_NAME_SIZE])
{
	char digits[20];
	size_t count = 0;
	do {
		digits[count++] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	ORD_ASSERT(w->prefix_len + count < ORD_BENCH_NAME_SIZE);
	memcpy(name, w->prefix, w->prefix_len);
	for (size_t i = 0; i < count; i++)
		name[w->prefix_len + i] = digits[count - 1 - i];
	name[w->prefix_len + count] = '\0';
	return w->prefix_len + count;
}
