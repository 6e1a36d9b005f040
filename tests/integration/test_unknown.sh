#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - without a majority: an outcome that nobody knows is status 3, what was certainly not done is 1; both are done once later.
. "$(dirname "$0")/lib.sh"
dir=$WORK/cluster
paid=0   # transfers of 1 that are settled
serial=0 # of request ids
id=      # of the transfer that is looked at

next_id() {
	serial=$((serial + 1))
	id=$(printf '0190b5f0-7c4e-7a11-8f00-%012d' "$serial")
}

# The node that leads the only partition and takes commands; empty when there is none.
leader() {
	"$ORDAIN" cluster status --dir "$dir" | awk '$1 == "partition" && $6 == "yes" { print $3 }'
}

is_led() {
	[ -n "$(leader)" ]
}

is_not_led() {
	! is_led
}

followers_pause() { # LEADER
	local node
	for node in 1 2 3; do
		[ "$node" -eq "$1" ] || signal_node "$dir" "$node" STOP || return 1
	done
}

go_on() {
	local node
	for node in 1 2 3; do
		signal_node "$dir" "$node" CONT || return 1
	done
	wait_until "$DEADLINE" is_led
}

pay() { # OPTION ...
	"$ORDAIN" transfer --payer bank --payee shop --amount 1 --asset EUR --id "$id" "$@"
}

pay_file() { # OPTION ...
	printf 'request_id,payer,payee,amount,asset\n%s,bank,shop,1,EUR\n' "$id" >"$WORK/pay.csv"
	"$ORDAIN" transfer --file "$WORK/pay.csv" --results "$WORK/results.csv" "$@"
}

# Sends a transfer to the leader while its followers are paused: it logs it, and cannot know what becomes of it. Should it notice just before that they
# are silent, and step down, then the answer is that nothing was done: that is looked at, and another transfer is tried.
unknown() { # TEXT COMMAND ...
	local text=$1 lead status
	shift
	while true; do
		wait_until "$DEADLINE" is_led || return 1
		lead=$(leader)
		next_id
		followers_pause "$lead" || return 1
		"$@" --timeout 2s --connect "$(client_address "$dir" "$lead")" >"$WORK/told" 2>&1
		status=$?
		cat "$WORK/told"
		if [ "$status" -ne 1 ]; then
			[ "$status" -eq 3 ] && grep -qE -- "$text" "$WORK/told"
			return
		fi
		go_on && says 1 not_found -- "$ORDAIN" request show "$id" --dir "$dir" || return 1
	done
}

# No leader at all is left, so nothing can be logged.
not_done() {
	next_id
	wait_until "$DEADLINE" is_led && followers_pause "$(leader)" && wait_until "$DEADLINE" is_not_led || return 1
	says 1 "nothing was done" "unavailable" -- "$ORDAIN" transfer --payer bank --payee shop --amount 1 --asset EUR --id "$id" --timeout 2s --dir "$dir"
}

balance_is_paid() {
	says 0 "balance[[:space:]]+$paid\$" "postings[[:space:]]+$paid\$" -- "$ORDAIN" account show shop --dir "$dir"
}

settles_once() { # NAME COMMAND ...
	local name=$1
	shift
	paid=$((paid + 1))
	expect "$name: the same again is settled" "$@" --dir "$dir"
	expect "$name: and again is told from memory" says 0 'status[[:space:]]+settled' 'replayed[[:space:]]+yes' -- \
		"$ORDAIN" transfer --payer bank --payee shop --amount 1 --asset EUR --id "$id" --dir "$dir"
	expect "$name: it was paid once" balance_is_paid
}

start_cluster "$dir" 1
must "$ORDAIN" account open bank --asset EUR --floor=-1000 --dir "$dir"
must "$ORDAIN" account open shop --asset EUR --dir "$dir"

expect "a transfer that nobody acknowledges is unknown" unknown "outcome is not known.*--id $id" pay
expect "the majority is back" go_on
settles_once "a majority that slept" pay

expect "a file of transfers that nobody acknowledges is unknown" unknown "run the same file again" pay_file
expect "its results say so" grep -qx "$id,unknown,unknown_outcome,false," "$WORK/results.csv"
must kill_nodes "$dir" 1 2 3
expect "all nodes are killed and back" timeout "$DEADLINE" "$ORDAIN" cluster start --dir "$dir" --timeout 60s
settles_once "a majority that was killed" pay_file

expect "without a leader, a transfer is certainly not done" not_done
expect "the majority is back again" go_on
expect "the request is not known" says 1 not_found -- "$ORDAIN" request show "$id" --dir "$dir"
expect "nothing was paid" balance_is_paid
settles_once "no leader" pay
