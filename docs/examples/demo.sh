#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - the main job on real processes: a payments file fed twice, a node killed in the middle, every cent accounted for.
#
#   BUILD=build docs/examples/demo.sh
#
# Needs the programs, bash, awk and coreutils. Exit status 0 only if all that is claimed below held; every process and file it made is gone at its end.
#
# How the check can be exact although some overdrafts depend on the order of the logs: from the cluster it takes, for each line of the file, only
# the decision (settled, or refused and why). balances.awk computes from these decisions every balance and number of postings. justify.awk asks of
# each decision whether the rules allow it: most are the same in every order and must be exactly so; where order decides, the account's own
# postings must show that the money was not there while the cluster had the request in hand; and every posting must belong to a decision.
set -eu
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
build=${BUILD:-$here/../../build}
ORDAIN=$(cd "$build" && pwd)/ordain
WORK=$(mktemp -d "${TMPDIR:-/tmp}/ordain-demo.XXXXXX")
DIR=$WORK/cluster
export ORDAIN DIR WORK
KILL_AFTER_LINES=2000
RESTART_AFTER_LINES=5000
PARTITIONS=8
DEADLINE=60 # seconds, for each thing that is waited for
feed_pid=

step() {
	printf '\n== %s\n' "$*"
}

fail() {
	printf 'FAILED: %s\n' "$*" >&2
	exit 1
}

