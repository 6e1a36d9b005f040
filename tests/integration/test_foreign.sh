#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - a MessagePack-RPC client that is not ours, and the example files that must be what their generator makes.
. "$(dirname "$0")/lib.sh"
dir=$WORK/cluster
examples=$ROOT/docs/examples

generated() { # NAME
	awk -v what="$1" -f "$examples/make_payments.awk" | cmp - "$examples/$1.csv"
}

for name in accounts openings payments; do
	expect "$name.csv is what make_payments.awk makes" generated "$name"
done
start_cluster "$dir"
expect "client.py opens accounts and transfers" says 0 'settled' "'balance': 1250" -- "$PYTHON" "$examples/client.py" "$(client_address "$dir" 2)"
