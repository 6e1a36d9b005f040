#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 - names system calls of simulated code that the simulator would let through to the real machine.
#
#   check_wraps.sh BUILD        the objects there must be built; compares what they call with tests/sim/wraps.list
set -eu
build=$1
# Files that are not simulated: main() and what only it calls, the making of real sockets, the threads of shards, and what tests/sim/states.c takes the place of (docs/adr/0009).
outside='main|bind|config_read|lmdb|lmdb_env|lmdb_write|lmdb_copy|mapped|node_threads'
# Functions of the C library that touch the outside: files, sockets, time, chance, threads, processes.
touching='open|openat|creat|close|read|readv|pread|preadv|write|writev|pwrite|pwritev|sendfile|f(data)?sync|sync_file_range|sync|msync|mmap|munmap|fallocate|posix_fallocate|f?truncate|rename|renameat2?|link|linkat|symlink|symlinkat|unlink|unlinkat|mkdir|mkdirat|rmdir|stat|lstat|fstat|fstatat|statx|access|faccessat|scandir|scandirat|opendir|fdopendir|readdir|flock|fcntl|ioctl|dup[23]?|pipe2?|fopen|fdopen|fread|fwrite|fgets|getc|socket|bind|listen|accept4?|connect|shutdown|send|sendto|sendmsg|recv|recvfrom|recvmsg|[gs]etsockopt|getaddrinfo|poll|ppoll|select|epoll_.*|clock_gettime|gettimeofday|time|nanosleep|clock_nanosleep|usleep|sleep|getrandom|getentropy|random|rand|getpid|gethostname|pthread_.*|fork|vfork|execv.*|kill|signal|sigaction|timer_.*|io_uring_.*'

for object in "$build"/base/*.o "$build"/partition/*.o "$build"/raft/*.o "$build"/client/*.o "$build"/node/*.o; do
	echo "$object" | grep -qE "/($outside)\.o$" && continue
	nm -u "$object" | awk -v object="$object" '{sub(/@.*/, "", $2); print $2, object}'
done | awk -v touching="^(__)?($touching)(_chk|_2)?$" '
	NR == FNR { wrapped[$1] = 1; next }
	$1 ~ touching && !($1 in wrapped) {
		printf "%s calls %s, which is not in tests/sim/wraps.list: the simulator would let it through (tests/sim/sys.c)\n", $2, $1
		bad = 1
	}
	END { exit bad }' "$(dirname "$0")/../sim/wraps.list" -
