#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - data directories that a node must not run on: in use, of another cluster or node, not writable, emptied.
. "$(dirname "$0")/lib.sh"
a=$WORK/a
b=$WORK/b

# A node's configuration on ports of its own (nobody listens there), with changes: "key = value" lines replace those of the same key.
config_with() { # DIR NODE LINE ...
	local file=$WORK/config line
	"$ORDAIND" --config "$1/node-$2/ordaind.conf" --print-config >"$file"
	shift 2
	for line in "$@"; do
		sed -i "/^${line%% *} *=/d" "$file"
		echo "$line" >>"$file"
	done
	echo "$file"
}

refused() { # TEXT CONFIG
	says 1 "$1" -- "$ORDAIND" --config "$2"
}

running() {
	node_pid "$1" "$2" >/dev/null
}

# The peers keep the emptied node out and say so; it is told so, too, and so is who starts it.
emptied_is_refused() {
	says 1 "node 3 answers, but knows a leader of only 0 partitions" "look at node 3: its log $a/node-3/log says" -- \
		"$ORDAIN" cluster restart --dir "$a" --node 3 --timeout 10s || return 1
	wait_until "$DEADLINE" grep -q 'node 3 has another data directory' "$a/node-1/log" &&
		wait_until "$DEADLINE" grep -q 'node 3 has another data directory' "$a/node-2/log" &&
		wait_until "$DEADLINE" grep -q 'does not take part with this node' "$a/node-3/log"
}

status_node_3() {
	"$PYTHON" - "$(client_address "$a" 1)" <<-'END'
		import sys
		from rpc import Node
		peers = Node(sys.argv[1]).call("status")["peers"]
		sys.exit(any(peer["node"] == 3 and peer["connected"] for peer in peers))
	END
}

export PYTHONPATH=$HERE
start_cluster "$a" 2
start_cluster "$b" 2
data=$a/node-1/data

expect "a data directory in use" refused "data_dir $data: in use by another ordaind" \
	"$(config_with "$a" 1 "listen_host = 127.0.0.2")"
must kill_nodes "$b" 1
expect "a data directory of another cluster" refused "data_dir $b/node-1/data: belongs to cluster_id" \
	"$(config_with "$b" 1 "cluster_id = 00000000-0000-4000-8000-000000000001")"
expect "a data directory of another node" refused "data_dir $b/node-1/data: belongs to node 1" \
	"$(config_with "$b" 1 "node = 2")"
expect "a data directory of another number of partitions" refused "data_dir $b/node-1/data: belongs to partitions 2" \
	"$(config_with "$b" 1 "partitions = 3")"
echo "in the way" >"$WORK/file"
expect "a file where the data directory should be" refused "data_dir $WORK/file: cannot be opened" \
	"$(config_with "$b" 1 "data_dir = $WORK/file")"
expect "a data directory that cannot be made" refused "data_dir $WORK/file/data: cannot be made" \
	"$(config_with "$b" 1 "data_dir = $WORK/file/data")"
expect "a data directory that cannot be written" refused "data_dir /proc: cannot be written" \
	"$(config_with "$b" 1 "data_dir = /proc")"
expect "the node that was in the way all the time still runs" running "$a" 1
expect "its own data directory still serves node 1" start_node "$b" 1

must kill_nodes "$a" 3
rm -rf "$a/node-3/data"
expect "a node whose data directory was emptied is refused by its peers" emptied_is_refused
expect "it is not connected" status_node_3
