#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - a libraft that is too old is refused at start, saying why (a shim answers for it here).
. "$(dirname "$0")/lib.sh"
dir=$WORK/cluster

old_library() {
	env LD_PRELOAD="$WORK/old.so" ASAN_OPTIONS="verify_asan_link_order=0:${ASAN_OPTIONS:-}" "$ORDAIND" --config "$dir/node-1/ordaind.conf"
}

cat >"$WORK/old.c" <<-'END'
	int raft_version_number(void);
	int raft_version_number(void) { return 1500; }
END
must gcc -shared -fPIC -o "$WORK/old.so" "$WORK/old.c"
start_cluster "$dir" 1
must timeout "$DEADLINE" "$ORDAIN" cluster stop --dir "$dir"
export -f old_library
export WORK ORDAIND dir
expect "libraft older than 0.22 is refused at start" says 1 "libraft" "0\.22" -- bash -c old_library
expect "with the right one the node starts" start_node "$dir" 1
