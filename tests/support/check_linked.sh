#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 - checks which libraft a program was linked with: two of them can stand side by side on one machine.
#
#   check_linked.sh PROGRAM
set -eu
program=$1
needed=$(readelf -d "$program" | sed -n 's/.*(NEEDED).*\[\(libraft\.so[^]]*\)\]/\1/p')
if [ -z "$needed" ]; then # linked statically: the linker has found raft_step, which old ones lack
	exit 0
fi
library=$(ldd "$program" 2>/dev/null | awk -v name="$needed" '$1 == name {print $3}')
if [ ! -e "$library" ]; then
	echo "$program needs $needed, which the dynamic linker does not find: is its directory in /etc/ld.so.conf.d?" >&2
	exit 1
fi
if ! nm -D --defined-only "$library" | grep -qw raft_step; then
	echo "$program is linked with $library, which is older than pkg-config says ($(pkg-config --modversion raft)) and has no raft_step()." >&2
	echo "Remove the second libraft, or put the right one first in PKG_CONFIG_PATH and in the linker's path." >&2
	exit 1
fi
