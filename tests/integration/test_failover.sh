#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - how long partitions are without an answer after kill -9 of their leader: measured and told; above 10 s is wrong.
. "$(dirname "$0")/lib.sh"
dir=$WORK/cluster
LIMIT_MS=10000

leads_most() { # DIR
	"$PYTHON" - "$(addresses "$1")" <<-'END'
		import sys, collections
		from rpc import Cluster
		leaders = Cluster(sys.argv[1].split(",")).call("cluster")["leaders"]
		print(collections.Counter(node for node in leaders if node).most_common(1)[0][0])
	END
}

measure() { # DIR
	local victim times
	victim=$(leads_most "$1") || return 1
	times=$("$PYTHON" "$HERE/failover.py" --addresses "$(addresses "$1")" --victim "$victim" --pid "$(node_pid "$1" "$victim")") || return 1
	echo "$times"
	echo "# after kill -9 of node $victim its partitions answered again after (ms):${times#failover}" >&3
	[ "${times##* }" -le "$LIMIT_MS" ]
}

exec 3>&1
export PYTHONPATH=$HERE
start_cluster "$dir"
expect "the partitions of a killed leader answer again" measure "$dir"
