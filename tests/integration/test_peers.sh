#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - make bench-peers: its arithmetic, what it refuses, and that nothing stays when it is told to end.
. "$(dirname "$0")/lib.sh"
peers=$ROOT/tests/peers
columns='round\tsystem\tload\tper_s\tp50_us\tp99_us\tcount\tservers_percent\tdriver_percent\tflushes_per_s\n'

# Three rounds: ordain is 10, 12 and 50 times as fast; what it did in other rounds does not count.
printf "$columns"'1\tordain\tclaims\t10000\t1000\t2000\t1\t150\t50\t7\n1\tetcd\tclaims\t1000\t9000\t20000\t1\t180\t10\t8\n2\tordain\tclaims\t24000\t1200\t2600\t1\t140\t50\t9\n2\tetcd\tclaims\t2000\t8000\t30000\t1\t170\t10\t8\n3\tordain\tclaims\t25000\t1100\t2400\t1\t100\t50\t8\n3\tetcd\tclaims\t500\t12000\t90000\t1\t190\t10\t8\n' >"$WORK/table"
expect "the table has medians with least and most" says 0 'ordain \| 24000 \(10000 to 25000\) \| 1.1 \| 2.4 \| 1.40 \+ 0.50 \| 79 \| 8 \|' 'etcd \| 1000 \(500 to 2000\) \| 9.0 \| 30 \| 1.80 \+ 0.10' -- \
	awk -f "$peers/table.awk" "$WORK/table"
expect "ratios are taken within a round" says 0 'etcd \| 12.0 \(10.0 to 50.0\) \| 10 \|' -- awk -f "$peers/table.awk" "$WORK/table"
head -n 5 "$WORK/table" >"$WORK/two"
expect "the median of two is their middle" says 0 'etcd \| 11.0 \(10.0 to 12.0\) \| 10 \|' -- awk -f "$peers/table.awk" "$WORK/two"
grep -v ordain "$WORK/table" >"$WORK/alone"
expect "what was not measured is not compared" says 0 'etcd \| 1000 \(500 to 2000\)' -- awk -f "$peers/table.awk" "$WORK/alone"
expect "and has no ratio" says 1 -- sh -c "awk -f '$peers/table.awk' '$WORK/alone' | grep 'etcd | [0-9.]* ([0-9.]* to [0-9.]*) | 10'"
sed 's/p50_us/p49_us/' "$WORK/table" >"$WORK/other"
expect "another table is refused" says 1 'not the columns of bench-peers' -- awk -f "$peers/table.awk" "$WORK/other"

expect "a wrong number is named" says 2 'SECONDS=0: both are whole numbers from 1 on' -- "$peers/run.sh" 1 0
expect "so is a load that is not there" says 2 "'etcd:transfers' is none of" -- env PLAN="etcd:transfers" "$peers/run.sh" 1 1

left() { tr '\0' ' ' 2>/dev/null </proc/"$1"/cmdline | grep -F "$WORK/peers"; }
nothing_left() {
	local pid
	[ -z "$(ls -A "$WORK/peers")" ] || return 1
	for pid in /proc/[0-9]*; do
		if left "${pid#/proc/}"; then return 1; fi
	done
}
# Told to end while it loads a system, and while it makes one.
ends_cleanly() { # SYSTEM:LOAD FILE-TO-WAIT-FOR
	local pid
	TMPDIR=$WORK/peers OUT=$WORK/out PLAN=$1 MEMORY_MAX=64 setsid "$peers/run.sh" 1 600 >"$WORK/said.peers" 2>&1 &
	pid=$!
	started+=("$pid")
	wait_until "$DEADLINE" compgen -G "$WORK/peers/*/$2" || return 1
	kill -TERM "$pid"
	wait_until 60 is_over "$pid" || return 1
	nothing_left || return 1
	[ ! -e "$WORK/out" ]
}
mkdir -m 755 "$WORK/peers"
chmod 755 "$WORK"
if [ "$(df --output=fstype "$WORK" | tail -1)" = tmpfs ]; then
	echo "# runs of bench-peers left aside: $WORK is on a tmpfs"
else
	expect "ordain: told to end under load, nothing stays" ends_cleanly ordain:claims said
	if compgen -G '/usr/lib/postgresql/*/bin/pgbench' >/dev/null; then
		expect "PostgreSQL: told to end under load, nothing stays" ends_cleanly postgres:transfers said
		expect "PostgreSQL: told to end while it is made, nothing stays" ends_cleanly postgres:transfers postgres/primary.log
	fi
	if command -v etcd etcdctl >/dev/null && [ -x "$BUILD/etcd-claims" ]; then
		expect "etcd: told to end under load, nothing stays" ends_cleanly etcd:claims said
	fi
fi
