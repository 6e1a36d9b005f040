#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - a backup of a cluster under load becomes a new cluster that has all that was told before; what is damaged or in the way is refused by name.
. "$(dirname "$0")/lib.sh"
dir=$WORK/cluster
new=$WORK/new
outcomes=$WORK/outcomes
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}handle_segv=0:handle_abort=0 # damaged pages may end a child: that is what it is for

data_of() { # NODE
	echo "$dir/node-$1/data"
}

backup() { # TARGET OPTION ...
	timeout "$DEADLINE" "$ORDAIN" backup --to "$@"
}

restore() { # BACKUP DIR OPTION ...
	local from=$1 to=$2
	shift 2
	timeout "$DEADLINE" "$ORDAIN" restore --from "$from" --dir "$to" "$@"
}

# The three tools find nothing wrong in a data directory; and a replay comes to the state that is there, when a third word says so.
is_sound() { # DATA [COMPARED]
	local partition
	"$ORDAIN" log verify --data "$1" || return 1
	"$ORDAIN" state verify --data "$1" || return 1
	for partition in 0 1 2 3; do
		"$ORDAIN" replay --data "$1" --partition "$partition" >"$WORK/replay" || return 1
		cat "$WORK/replay"
		[ -z "${2-}" ] || grep -q "^compared	$2\$" "$WORK/replay" || return 1
	done
}

# A copy of a backup with one byte of one file changed.
spoil() { # BACKUP FILE
	local bytes
	rm -rf "$WORK/spoilt"
	must cp -a "$1" "$WORK/spoilt"
	bytes=$(stat -c %s "$WORK/spoilt/$2")
	must "$PYTHON" "$HERE/history.py" flip "$WORK/spoilt/$2" $((bytes / 2))
}

is_gone() { # PATH ...
	local path
	for path; do
		[ ! -e "$path" ] && [ ! -e "$path.tmp" ] || return 1
	done
}

must timeout "$DEADLINE" "$ORDAIN" cluster start --nodes 3 --partitions 4 --dir "$dir" --timeout 60s

# --- nothing yet ---

expect "a backup of a cluster in which nothing has happened, without waiting a minute for checkpoints" timeout 30 "$ORDAIN" backup --to "$WORK/empty" --dir "$dir"
expect "a replay comes to its states" is_sound "$WORK/empty" equal
expect "becomes a cluster" restore "$WORK/empty" "$WORK/empty-new"
expect "that starts" timeout "$DEADLINE" "$ORDAIN" cluster start --dir "$WORK/empty-new" --timeout 60s
expect "and takes work" "$ORDAIN" account open alice --asset EUR --dir "$WORK/empty-new"
must "$ORDAIN" cluster stop --dir "$WORK/empty-new"

# --- under load ---

start_load "$dir" "$outcomes" --clients 2
must await_progress "$outcomes" 12000
for node in 1 2 3; do
	cp "$outcomes" "$WORK/told-$node"
	expect "node $node is backed up under load" backup "$WORK/backup-$node" --dir "$dir" --node "$node"
	expect "node $node: a replay of the backup comes to its states" is_sound "$WORK/backup-$node" equal
done
expect "every request got its outcome" stop_load "$outcomes"
cp "$outcomes" "$WORK/told-4"
expect "the cluster is backed up at rest" backup "$WORK/backup-4" --dir "$dir" --node 2
for backup in 1 3 4; do
	rm -rf "$new"
	expect "backup $backup becomes a cluster" restore "$WORK/backup-$backup" "$new"
	must timeout "$DEADLINE" "$ORDAIN" cluster start --dir "$new" --timeout 60s
	expect "backup $backup: new work is done" says 0 "settled" -- "$ORDAIN" transfer --payer load-bank --payee load-007 --amount 5 --asset EUR --dir "$new"
	expect "backup $backup: all that was told before is told again, and all balances sum to zero" \
		"$PYTHON" "$HERE/verify.py" --addresses "$(addresses "$new")" --outcomes "$WORK/told-$backup" --some
	must "$ORDAIN" cluster stop --dir "$new"
	for node in 1 2 3; do
		expect "backup $backup: node $node of the new cluster is sound" is_sound "$new/node-$node/data"
	done
	must timeout "$DEADLINE" "$ORDAIN" cluster start --dir "$new" --timeout 60s
	must "$ORDAIN" cluster stop --dir "$new"
done
expect "a backup of the new cluster" backup "$WORK/again" --data "$new/node-1/data"
expect "and that is sound, too" is_sound "$WORK/again" equal
rm -rf "$new"
expect "with another number of nodes" restore "$WORK/backup-1" "$new" --nodes 1
must timeout "$DEADLINE" "$ORDAIN" cluster start --dir "$new" --timeout 60s
expect "one node has all of it" "$PYTHON" "$HERE/verify.py" --addresses "$(client_address "$new" 1)" --outcomes "$WORK/told-1" --some
must "$ORDAIN" cluster stop --dir "$new"

# --- of nodes that were killed: their checkpoints are of any moments ---

# Either they go together, or that is said. Nothing else may become a backup: money would be missing in it.
killed_is_told() { # NODE
	if backup "$WORK/killed-$1" --data "$(data_of "$1")" 2>"$WORK/killed"; then
		is_sound "$WORK/killed-$1" equal
	else
		grep "has applied message .* start the node" "$WORK/killed"
	fi
}

