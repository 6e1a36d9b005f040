#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - nodes of several shards, each a thread: killed one after the other and all at once while transfers run between shards; a backup, restored with another number of shards; one shard's disk is lost; the number stays what it was.
. "$(dirname "$0")/lib.sh"
dir=$WORK/cluster
outcomes=$WORK/outcomes

# Each partition has a leader that takes commands, and a vote of every node.
is_ready() {
	"$ORDAIN" cluster status --dir "$dir" | awk -F'\t' '$1 == "partition" && $6 == "yes" && $8 == "1,2,3" { n++ } END { exit n != 7 }'
}

threads_of() { # NODE
	find "/proc/$(node_pid "$dir" "$1")/task" -mindepth 1 -maxdepth 1 | wc -l
}

must timeout "$DEADLINE" "$ORDAIN" cluster start --nodes 3 --partitions 7 --shards 3 --dir "$dir" --timeout 60s
expect "each shard has a directory" test -d "$dir/node-1/data/shard-0/wal" -a -d "$dir/node-1/data/shard-2/wal" -a ! -e "$dir/node-1/data/wal"
expect "with its own partitions" test -d "$dir/node-1/data/shard-1/history/4" -a ! -e "$dir/node-1/data/shard-1/history/3"
expect "and threads" test "$(threads_of 1)" -ge 3
start_load "$dir" "$outcomes"
must await_progress "$outcomes" 500
for node in 1 2 3; do
	must kill_nodes "$dir" "$node"
	expect "transfers go on without node $node" await_progress "$outcomes" 300
	expect "node $node starts again" start_node "$dir" "$node"
	expect "transfers go on with node $node back" await_progress "$outcomes" 300
done
expect "scrub asks all shards" says 0 "" -- "$ORDAIN" scrub --dir "$dir" --now
cp "$outcomes" "$WORK/told"
expect "all shards of a node are backed up under load" timeout "$DEADLINE" "$ORDAIN" backup --to "$WORK/backup" --dir "$dir" --node 2
must kill_nodes "$dir" 1 2 3
must timeout "$DEADLINE" "$ORDAIN" cluster start --dir "$dir" --timeout 60s
expect "transfers go on after all were killed" await_progress "$outcomes" 500
must kill_nodes "$dir" 2
must rm -r "$dir/node-2/data/shard-1"
expect "a node that lost the disk of one shard starts" start_node "$dir" 2
expect "and has its votes again" wait_until "$DEADLINE" is_ready
expect "transfers go on" await_progress "$outcomes" 500
expect "a node whose disk is to be lost is found among those that have one" says 0 "wiped" -- "$ORDAIN" fault wipe 3 --dir "$dir"
expect "it starts" start_node "$dir" 3
expect "and has its votes again, too" wait_until "$DEADLINE" is_ready
expect "every request got its outcome" stop_load "$outcomes"
expect "outcomes, balances and digests agree everywhere" verify "$dir" "$outcomes"
expect "the history of each shard is sound" "$ORDAIN" log verify --data "$dir/node-1/data/shard-1"
expect "of the whole directory, it says which ones there are" says 2 "give one of them, shard-K" -- "$ORDAIN" log verify --data "$dir/node-1/data"
expect "of one shard alone no backup is made" says 2 "is of one shard of a node that has 3" -- "$ORDAIN" backup --to "$WORK/part" --data "$dir/node-1/data/shard-1"
must "$ORDAIN" cluster stop --dir "$dir"
for shards in 1 2; do
	new=$WORK/new-$shards
	expect "the backup becomes a cluster of nodes of $shards shards" timeout "$DEADLINE" "$ORDAIN" restore --from "$WORK/backup" --dir "$new" --shards "$shards"
	must timeout "$DEADLINE" "$ORDAIN" cluster start --dir "$new" --timeout 60s
	expect "$shards: all that was told before is told again, and all balances sum to zero" "$PYTHON" "$HERE/verify.py" --addresses "$(addresses "$new")" --outcomes "$WORK/told" --some
	expect "$shards: new work is done" says 0 "settled" -- "$ORDAIN" transfer --payer load-bank --payee load-007 --amount 5 --asset EUR --dir "$new"
	must "$ORDAIN" cluster stop --dir "$new"
done
expect "nor of more shards than the backup has partitions" says 2 "must be at most the number of partitions, of which the backup has 7" -- "$ORDAIN" restore --from "$WORK/backup" --dir "$WORK/new-8" --shards 8
expect "another number of shards is refused" says 1 "belongs to a node of 3 shards, the configuration says 2" -- "$ORDAIND" --config "$dir/node-1/ordaind.conf" --shards 2
expect "one shard, too" says 1 "belongs to a node of several shards, the configuration says shards = 1" -- "$ORDAIND" --config "$dir/node-1/ordaind.conf" --shards 1
expect "more shards than partitions make no sense" says 2 "shards: 8 must be at most the number of partitions, which is 7" -- "$ORDAIND" --config "$dir/node-1/ordaind.conf" --shards 8
expect "nor for a new cluster" says 2 "--shards: 9 must be at most --partitions, which is 8" -- "$ORDAIN" cluster start --dir "$WORK/other" --shards 9
expect "the number is for the cluster's life" says 2 "--shards: the cluster in .* has 3 shards for its whole life" -- "$ORDAIN" cluster start --dir "$dir" --shards 2
