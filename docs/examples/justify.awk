# SPDX-License-Identifier: Apache-2.0 - was every decision right, and is every posting accounted for? Shares no code with the cluster.
#
#   awk -f justify.awk kind=account accounts.csv kind=opening openings.csv kind=line outcomes.csv kind=posting postings.csv \
#       kind=time times.csv
#
#   openings.csv, outcomes.csv   request_id,payer,payee,amount,asset,status,reason    lines as sent, and the decision on each
#   postings.csv                 account,number,kind,request_id,counterparty,amount,balance_after,time_us
#   times.csv                    request_id,logged_us,decided_us
#
# Payments run through eight partitions at once, so some decisions depend on the order that the logs happened to give. The check is exact
# nevertheless, because it sorts them into three classes by the example files alone:
#   certain    the payer could never have had as much, whatever the order: must be refused
#   possible   the payer has enough even if everything else leaves first: must not be refused
#   by order   between the two: if refused, then at some moment while the cluster had this request in hand (logged_us .. decided_us) the payer's
#              account, by its own postings, really was too low for it; if paid, then the account was not below its floor after it
# (the same for ceilings, on the payee's side). All other reasons are the same in every order, and must be exactly the predicted ones.
# Prints what it counted; exit status 1 and the cases when something does not hold.

function fail(text) {
	if (++failures <= 20)
		print "WRONG: " text
}

function known(account) { return account in asset }

# The decisions that the rules allow for a request, as " reason reason ": "settled" or why not.
function allowed(id,    p, q, amount, choices) {
	p = payer[id]
	q = payee[id]
	amount = value[id]
	if (!known(p))
		return " unknown_payer "
	if (state[p] != "open" && !opens[id])
		return " payer_not_open "
	if (asset[p] != currency[id])
		return " payer_other_asset "
	choices = " "
	if (in_most[p] - amount < floor[p])
		return " below_floor "
	if (opening[p] - out_most[p] < floor[p])
		choices = " below_floor "
	if (!known(q))
		return choices "unknown_payee "
	if (state[q] != "open" && !opens[id])
		return choices "payee_not_open "
	if (asset[q] != currency[id])
		return choices "payee_other_asset "
	if (amount > ceiling[q] - floor[q])
		return choices "above_ceiling "
	if (in_fit[q] > ceiling[q])
		choices = choices "above_ceiling "
	return choices "settled "
}

# Was the account's balance, at a moment from `from` to `upto`, at most `high` (sign 1), or at least -high (sign -1)?
function balance_was(account, sign, high, from, upto,    i) {
	for (i = 0; i <= postings_count[account]; i++) {
		if (i > 0 && moment[account, i] > upto)
			return 0
		if (i < postings_count[account] && moment[account, i + 1] < from)
			continue
		if (sign * balance_after[account, i] <= high)
			return 1
	}
	return 0
}

function expect_postings(id) {
	if (decision[id] == "settled") {
		wanted["debit", id, payer[id]] = payee[id]
		wanted["credit", id, payee[id]] = payer[id]
		wanted_count += 2
	} else if (decision[id] ~ /^(unknown_payee|payee_not_open|payee_other_asset|above_ceiling)$/) {
		wanted["debit", id, payer[id]] = payee[id]
		wanted["refund", id, payer[id]] = payee[id]
		wanted_count += 2
	}
}

function check_decision(id,    choices, by_order) {
	choices = allowed(id)
	by_order = split(choices, parts, " ") > 1
	if (index(choices, " " decision[id] " ") == 0)
		return fail(id ": the cluster says " decision[id] ", the rules allow" choices)
	counted[decision[id], by_order]++
	if (!by_order || (decision[id] != "below_floor" && decision[id] != "above_ceiling"))
		return
	if (!(id in logged))
		return fail(id ": no time of logging and decision is known")
	if (decision[id] == "below_floor" && !balance_was(payer[id], 1, floor[payer[id]] + value[id] - 1, logged[id], decided[id]))
		fail(id ": refused for " payer[id] "'s floor, but the account was never that low meanwhile")
	if (decision[id] == "above_ceiling" && !balance_was(payee[id], -1, -(ceiling[payee[id]] - value[id] + 1), logged[id], decided[id]))
		fail(id ": refused for " payee[id] "'s ceiling, but the account was never that high meanwhile")
}