for node in 1 2 3; do
	must "$ORDAIN" cluster stop --dir "$dir" --node "$node"
	printf 'checkpoint_bytes = 1M\n' >>"$dir/node-$node/ordaind.conf"
done
must timeout "$DEADLINE" "$ORDAIN" cluster start --dir "$dir" --timeout 60s
cp "$outcomes" "$WORK/told-5"
start_load "$dir" "$outcomes" --clients 3
must await_progress "$outcomes" 6000
must kill_nodes "$dir" 1 2 3
end_process "$LOAD_PID"
for node in 1 2 3; do
	expect "node $node was killed: its states go together, or it is said that they do not" killed_is_told "$node"
done
must timeout "$DEADLINE" "$ORDAIN" cluster start --dir "$dir" --timeout 60s
expect "started again it is backed up" backup "$WORK/backup-5" --dir "$dir" --node 3
rm -rf "$new"
must restore "$WORK/backup-5" "$new"
must timeout "$DEADLINE" "$ORDAIN" cluster start --dir "$new" --timeout 60s
expect "and becomes a cluster in which no money is missing" \
	"$PYTHON" "$HERE/verify.py" --addresses "$(addresses "$new")" --outcomes "$WORK/told-5" --some
must "$ORDAIN" cluster stop --dir "$new"

# --- of a node that does not run, whose checkpoints are of a moment at rest ---

must backup "$WORK/rest" --dir "$dir" --node 3 # which has it write them
must "$ORDAIN" cluster stop --dir "$dir"
before=$(cd "$dir" && find . -type f -exec sha256sum {} + | sort)
expect "a stopped node says what is not in it" says 0 "does not run: what came after its last checkpoints" -- "$ORDAIN" backup --to "$WORK/stopped" --data "$(data_of 3)"
expect "and is sound" is_sound "$WORK/stopped" equal
expect "nothing was written" test "$before" = "$(cd "$dir" && find . -type f -exec sha256sum {} + | sort)"

# --- what is in the way ---

expect "a backup takes no name that is there" says 2 "backup-1 exists" -- "$ORDAIN" backup --to "$WORK/backup-1" --data "$(data_of 3)"
must mkdir "$WORK/draft.tmp"
expect "nor one that is under way" says 2 "draft.tmp exists.*remove it" -- "$ORDAIN" backup --to "$WORK/draft" --data "$(data_of 3)"
expect "which node" says 2 "give --data DIR" -- "$ORDAIN" backup --to "$WORK/other"
expect "no such node" says 2 "no node 7" -- "$ORDAIN" backup --to "$WORK/other" --dir "$dir" --node 7
expect "no data directory" says 2 "identity" -- "$ORDAIN" backup --to "$WORK/other" --data "$WORK/told-1"
expect "a restore takes no directory that is there" says 2 "cluster exists" -- "$ORDAIN" restore --from "$WORK/backup-1" --dir "$dir"
expect "no backup" says 2 "manifest.*'ordain backup' has made" -- "$ORDAIN" restore --from "$WORK" --dir "$WORK/other"
expect "what was refused left nothing" is_gone "$WORK/other"

# --- damage ---

for file in manifest $(cd "$WORK/backup-2" && find history state -type f | sort); do
	spoil "$WORK/backup-2" "$file"
	expect "a byte of $file is another one" says 1 "spoilt/$file .*(changed|not as it was written)" -- "$ORDAIN" restore --from "$WORK/spoilt" --dir "$WORK/other"
done
spoil "$WORK/backup-2" state/1/data.mdb
must truncate -s 4096 "$WORK/spoilt/state/1/data.mdb"
expect "a file that was cut short" says 1 "state/1/data.mdb has 4096 bytes" -- "$ORDAIN" restore --from "$WORK/spoilt" --dir "$WORK/other"
rm "$WORK/spoilt/state/1/data.mdb"
expect "a file that is gone" says 1 "state/1/data.mdb: No such file" -- "$ORDAIN" restore --from "$WORK/spoilt" --dir "$WORK/other"
"$PYTHON" - "$HERE" "$WORK/spoilt/manifest" <<'PY'
import sys
sys.path.insert(0, sys.argv[1])
from history import crc32c
text = open(sys.argv[2], "rb").read().replace(b"format = 1", b"format = 9").replace(b"made_by = ", b"made_by = 7.")
text = text[:text.rindex(b"check = ")]
open(sys.argv[2], "wb").write(text + b"check = %08x\n" % crc32c(text))
PY
expect "another format names the version that wrote it" says 2 "format 9, made by ordain 7" -- "$ORDAIN" restore --from "$WORK/spoilt" --dir "$WORK/other"
first=$(find "$(data_of 3)/history/0" -name '*.hist' | sort | head -n 1)
must "$PYTHON" "$HERE/history.py" flip "$first" 300
expect "a damaged history of a node is not backed up" says 1 "history/0/.*offset 64: .*checksum" -- "$ORDAIN" backup --to "$WORK/other" --data "$(data_of 3)"
must "$PYTHON" "$HERE/state.py" flip "$(data_of 3)/state/1/data.mdb" 2
expect "nor a damaged state" says 1 "node-3/data/state/1/data.mdb.*state verify" -- "$ORDAIN" backup --to "$WORK/other" --data "$(data_of 3)"
expect "what was refused left nothing behind" is_gone "$WORK/other"
