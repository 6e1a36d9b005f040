#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - cluster start while nodes are still dying: they count neither as running nor as somebody else on their ports.
. "$(dirname "$0")/lib.sh"
dir=$WORK/cluster

# kill -9 of all nodes, and cluster start without waiting for their end.
killed_and_started() {
	local node pids
	mapfile -t pids < <(nodes_running)
	[ ${#pids[@]} -eq 3 ] && kill -KILL "${pids[@]}" || return 1
	timeout "$DEADLINE" "$ORDAIN" cluster start --dir "$dir" --timeout 60s || return 1
	for node in 1 2 3; do
		node_pid "$dir" "$node" || return 1
	done
}

# A process in the place of a node, as a node looks that is killed and hangs in a system call: it is there, it does not answer.
stand_in() { # NODE
	sleep 600 &
	STAND_IN=$!
	started+=("$STAND_IN")
	echo "$STAND_IN $(sed 's/.*) //' "/proc/$STAND_IN/stat" | cut -d' ' -f20) $(cat /proc/sys/kernel/random/boot_id)" >"$dir/node-$1/pid"
}

# Does the process hold a pidfd of the other?
watches() { # PID OTHER
	grep -qsE "^Pid:[[:space:]]+$2$" /proc/"$1"/fdinfo/*
}

start_while_dying() { # NODE
	local starter
	stand_in "$1"
	"$ORDAIN" cluster start --dir "$dir" --timeout 60s &
	starter=$!
	wait_until "$DEADLINE" watches "$starter" "$STAND_IN" && kill -KILL "$STAND_IN" && wait "$starter" && node_pid "$dir" "$1"
}

start_cluster "$dir" 2
for round in 1 2 3 4 5; do
	expect "kill -9 of all nodes and a start at once, round $round" killed_and_started
done
must kill_nodes "$dir" 2
stand_in 2
expect "a node that runs but does not answer is named" says 1 "node 2 " "log" -- "$ORDAIN" cluster start --dir "$dir" --timeout 2s
end_process "$STAND_IN"
expect "a node that ends while it is waited for is started again" start_while_dying 2
expect "then the cluster runs" says 0 "runs already" -- "$ORDAIN" cluster start --dir "$dir"
must signal_node "$dir" 3 STOP
expect "a paused node is left as it is" says 0 "3[[:space:]]paused" -- "$ORDAIN" cluster start --dir "$dir"
expect "unless it is asked for" says 1 "node 3 is paused" -- "$ORDAIN" cluster start --dir "$dir" --node 3 --timeout 1s
must signal_node "$dir" 3 CONT
