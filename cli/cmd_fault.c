/* SPDX-License-Identifier: Apache-2.0 - ordain fault: faults on purpose, in nodes that were started with --enable-faults. */
#include <msgpack.h>

#include "cli/cmd.h"
#include "cli/once.h"
#include "cli/report.h"
#include "cli/sheet.h"
#include "client/rpc.h"

#define PARAMS_BYTES_MAX 1024

int ord_cmd_fault_spoil(const struct ord_cmd *self, int argc, char **argv)
{
	const char *account = NULL;
	int64_t node = 0, delta = 0;
	struct ord_target target;
	struct ord_flag flags[] = {
		{.name = "node",
		 .value = "N",
		 .number = &node,
		 .min = 1,
		 .max = 65535,
		 .required = true,
		 .help = "which node"},
		{.name = "account", .value = "ACCOUNT", .text = &account, .required = true, .help = "whose balance"},
		{.name = "delta",
		 .value = "D",
		 .number = &delta,
		 .min = -INT64_MAX,
		 .max = INT64_MAX,
		 .required = true,
		 .help = "what is added to it, in minor units"},
	};
	struct ord_args args = ord_once_args(self, &target, flags, ORD_COUNT(flags));
	struct ordain_sync *sync;
	struct ord_bytes params;
	msgpack_packer p;
	const void *result;
	size_t result_len;
	int status;
	if (!ord_cmd_begin(&args, argc, argv, &status) || !ord_once_open(self, &target, &sync, &status))
		return status;
	ord_bytes_init(&params, PARAMS_BYTES_MAX);
	ord_rpc_packer(&params, &p);
	msgpack_pack_map(&p, 2);
	ord_rpc_put_pair_text(&p, "account", account);
	ord_rpc_put_pair_i64(&p, "delta", delta);
	int err = ordain_sync_call(sync, (uint32_t)node, "spoil", params.base, params.len, NULL, &result, &result_len);
	status = err == 0 ? ORD_EXIT_OK
			  : ord_report_problem(self, ordain_sync_problem(sync), ord_sheet_look(target.json, stdout),
					       NULL);
	ord_bytes_close(&params);
	ordain_sync_close(sync);
	return status;
}
