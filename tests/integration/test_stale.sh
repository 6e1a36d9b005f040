#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - reads that may be stale: from any node, also from one that has lost all others, with what they have seen.
. "$(dirname "$0")/lib.sh"
dir=$WORK/cluster

must timeout "$DEADLINE" "$ORDAIN" cluster start --nodes 3 --partitions 4 --dir "$dir" --timeout 60s
must "$ORDAIN" account open mint --asset EUR --floor -1000 --dir "$dir"
must "$ORDAIN" account open shop --asset EUR --dir "$dir"
must "$ORDAIN" transfer --payer mint --payee shop --amount 7 --asset EUR --dir "$dir"
must "$ORDAIN" claim users ada "person 1" --dir "$dir"

seen_at() { # NODE ACCOUNT BALANCE
	"$ORDAIN" account show "$2" --stale --connect "$(client_address "$dir" "$1")" --json | grep -qE "\"balance\":$3,.*\"as_of\":\"[0-3]:[0-9]+\""
}

for node in 1 2 3; do
	expect "node $node comes to see it" wait_until "$DEADLINE" seen_at "$node" shop 7
done
expect "the account" says 0 "^as_of	[0-3]:[0-9]+$" -- "$ORDAIN" account show shop --stale --dir "$dir"
expect "its history" says 0 '"next":null,"as_of":"[0-3]:[0-9]+"\}' -- "$ORDAIN" account history shop --stale --dir "$dir" --json
expect "and in words" says 0 "^as of position [0-3]:[0-9]+$" -- "$ORDAIN" account history shop --stale --dir "$dir"
expect "the name" wait_until "$DEADLINE" says 0 "^owner	person 1$" "^as_of	[0-3]:[0-9]+$" -- "$ORDAIN" name show users ada --stale --dir "$dir"
expect "others do not say it" says 1 "as_of" -- sh -c "'$ORDAIN' account show shop --dir '$dir' | grep as_of || { echo no as_of; exit 1; }"
expect "what is not there" says 1 "there is no account 'nobody'" -- "$ORDAIN" account show nobody --stale --dir "$dir"
expect "requests are never stale" says 2 "stale" -- "$ORDAIN" request show 01890000-0000-7000-8000-000000000001 --stale --dir "$dir"
expect "a bench of them" says 0 "workload +reads, stale reads, " "reads +right" -- \
	timeout "$DEADLINE" "$ORDAIN" bench --workload reads --stale --accounts 100 --clients 16 --batch 4 --seconds 1 --dir "$dir"
expect "only of reads" says 2 "stale is for reads" -- "$ORDAIN" bench --stale --dir "$dir"

must "$ORDAIN" cluster kill --node 2 --dir "$dir"
must "$ORDAIN" cluster kill --node 3 --dir "$dir"
expect "a node that has lost all others answers" seen_at 1 shop 7
expect "but not that something is not there" says 1 "unavailable" -- "$ORDAIN" account show nobody --stale --timeout 3s --dir "$dir"
expect "where nothing linearizable can be" says 1 "unavailable" -- "$ORDAIN" account show shop --timeout 3s --dir "$dir"
must timeout "$DEADLINE" "$ORDAIN" cluster start --dir "$dir" --timeout 60s
must "$ORDAIN" cluster stop --dir "$dir"

# The shard that is asked does not have all partitions.
must timeout "$DEADLINE" "$ORDAIN" cluster start --nodes 3 --partitions 4 --shards 2 --dir "$WORK/shards" --timeout 60s
for account in a b c d e f g h; do
	must "$ORDAIN" account open "$account" --asset EUR --dir "$WORK/shards"
	expect "with two shards: $account" says 0 "^as_of	[0-3]:[0-9]+$" -- "$ORDAIN" account show "$account" --stale --dir "$WORK/shards"
done
must "$ORDAIN" cluster stop --dir "$WORK/shards"