# The first line of an id stands. All lines with its payload say the same, all with another say id_reused.
function check_line(i,    id) {
	id = line_id[i]
	if (line_payload[i] != payload[id]) {
		reused++
		if (line_decision[i] != "id_reused")
			fail(id ": a line with another payload was told " line_decision[i])
	} else if (line_decision[i] != decision[id])
		fail(id ": told " decision[id] " and " line_decision[i])
	else if (i != first_line[id])
		repeated++
}

BEGIN { FS = "," }

FNR == 1 { next } # heads

kind == "account" {
	asset[$1] = $2
	floor[$1] = $3
	ceiling[$1] = $4
	state[$1] = $5
	opening[$1] = $6
	next
}

kind == "opening" || kind == "line" {
	line_id[++lines] = $1
	line_payload[lines] = $2 "," $3 "," $4 "," $5
	line_decision[lines] = $6 == "rejected" ? $7 : $6
	if ($1 in decision)
		next
	ids[++ids_count] = $1
	first_line[$1] = lines
	opens[$1] = kind == "opening"
	payer[$1] = $2
	payee[$1] = $3
	value[$1] = $4
	currency[$1] = $5
	payload[$1] = line_payload[lines]
	decision[$1] = line_decision[lines]
	next
}

kind == "posting" {
	postings++
	if ($2 != ++postings_count[$1])
		fail($1 ": posting " $2 " follows posting " postings_count[$1] - 1)
	moment[$1, $2] = $8
	balance_after[$1, $2] = $7
	if (($3, $4, $1) in found)
		fail($1 ": a second " $3 " of " $4)
	if ($7 != balance_after[$1, $2 - 1] + ($3 == "debit" ? -$6 : $6))
		fail($1 ": after posting " $2 " the balance is " $7 ", which is not the one before and " $6)
	if ($7 < floor[$1] || $7 > ceiling[$1])
		fail($1 ": after posting " $2 " the balance " $7 " is outside of its limits")
	if ($6 != value[$4])
		fail($1 ": posting " $2 " is of " $6 ", request " $4 " of " value[$4])
	found[$3, $4, $1] = $5
	next
}

kind == "time" {
	logged[$1] = $2
	decided[$1] = $3
}

END {
	for (i = 1; i <= ids_count; i++) {
		id = ids[i]
		if (!known(payee[id]) || currency[id] != asset[payee[id]])
			continue
		in_most[payee[id]] += value[id]
		if (value[id] <= ceiling[payee[id]] - floor[payee[id]])
			in_fit[payee[id]] += value[id]
	}
	for (i = 1; i <= ids_count; i++) {
		id = ids[i]
		if (known(payer[id]) && currency[id] == asset[payer[id]] && in_most[payer[id]] - value[id] >= floor[payer[id]])
			out_most[payer[id]] += value[id]
	}
	for (i = 1; i <= lines; i++)
		check_line(i)
	for (i = 1; i <= ids_count; i++) {
		check_decision(ids[i])
		expect_postings(ids[i])
	}
	for (key in wanted)
		if (!(key in found) || found[key] != wanted[key]) {
			split(key, part, SUBSEP)
			fail(part[3] ": no " part[1] " of " part[2] " with " wanted[key])
		}
	for (key in found)
		if (!(key in wanted)) {
			split(key, part, SUBSEP)
			fail(part[3] ": a " part[1] " of " part[2] " that should not be")
		}
	if (postings != wanted_count)
		fail(postings " postings, but the decisions make " wanted_count)

	printf "  %-20s %14s %18s\n", "decision", "in any order", "by order of logs"
	split("settled below_floor above_ceiling unknown_payer unknown_payee payer_not_open payee_not_open payer_other_asset payee_other_asset", names, " ")
	for (i = 1; i in names; i++)
		printf "  %-20s %14d %18d\n", names[i], counted[names[i], 0], counted[names[i], 1]
	printf "  %d requests, %d repeated lines, %d lines refused as id_reused, %d postings: all as the rules say: %s\n",
		ids_count, repeated, reused, postings, failures ? "NO" : "yes"
	exit failures > 0
}
