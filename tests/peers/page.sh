# shellcheck shell=bash
# shellcheck disable=SC2154 # set by run.sh
# SPDX-License-Identifier: Apache-2.0 - docs/benchmarks-peers.md of a run.

block() { # FILE
	echo
	echo '```'
	cat "$1"
	echo '```'
	echo
}

# The pages and plots of the benchmarks do not make the tree another one.
commit() {
	local changed
	changed=$(git status --porcelain --untracked-files=no -- . ':!docs/benchmarks*' 2>/dev/null)
	echo "$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)${changed:+ with changes}"
}

page() {
	cat <<-END
		# Beside its peers

		Made by \`make bench-peers\` on $(date -u +%Y-%m-%d), at commit $(commit), from $repeats rounds of
		$SECONDS_MEASURED s each; how is told in [tests/peers](../tests/peers/README.md). Medians of the rounds; ratios are of the two that ran one after the other in
		the same round. Every figure: [benchmarks-peers.tsv](benchmarks-peers.tsv).

		Machine: $(nproc) cores ($(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)), $(awk '/^MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo), $file_system,
		Linux $(uname -r). The load average before the first round was $load_before: all else that runs here takes from what is measured.

		$(awk -f "$here/table.awk" "$table")

		Three nodes and the program that makes the load share the machine's cores, for all systems alike; "cores" says who had how much of them, "CPU µs" what one
		transfer or claim costs altogether. Where nearly all cores are busy, a ratio is one of CPU; where they are not, the system waits for its disk or for itself (rows
		of a database that are locked until a commit is on two disks). "flushes/s" counts what the device below all data was told to flush in that time, by anybody.

		## What is the same

		- Three nodes on one machine and one file system, data in a new directory; one system runs at a time, in turn, and is checked after every load.
		- Free memory has been used before each load: none pays for memory that a virtual machine fetches from its host at first use.
		- An acknowledgement is given when two of three nodes have it on disk: nothing that was acknowledged is lost with any one node.
		- Exactly once: a transfer has a request id; asked again it is told the first outcome, and the id with another payload is refused. No balance passes its
		  limits. Every amount is posted twice. A claim is of a name that nobody has.
		- 10,000 accounts, drawn evenly. Every client asks again when it is answered. The first second is not counted.

		## What is not

		- PostgreSQL is one primary: all accounts in one place, one transaction, no partitions. ordain pays for eight partitions, over which a transfer goes in four stages, each logged on two disks.
		- In favour of PostgreSQL: accounts and ids are integers (ordain: texts, and 16 random bytes); ids ascend for each client; one asset; postings without
		  an index and without balances; batches are made in the server, so that nothing of them is sent or parsed; UNIX sockets (ordain: TCP); standbys
		  that answer no reads. "As sets" does a batch by one statement for each table, which few applications are written for: it is shown beside the function for one transfer, called 1,000 times.
		- In favour of etcd: all clients ask the leader; they share few connections; the client is written in C for this one call; a repeated claim is told only
		  that the name is taken.

		## In force while it was measured

		$(for system in "${systems[@]}"; do
			echo "$system:"
			block "$WORK/settings.$system"
		done)
	END
}
