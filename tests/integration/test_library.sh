#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - a libraft that is too old is refused at start, saying why.
. "$(dirname "$0")/lib.sh"
dir=$WORK/cluster

# A library of the same name with everything that the node asks for by name, as an older libraft has it; what came with 0.22 is missing.
make_old_library() {
	local soname
	soname=$(ldd "$ORDAIND" | awk '$1 ~ /^libraft\./ { print $1 }')
	mkdir -p "$WORK/old"
	{ echo raft_init && nm -D --undefined-only "$ORDAIND" | awk '{ print $2 }' | grep '^raft_'; } | grep -v raft_match_index | sort -u |
		awk '{ print "void " $1 "(void); void " $1 "(void) {}" }' >"$WORK/old.c"
	gcc -shared -fPIC -Wl,-soname,"$soname" -o "$WORK/old/$soname" "$WORK/old.c" && test -n "$soname"
}

must make_old_library
start_cluster "$dir" 1
must timeout "$DEADLINE" "$ORDAIN" cluster stop --dir "$dir"
expect "libraft older than 0.22 is refused at start, saying why" says 1 "libraft.*older than 0\.22" "install" -- \
	env LD_LIBRARY_PATH="$WORK/old" "$ORDAIND" --config "$dir/node-1/ordaind.conf"
expect "with the right one the node starts" timeout "$DEADLINE" "$ORDAIN" cluster start --dir "$dir"
