#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - the demo's own checks can fail: a small day that is right, and the same day with one thing wrong at a time.
. "$(dirname "$0")/lib.sh"
examples=$ROOT/docs/examples

lay_out() { # the day that is right
	cat >"$WORK/accounts.csv" <<-END
		account,asset,floor,ceiling,state,opening
		bank,EUR,-1000,9223372036854775807,open,0
		ann,EUR,0,9223372036854775807,open,100
		bob,EUR,0,9223372036854775807,open,0
		ice,EUR,0,9223372036854775807,frozen,0
		jar,EUR,0,20,open,0
	END
	cat >"$WORK/openings.csv" <<-END
		request_id,payer,payee,amount,asset,status,reason
		o1,bank,ann,100,EUR,settled,
	END
	cat >"$WORK/outcomes.csv" <<-END
		request_id,payer,payee,amount,asset,status,reason
		p1,ann,bob,60,EUR,settled,
		p2,ann,bob,60,EUR,rejected,below_floor
		p1,ann,bob,60,EUR,settled,
		p1,ann,bob,61,EUR,rejected,id_reused
		p3,ann,nobody,10,EUR,rejected,unknown_payee
		p4,bob,ann,500,EUR,rejected,below_floor
		p5,ann,ice,1,EUR,rejected,payee_not_open
		p6,bob,jar,30,EUR,rejected,above_ceiling
	END
	cat >"$WORK/postings.csv" <<-END
		account,number,kind,request_id,counterparty,amount,balance_after,time
		bank,1,debit,o1,ann,100,-100,10
		ann,1,credit,o1,bank,100,100,11
		ann,2,debit,p1,bob,60,40,20
		ann,3,debit,p3,nobody,10,30,30
		ann,4,refund,p3,nobody,10,40,32
		ann,5,debit,p5,ice,1,39,50
		ann,6,refund,p5,ice,1,40,52
		bob,1,credit,p1,ann,60,60,22
		bob,2,debit,p6,jar,30,30,60
		bob,3,refund,p6,jar,30,60,62
	END
	cat >"$WORK/times.csv" <<-END
		request_id,logged,decided
		p2,21,25
		p4,40,42
		p6,59,63
	END
}

justified() {
	awk -f "$examples/justify.awk" kind=account "$WORK/accounts.csv" kind=opening "$WORK/openings.csv" kind=line "$WORK/outcomes.csv" \
		kind=posting "$WORK/postings.csv" kind=time "$WORK/times.csv"
}

# The day with one thing changed must not pass.
found() { # FILE SED-SCRIPT TEXT
	lay_out
	sed -i "$2" "$WORK/$1"
	says 1 "WRONG: .*$3" -- bash -c justified
}
export -f justified
export WORK examples

balances_are() { # TEXT
	[ "$(awk -f "$examples/balances.awk" "$WORK/accounts.csv" "$WORK/openings.csv" "$WORK/outcomes.csv" | tail -n +2 | cut -d, -f1,3,4 | paste -sd' ')" = "$1" ]
}

lay_out
expect "a right day is right" says 0 "all as the rules say: yes" -- bash -c justified
expect "its balances and numbers of postings" balances_are "bank,-100,1 ann,40,6 bob,60,3 ice,0,0 jar,0,0"
expect "found: an overdraft that was paid" found outcomes.csv '/^p4/s/rejected,below_floor/settled,/' "p4: the cluster says settled"
expect "found: a payment that is said to be settled, without postings" found outcomes.csv '/^p2/s/rejected,below_floor/settled,/' "no debit of p2"
expect "found: a refusal although the money was there all the time" found times.csv 's/^p2,.*/p2,12,19/' "p2: refused for ann's floor"
expect "found: a refusal whose time is not known" found times.csv '/^p2/d' "p2: no time"
expect "found: another reason" found outcomes.csv 's/unknown_payee/unknown_payer/' "p3: the cluster says unknown_payer"
expect "found: a frozen account that was paid" found outcomes.csv '/^p5/s/rejected,payee_not_open/settled,/' "p5: the cluster says settled"
expect "found: a ceiling that was broken" found outcomes.csv '/^p6/s/rejected,above_ceiling/settled,/' "p6: the cluster says settled"
expect "found: an id that was reused" found outcomes.csv 's/rejected,id_reused/settled,/' "p1: a line with another payload was told settled"
expect "found: a repeated line that was told something else" found outcomes.csv '4s/settled,/rejected,below_floor/' "p1: told"
expect "found: a request without outcome" found outcomes.csv '/^p5/s/rejected,payee_not_open/unknown,timeout/' "p5: the cluster says"
expect "found: a posting that is missing" found postings.csv '/^bob,1/d; s/^bob,2/bob,1/; s/^bob,3/bob,2/' "no credit of p1"
expect "found: a posting that is there twice" found postings.csv '/^bob,1/{p; s/bob,1/bob,2/; s/,60,22/,120,22/}' "a second credit of p1"
expect "found: a refund that is missing" found postings.csv '/^ann,6/d' "no refund of p5"
expect "found: a posting for a refused request" found postings.csv '/^bob,1/iann,7,debit,p2,bob,60,-20,70' "p2"
expect "found: a balance below the floor" found postings.csv '/^bob,1/iann,7,debit,p2,bob,60,-20,70' "outside of its limits"
expect "found: a balance that does not follow" found postings.csv '/^bob,1/s/60,60,/60,61,/' "is not the one before"
expect "found: another amount" found postings.csv '/^bob,1/s/60,60,/59,59,/' "is of 59"
expect "found: another counterparty" found postings.csv '/^bob,1/s/ann/ice/' "no credit of p1 with ann"
