/* SPDX-License-Identifier: Apache-2.0 - ordain claim. */
#include "cli/bulk.h"
#include "cli/cmd.h"
#include "cli/once.h"

#define SINGLE_FLAGS 3

static const char notes[] = "With --file, the first line of the CSV file names the columns request_id, namespace, name "
			    "and owner, in any order; the rest\n"
			    "is as 'ordain transfer --help' says.";

int ord_cmd_claim(const struct ord_cmd *self, int argc, char **argv)
{
	const char *space = NULL, *name = NULL, *owner = NULL;
	bool given[SINGLE_FLAGS] = {false};
	struct ord_target target;
	struct ord_once once;
	struct ord_bulk bulk;
	struct ord_flag flags[SINGLE_FLAGS + ORD_ONCE_FLAGS + ORD_BULK_FLAGS] = {
		{.name = "namespace",
		 .value = "NAMESPACE",
		 .text = &space,
		 .help = "where the name is unique, 1 to 64 bytes",
		 .place = 1},
		{.name = "name", .value = "NAME", .text = &name, .help = "the name, 1 to 255 bytes", .place = 2},
		{.name = "owner",
		 .value = "OWNER",
		 .text = &owner,
		 .help = "who shall own it, 1 to 64 bytes",
		 .place = 3},
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
		return ord_bulk_run(self, &bulk, &target, &once, ORDAIN_CLAIM);
	struct ordain_command c = {
		.kind = ORDAIN_CLAIM,
		.naming = {.space = ordain_str_of(space), .name = ordain_str_of(name), .owner = ordain_str_of(owner)}};
	return ord_once_submit(self, &target, &once, &c);
}