finish() {
	status=$?
	trap - EXIT INT TERM
	if [ -n "$feed_pid" ]; then
		kill -KILL "$feed_pid" 2>/dev/null || true
	fi
	if [ -e "$DIR/cluster.conf" ]; then
		"$ORDAIN" cluster stop --dir "$DIR" --timeout 5s --force >/dev/null 2>&1 || true
	fi
	rm -rf "$WORK"
	if [ "$status" -eq 0 ]; then
		printf '\nAll of it held. %s seconds.\n' "$SECONDS"
	else
		printf '\nThe demo failed (status %s).\n' "$status" >&2
	fi
	exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

# A line of 'ordain cluster status' that is no terminal's: node N STATE RUNNING PID ADDRESS LEADS ...
node_that_leads_most() {
	"$ORDAIN" cluster status --dir "$DIR" | awk '$1 == "node" && $7 > most { most = $7; node = $2 } END { print node }'
}

lines_told() {
	wc -l <"$1" 2>/dev/null || echo 0
}

# All replicas of a partition have the same state: digests are in the order of partitions, three for each.
replicas_agree() {
	"$ORDAIN" cluster status --dir "$DIR" --json | grep -o '"digest":"[0-9a-f]*"' | awk -v partitions="$PARTITIONS" '
		{ count++; if (NR % 3 != 1 && $1 != last) differ++; last = $1 }
		END { exit !(count == 3 * partitions && !differ) }'
}

# What each replica holds, in numbers. (Not its digest: that counts how often it was asked, too.)
figures() {
	"$ORDAIN" cluster status --dir "$DIR" --json | grep -o '"accounts":[0-9]*,"names":[0-9]*,"requests":[0-9]*,"unsettled":[0-9]*,"outbox":[0-9]*'
}

# What was delivered has left the outboxes: that happens a little later than the outcome is told.
outboxes_empty() {
	! figures | grep -q '"outbox":[1-9]'
}

await() { # COMMAND ...
	end=$((SECONDS + DEADLINE))
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || fail "not within $DEADLINE s: $*"
		sleep 0.05
	done
}

# Feeds a file and allows refusals, nothing worse.
feed() { # FILE RESULTS
	status=0
	"$ORDAIN" transfer --dir "$DIR" --file "$1" --results "$2" >/dev/null || status=$?
	[ "$status" -le 1 ] || fail "feeding $1 ended with status $status"
}

# The lines that were sent with the decision on each: request_id,payer,payee,amount,asset,status,reason.
outcomes() { # FILE RESULTS
	paste -d, "$1" "$2" | awk -F, -v OFS=, '
		$1 != $6 { print "line " NR ": the result is of another request" >"/dev/stderr"; exit 1 }
		{ print $1, $2, $3, $4, $5, $7, $8 }'
}

# Runs a function of this script for every line of standard input, four at a time, with the line's words as arguments.
each() { # FUNCTION
	xargs -P 4 -L 1 bash -c "$1"' "$@"' _
}

open_account() { # ACCOUNT ASSET FLOOR CEILING
	"$ORDAIN" account open "$1" --asset "$2" --floor="$3" --ceiling="$4" --dir "$DIR" >/dev/null || exit 255
}

freeze_account() { # ACCOUNT
	"$ORDAIN" account freeze "$1" --dir "$DIR" >/dev/null && echo "  $1 is frozen now" || exit 255
}

# account,asset,balance,postings
show_account() { # ACCOUNT
	"$ORDAIN" account show "$1" --dir "$DIR" | awk -v OFS=, '
		{ value[$1] = $2 }
		END { print value["account"], value["asset"], value["balance"], value["postings"] }'
}

# All postings of an account into a file of its own: account,number,kind,request_id,counterparty,amount,balance_after,time
save_postings() { # ACCOUNT
	from=1
	while [ -n "$from" ]; do
		"$ORDAIN" account history "$1" --from "$from" --limit 1000 --dir "$DIR" 2>"$WORK/more.$1" >"$WORK/page.$1" || exit 255
		awk -v OFS=, -v account="$1" '{ print account, $1, $2, $3, $4, $5, $6, $8 }' "$WORK/page.$1" >>"$WORK/history.$1"
		from=$(sed -n 's/.*--from //p' "$WORK/more.$1") # "more postings: go on with --from N"
	done
}

# request_id,logged,decided
show_times() { # REQUEST
	"$ORDAIN" request show "$1" --dir "$DIR" | awk -v OFS=, '
		{ value[$1] = $2 }
		END { print value["id"], value["logged_us"], value["decided_us"] }'
}
export -f open_account freeze_account show_account save_postings show_times

accounts() {
	awk -F, 'NR > 1 { print $1 }' "$here/accounts.csv"
}

# What the cluster reads, in the order of accounts.csv.
balances() {
	echo "account,asset,balance,postings"
	accounts | each show_account | awk -F, '
		NR == FNR { line[$1] = $0; next }
		FNR > 1 { print line[$1] }' - "$here/accounts.csv"
}

tally() { # RESULTS
	awk -F, 'NR > 1 { count[$2 == "settled" ? "settled" : $2 " " $3]++; replayed += $4 == "true" }
		END { for (what in count) printf "  %6d  %s\n", count[what], what; printf "  (%d of them replayed)\n", replayed }' "$1" | sort -r
}

step "1. A cluster of 3 node processes and $PARTITIONS partitions"
"$ORDAIN" cluster start --nodes 3 --partitions "$PARTITIONS" --dir "$DIR" | awk '$1 == "node" { print "  node " $2 ", pid " $5 ", clients on " $6 ", leads " $7 }'

step "2. 200 accounts, their money brought by two banks whose floors are below zero"
awk -F, 'NR > 1 { print $1, $2, $3, $4 }' "$here/accounts.csv" | each open_account
feed "$here/openings.csv" "$WORK/openings.results"
outcomes "$here/openings.csv" "$WORK/openings.results" >"$WORK/openings.csv"
awk -F, 'NR > 1 && $6 != "settled"' "$WORK/openings.csv" | grep . && fail "an opening was not settled"
awk -F, '$5 == "frozen" { print $1 }' "$here/accounts.csv" | each freeze_account

step "3. 10,000 payments; in the middle, kill -9 of the node that leads most partitions"
victim=$(node_that_leads_most)
results=$WORK/first.results
: >"$results"
"$ORDAIN" transfer --dir "$DIR" --file "$here/payments.csv" --results "$results" --batch 20 --parallel 2 >/dev/null 2>"$WORK/feed.log" &
feed_pid=$!
told_are() { # COUNT
	[ "$(lines_told "$results")" -ge "$1" ]
}
await told_are "$KILL_AFTER_LINES"
"$ORDAIN" cluster kill --dir "$DIR" --node "$victim" >/dev/null
told=$(lines_told "$results")
kill -0 "$feed_pid" 2>/dev/null || fail "the feed was over before the kill; it proves nothing"
echo "  node $victim killed with SIGKILL when outcomes of $((told - 1)) lines had been told"
await told_are "$RESTART_AFTER_LINES"
echo "  the other two go on alone: $(($(lines_told "$results") - 1)) lines"
"$ORDAIN" cluster restart --dir "$DIR" --node "$victim" >/dev/null
echo "  node $victim started again and is one of three again: $(($(lines_told "$results") - 1)) lines"
status=0
wait "$feed_pid" || status=$?
feed_pid=
[ "$status" -le 1 ] || fail "the feed ended with status $status: $(cat "$WORK/feed.log")"
[ "$(lines_told "$results")" -eq "$(lines_told "$here/payments.csv")" ] || fail "not every line was answered"
tally "$results"

step "4. The same file again, in full"
await replicas_agree
await outboxes_empty
figures >"$WORK/figures.before"
balances >"$WORK/balances.before"
feed "$here/payments.csv" "$WORK/second.results"
tally "$WORK/second.results"
cut -d, -f1-3 "$results" >"$WORK/first.decisions"
cut -d, -f1-3 "$WORK/second.results" >"$WORK/second.decisions"
cmp "$WORK/first.decisions" "$WORK/second.decisions" || fail "a decision changed"
awk -F, 'NR > 1 && $4 != "true" && $3 != "id_reused"' "$WORK/second.results" | grep . && fail "a line was done anew"
await replicas_agree
figures >"$WORK/figures.after"
balances >"$WORK/balances.after"
cmp "$WORK/balances.before" "$WORK/balances.after" || fail "a balance changed"
diff "$WORK/figures.before" "$WORK/figures.after" || fail "a replica holds something else than before"
echo "  every decision is the same, every line was answered from memory; balances, postings and requests are what they were,"
echo "  and the three replicas of each partition agree (digests)"

IFS=, read -r id payer payee amount asset _ <<<"$(paste -d, "$here/payments.csv" "$results" | awk -F, '$8 == "id_reused"' | head -n 1)"
said=$("$ORDAIN" transfer --id "$id" --payer "$payer" --payee "$payee" --amount "$amount" --asset "$asset" --dir "$DIR" 2>&1 >/dev/null) || true
[[ $said == *"id_reused, field amount"* ]] || fail "the field that differs is not named: $said"
echo "  one of those with another amount: $said"

step "5. Every balance, computed without the cluster"
outcomes "$here/payments.csv" "$results" >"$WORK/outcomes.csv"
awk -f "$here/balances.awk" "$here/accounts.csv" "$WORK/openings.csv" "$WORK/outcomes.csv" >"$WORK/balances.expected"
diff "$WORK/balances.expected" "$WORK/balances.after" || fail "a balance is not what the decisions make it"
awk -F, 'NR > 1 { sum[$2] += $3; accounts[$2]++ }
	END { for (asset in sum) { printf "  %s: %d accounts agree to the cent, their sum is %d\n", asset, accounts[asset], sum[asset]; wrong += sum[asset] != 0 }
	exit wrong > 0 }' "$WORK/balances.after" || fail "money came from nowhere or went away"

step "6. Every decision and every posting, against the rules"
accounts | each save_postings
{ echo "account,number,kind,request_id,counterparty,amount,balance_after,time" && cat "$WORK"/history.*; } >"$WORK/postings.csv"
{
	echo "request_id,logged,decided"
	awk -F, '$7 == "below_floor" || $7 == "above_ceiling" { print $1 }' "$WORK/outcomes.csv" | sort -u | each show_times
} >"$WORK/times.csv"
awk -f "$here/justify.awk" kind=account "$here/accounts.csv" kind=opening "$WORK/openings.csv" kind=line "$WORK/outcomes.csv" \
	kind=posting "$WORK/postings.csv" kind=time "$WORK/times.csv" || fail "see above"

step "7. Two clients claim the same name at once"
for owner in alice bob; do
	{ "$ORDAIN" claim users ada "$owner" --dir "$DIR" 2>/dev/null || true; } | awk '$1 == "status" || $1 == "reason" { printf "%s ", $2 }' >"$WORK/claim.$owner" &
done
wait
for owner in alice bob; do
	echo "  $owner: $(cat "$WORK/claim.$owner")"
done
[ "$(cat "$WORK/claim.alice" "$WORK/claim.bob" | grep -o settled | wc -l)" -eq 1 ] || fail "there must be one winner"
[ "$(cat "$WORK/claim.alice" "$WORK/claim.bob" | grep -o name_taken | wc -l)" -eq 1 ] || fail "there must be one loser"
winner=$(grep -l settled "$WORK/claim.alice" "$WORK/claim.bob")
winner=${winner##*.}
owner=$("$ORDAIN" name show users ada --dir "$DIR" | awk '$1 == "owner" { print $2 }')
[ "$owner" = "$winner" ] || fail "$winner won, but $owner has the name"
echo "  users/ada belongs to $owner"
