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

# What node 3 says of itself, one of: standing, member.
of_node_3() { # KEY
	"$PYTHON" - "$(client_address "$a" 3)" "$1" <<-'END'
		import sys
		from rpc import Node
		print(Node(sys.argv[1]).call("status")[sys.argv[2]])
	END
}

node_3_is() { # STANDING
	[ "$(of_node_3 standing)" = "$1" ]
}

# Node 3 is started again, and all its partitions know a leader: the others have taken it in.
back_in() {
	"$ORDAIN" cluster restart --dir "$a" --node 3 --timeout "${DEADLINE}s" >"$WORK/out" 2>&1 || {
		cat "$WORK/out"
		return 1
	}
	wait_until "$DEADLINE" all_agree
}

# And all have their votes: who waits for one has logged nothing yet.
all_agree() {
	! "$ORDAIN" cluster status --dir "$a" | awk '$1 == "partition" && ($7 != "yes" || $8 != "1,2,3") { bad = 1 } END { exit !bad }'
}

# The directory that was replaced: the others keep it out and say so, it is told so, too, and so is who starts it.
replaced_is_refused() {
	says 1 "node 3 answers, but knows a leader of only 0 partitions" "look at node 3: its log $a/node-3/log says" -- \
		"$ORDAIN" cluster restart --dir "$a" --node 3 --timeout 10s || return 1
	wait_until "$DEADLINE" grep -q 'another one has replaced' "$a/node-1/log" &&
		wait_until "$DEADLINE" grep -q 'another one has replaced' "$a/node-2/log" &&
		wait_until "$DEADLINE" grep -q 'does not take part with this node' "$a/node-3/log"
}

node_3_is_not_connected() {
	"$PYTHON" - "$(client_address "$a" 1)" <<-'END'
		import sys
		from rpc import Node
		peers = Node(sys.argv[1]).call("status")["peers"]
		sys.exit(any(peer["node"] == 3 and peer["connected"] for peer in peers))
	END
}

damage_log() { # DATA: a bit of the first batch
	local file
	file=$(ls "$1"/wal/*.wal | head -n 1)
	printf '\377' | dd of="$file" bs=1 seek=110 conv=notrunc 2>/dev/null
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

expect "a node of the first start is a founder" node_3_is founder
must kill_nodes "$a" 3
mv "$a/node-3/data" "$WORK/replaced"
expect "a node whose data directory is gone is taken in again" back_in
expect "it is a newcomer" node_3_is newcomer
newcomer=$(of_node_3 member)

must kill_nodes "$a" 3
mv "$a/node-3/data" "$WORK/kept"
mv "$WORK/replaced" "$a/node-3/data"
expect "the data directory that was replaced is refused by its peers" replaced_is_refused
expect "it is not connected" node_3_is_not_connected
must kill_nodes "$a" 3
rm -r "$a/node-3/data"
mv "$WORK/kept" "$a/node-3/data"
expect "the one that replaced it takes part again" back_in
expect "it is the member that it was" test "$(of_node_3 member)" = "$newcomer"

must kill_nodes "$a" 3
damage_log "$a/node-3/data"
expect "a node whose log is damaged is taken in again" back_in
expect "it is another newcomer" test "$(of_node_3 member)" != "$newcomer"
expect "it says what was damaged" grep -q 'damaged in segment 1 at offset 64: .*/wal is set aside' "$a/node-3/log"
expect "the log was set aside" test -s "$a/node-3/data/wal.damaged-1/0000000000000001.wal"
