# SPDX-License-Identifier: Apache-2.0 - the balances that the outcomes of all requests must lead to, computed without the cluster.
#
#   awk -f balances.awk accounts.csv outcomes.csv > expected.csv
#
# outcomes.csv has the lines that were sent, and after each what the cluster decided, nothing else from it:
#   request_id,payer,payee,amount,asset,status,reason
# Written is account,asset,balance,postings, in the order of accounts.csv. What the rules are:
#   an id counts once, however often it was sent; a settled one is a debit and a credit; one refused on the payee's side was debited and
#   refunded (two postings, no change); all others leave nothing.

BEGIN {
	FS = OFS = ","
	split("unknown_payee payee_not_open payee_other_asset above_ceiling", reasons, " ")
	for (i in reasons)
		refunded[reasons[i]] = 1
}

FNR == 1 {
	file++
	next
}

file == 1 {
	order[++count] = $1
	asset[$1] = $2
	next
}

$1 in seen || $7 == "id_reused" { next }

{ seen[$1] = 1 }

$6 == "settled" {
	balance[$2] -= $4
	balance[$3] += $4
	postings[$2]++
	postings[$3]++
}

$6 == "rejected" && ($7 in refunded) { postings[$2] += 2 }

END {
	print "account,asset,balance,postings"
	for (i = 1; i <= count; i++)
		printf "%s,%s,%.0f,%d\n", order[i], asset[order[i]], balance[order[i]], postings[order[i]]
}
