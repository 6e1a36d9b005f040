#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - `ordain log` reads files of history that were made from the description of the format alone: sound ones, damaged ones, unfinished ones.
. "$(dirname "$0")/lib.sh"
data=$WORK/made/data

make_history() { # SEED
	rm -rf "$WORK/made"
	must "$PYTHON" "$HERE/history.py" make "$data" "$1"
}

# "FILE OFFSET LENGTH FIRST LAST" of a block.
block() { # PARTITION NUMBER
	sed -n "$2p" "$WORK/made/blocks.$1"
}

flip() { # FILE OFFSET
	must "$PYTHON" "$HERE/history.py" flip "$1" "$2"
}

cut_to() { # FILE LENGTH
	must "$PYTHON" "$HERE/history.py" cut "$1" "$2"
}

# The lines of a dump that must be printed, without those from position FIRST to LAST (none: all).
wanted() { # PARTITION [FIRST LAST]
	awk -F'[:\t]' -v first="${2:--1}" -v last="${3:--2}" '$2 < first || $2 > last' "$WORK/made/dump.$1"
}

# Prints a partition, with exit status STATUS: the lines are those of the file WANTED, and what stands on stderr matches TEXT; nothing when that is empty.
dumps() { # STATUS TEXT WANTED OPTION ...
	local status=$1 text=$2 lines=$3 got
	shift 3
	"$ORDAIN" log dump --data "$data" "$@" >"$WORK/out" 2>"$WORK/err"
	got=$?
	cat "$WORK/err"
	diff "$WORK/out" "$lines" | head -n 5
	[ "$got" -eq "$status" ] && cmp -s "$WORK/out" "$lines" || return 1
	if [ -n "$text" ]; then grep -qE -- "$text" "$WORK/err"; else [ ! -s "$WORK/err" ]; fi
}

dumps_json() {
	"$ORDAIN" log dump --data "$data" --partition 0 --json | "$PYTHON" -c '
import json, sys
for made in open(sys.argv[1], encoding="utf-8"):
    position, entry, _, kind, name, fields = made.rstrip("\n").split("\t")
    line = json.loads(sys.stdin.readline())
    assert line["position"] == position and "%d.%d" % (line["index"], line["term"]) == entry, line
    assert line["kind"] == kind and (line["id"] or "-") == name, line
    if kind == "transfer":
        assert "amount=%d " % line["fields"]["amount"] in fields, line
    if kind == "deliver":
        assert line["fields"]["count"] == len(line["fields"]["messages"]), line
assert sys.stdin.readline() == ""' "$WORK/made/dump.0"
}

# --- sound ---

make_history 1
sums=$(cd "$data" && find . -type f -exec sha256sum {} + | sort)
wanted 0 >"$WORK/wanted.0"
wanted 1 >"$WORK/wanted.1"
: >"$WORK/nothing"
expect "every command of the history is printed" dumps 0 '' "$WORK/wanted.0" --partition 0
expect "that of another partition, too" dumps 0 '' "$WORK/wanted.1" --partition 1
expect "as JSON, an object a line" dumps_json
read -r _ _ _ first last <<<"$(block 0 5)"
awk -F'[:\t]' -v first=$((first + 1)) -v last=$((last + 1)) '$2 >= first && $2 <= last' "$WORK/wanted.0" >"$WORK/part"
expect "from one position to another" dumps 0 '' "$WORK/part" --partition 0 --from $((first + 1)) --to $((last + 1))
sed -n "$((last + 1))p" "$WORK/wanted.0" >"$WORK/part"
expect "a single position" dumps 0 '' "$WORK/part" --partition 0 --from "$last" --to "$last"
expect "behind the end there is nothing" dumps 0 '' "$WORK/nothing" --partition 0 --from 1000000
expect "sound files are verified, with the hash at their end" says 0 "^0	3	8	0	$(($(wc -l <"$WORK/wanted.0") - 1))	.*$(cat "$WORK/made/chain.0")	0	-" \
	"^1	1	2	0	.*$(cat "$WORK/made/chain.1")	0	-" -- "$ORDAIN" log verify --data "$data"
expect "one partition alone" says 0 "^1	1	2" -- "$ORDAIN" log verify --data "$data" --partition 1
at() { "$ORDAIN" log dump --data "$data" --partition 0 --from "$1" --to "$1" | cut -f3; }
from_to() { "$ORDAIN" log dump --data "$data" --partition 0 --from-time "$(at 100)" --to-time "$(at 150)" | cut -f1 | tr '\n' ' '; }
expect "a range of time" from_to
must [ "$(from_to | tr ' ' '\n' | grep -c '^0:1[0-4][0-9]$')" -ge 40 ]
expect "no time" says 2 "from-time: 'noon' is no time" -- "$ORDAIN" log dump --data "$data" --partition 0 --from-time noon
expect "as JSON" says 0 '"partition":1,"files":1,"blocks":2,.*"damaged":0,"file":null' -- "$ORDAIN" log verify --data "$data" --partition 1 --json
expect "nothing was written" test "$sums" = "$(cd "$data" && find . -type f -exec sha256sum {} + | sort)"

