#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 - checks who includes whom: the arrows of docs/architecture.md, "Folders".
#
#   check_includes.sh       from the repository's root; prints each forbidden include, exits 1 when there is one
set -eu
awk '
BEGIN {
	may["base"] = "base"
	may["partition"] = "base partition"
	may["raft"] = "base raft"
	may["client"] = "base client"
	may["node"] = "base partition raft client node"
	may["cli"] = "base partition client cli"
	may["jepsen"] = "base client jepsen"
	# `ordain wal dump` reads the log that raft/ writes. Bytes to headers and records, and no more: without libraft, groups and I/O.
	# `ordain restore` writes what raft/ and node/ read at a start: the first log, states, identity. Their own writers, and no more of them.
	single["cli"] = "raft/segment.h raft/record.h raft/members.h node/lmdb_env.h node/lines.h node/self.h"
	# Libraries that only some folders may know.
	only["uv.h"] = "client node cli"
	only["raft.h"] = "raft"
	only["msgpack.h"] = "client node cli"
	only["xxhash.h"] = "base"
	only["zstd.h"] = "partition"
}
function has(list, word) { return index(" " list " ", " " word " ") > 0 }
function wrong(why) { printf "%s:%d: %s: %s\n", FILENAME, FNR, $0, why; bad = 1 }
FNR == 1 { folder = FILENAME; sub(/\/.*/, "", folder) }
/^[ \t]*#[ \t]*include[ \t]*"/ {
	split($0, part, "\"")
	name = part[2]
	into = name
	if (!sub(/\/.*/, "", into))
		wrong("write it from the root, as \"folder/file.h\"")
	else if (folder in may && !has(may[folder], into) && !has(single[folder], name))
		wrong(folder "/ may include " may[folder] " only")
	else if (folder == "tests" && !(into in may) && into != "tests")
		wrong("there is no such folder")
}
/^[ \t]*#[ \t]*include[ \t]*</ {
	name = $0
	sub(/.*</, "", name)
	sub(/>.*/, "", name)
	if (name in only && folder in may && !has(only[name], folder))
		wrong("only " only[name] " may know " name)
}
END { exit bad }' "$@"
