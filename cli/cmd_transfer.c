/* SPDX-License-Identifier: Apache-2.0 - ordain transfer. */
#include "cli/bulk.h"
#include "cli/cmd.h"
#include "cli/once.h"

#define SINGLE_FLAGS 4

static const char notes[] =
	"With --file, the first line of the CSV file names the columns request_id, payer, payee, amount and asset, in "
	"any order;\n"
	"other columns are left aside. A line that cannot be used is told with its number and column and does not stop "
	"the\n"
	"others. Lines with the same request id are done in their order. --timeout is 60s then, unless it is given.\n"
	"Exit status: 3 when the outcome of any line is unknown, else 1 when any was refused, failed or could not be "
	"used.";

int ord_cmd_transfer(const struct ord_cmd *self, int argc, char **argv)
{
	const char *payer = NULL, *payee = NULL, *asset = NULL;
	int64_t amount = 0;
	bool given[SINGLE_FLAGS] = {false};
	struct ord_target target;
	struct ord_once once;
	struct ord_bulk bulk;
	struct ord_flag flags[SINGLE_FLAGS + ORD_ONCE_FLAGS + ORD_BULK_FLAGS] = {
		{.name = "payer", .value = "ACCOUNT", .text = &payer, .help = "the account that pays"},
		{.name = "payee", .value = "ACCOUNT", .text = &payee, .help = "the account that is paid"},
		{.name = "amount",
		 .value = "N",
		 .number = &amount,
		 .min = 1,
		 .max = INT64_MAX,
		 .help = "how much, in minor units (cents)"},
		{.name = "asset",
		 .value = "ASSET",
		 .text = &asset,
		 .help = "of what, such as EUR; both accounts hold it"},
	};
	struct ord_args args = ord_once_args(self, &target, flags, ORD_COUNT(flags));
	int status;
	for (size_t i = 0; i < SINGLE_FLAGS; i++)
		flags[i].given = &given[i];
	ord_once_init(&once, flags + SINGLE_FLAGS);
	ord_bulk_init(&bulk, flags + SINGLE_FLAGS + ORD_ONCE_FLAGS);
	args.notes = notes;
	if (!ord_cmd_begin(&args, argc, argv, &status))
		return status;
	status = ord_bulk_check(self, &bulk, &once, flags, SINGLE_FLAGS);
	if (status != ORD_EXIT_OK)
		return status;
	if (bulk.file != NULL)
		return ord_bulk_run(self, &bulk, &target, &once, ORDAIN_TRANSFER);
	struct ordain_command c = {.kind = ORDAIN_TRANSFER,
				   .transfer = {.payer = ordain_str_of(payer),
						.payee = ordain_str_of(payee),
						.asset = ordain_str_of(asset),
						.amount = amount}};
	return ord_once_submit(self, &target, &once, &c);
}