# --- damaged ---

# One bit of block 4 to 7: what is not in that block is printed.
for damage in "4 0 no block begins here" "5 50 checksum of the block's header" "7 180 checksum of the block's header" "2 200 checksum of the block's content"; do
	read -r number at why <<<"$damage"
	read -r file offset length first last <<<"$(block 0 "$number")"
	make_history 1
	flip "$file" $((offset + at))
	wanted 0 "$first" "$last" >"$WORK/rest"
	expect "byte $at of block $number is wrong: the dump goes on behind it" dumps 1 "$(basename "$file"), offset $offset: .*$why.*; skipped $length bytes" "$WORK/rest" \
		--partition 0
	expect "and verify names it" says 1 "^0	3	7	.*	1	$file	$offset	.*$why" "^1	1	2	.*	0	-" "$file, offset $offset: .*$why" -- "$ORDAIN" log verify --data "$data"
done

make_history 1
read -r file offset _ <<<"$(block 0 4)"
flip "$file" 20
expect "the header of a file is wrong: its blocks are printed" dumps 1 "$(basename "$file"), offset 0: .*file's header" "$WORK/wanted.0" --partition 0
expect "and verify names it " says 1 "^0	3	8	.*	1	$file	0	.*file's header" -- "$ORDAIN" log verify --data "$data"

make_history 1
read -r file _ _ first _ <<<"$(block 0 4)"
read -r next _ _ last _ <<<"$(block 0 6)"
rm "$file"
wanted 0 "$first" $((last - 1)) >"$WORK/rest"
expect "a file is missing: the rest is printed" dumps 1 "$(basename "$next"), offset 64: blocks 4 to 5 are missing" "$WORK/rest" --partition 0
expect "and verify says what is missing" says 1 "	1	$next	64	blocks 4 to 5 are missing before it	2" -- "$ORDAIN" log verify --data "$data"

make_history 1
read -r file _ _ first last _ <<<"$(block 0 4)"
wanted 0 "$first" "$last" >/dev/null
mv "$file" "$file.damaged-1"
expect "a file that was set aside is named" says 1 "$file.damaged-1 was set aside" -- "$ORDAIN" log verify --data "$data" --partition 0
expect "and can be printed alone" says 0 "^0:" -- "$ORDAIN" log dump "$file.damaged-1"
expect "alone" says 2 "leave --data out" -- "$ORDAIN" log dump "$file.damaged-1" --data "$data"

make_history 1
read -r file _ _ first _ <<<"$(block 0 4)"
cut_to "$file" 100
read -r _ _ _ last _ <<<"$(block 0 6)"
wanted 0 "$first" $((last - 1)) >"$WORK/rest"
expect "a file in the middle is short: the rest is printed" dumps 1 "$(basename "$file"), offset 64: .*file ends" "$WORK/rest" --partition 0

# Sound in itself, with the right number, and of another history.
make_history 2
read -r file _ <<<"$(block 0 4)"
cp "$file" "$WORK/other"
make_history 1
cp "$WORK/other" "$file"
expect "a file of another history breaks the chain" says 1 "$file	64	.*(follow|chain)" -- "$ORDAIN" log verify --data "$data" --partition 0

make_history 1
mv "$data/history/1" "$data/history/3"
expect "a file of another partition is named" says 1 "history/3/00000000000000000001.hist	0	.*belongs to partition 1" -- "$ORDAIN" log verify --data "$data"
sed -i 's/cluster_id = 0e42/cluster_id = 0e43/' "$data/identity"
expect "so is one of another cluster" says 1 "history/0/00000000000000000001.hist	0	.*another cluster" -- "$ORDAIN" log verify --data "$data" --partition 0

# --- unfinished: what a node that runs, or was killed, has at the end of its last file ---

make_history 1
read -r file offset length first last <<<"$(block 0 8)"
wanted 0 "$first" "$last" >"$WORK/rest"
for len in $((offset + length - 1)) $((offset + 100)) $((offset + 1)); do
	cut_to "$file" "$len"
	expect "the last block has $((len - offset)) of its bytes: it is left out" dumps 0 '' "$WORK/rest" --partition 0
	expect "and verify says that it is unfinished" says 0 "^0	3	7	.*	$((len - offset))	[0-9a-f]{64}	0	-" -- "$ORDAIN" log verify --data "$data" --partition 0
done

# --- wrong words ---

expect "a directory without history" says 2 "no history in $WORK/made;.*node-N/data" -- "$ORDAIN" log verify --data "$WORK/made"
expect "a partition that is not there" says 2 "history/5: there is no history of that partition" -- "$ORDAIN" log dump --data "$data" --partition 5
expect "verify says so, too" says 2 "history/5: there is no history" -- "$ORDAIN" log verify --data "$data" --partition 5
expect "no directory" says 2 "data is missing" -- "$ORDAIN" log verify
expect "no partition" says 2 "partition is missing" -- "$ORDAIN" log dump --data "$data"
expect "a position that is none" says 2 "from: '-3'" -- "$ORDAIN" log dump --data "$data" --partition 0 --from=-3
