# SPDX-License-Identifier: Apache-2.0 - makes the example files, the same bytes on every machine and with every awk:
#   awk -v what=accounts -f make_payments.awk > accounts.csv    the 200 accounts, and what each begins with
#   awk -v what=openings -f make_payments.awk > openings.csv    the transfers from the banks that bring it there
#   awk -v what=payments -f make_payments.awk > payments.csv    a day of 10,000 payments, among them what goes wrong in life
# Amounts are cents.

# MINSTD (Park and Miller 1988): exact in the 53 bits of a double, unlike awk's own rand().
function random(below) {
	seed = (seed * 16807) % 2147483647
	return seed % below
}

function between(low, high) { return low + random(high - low + 1) }

# A price as a shop would have it: mostly small, ending in 0, 5, 49 or 99.
function price(low, high,    euros, cents) {
	euros = int(low / 100) + int(random(int((high - low) / 100) + 1) * (random(100) + 1) / 100)
	cents = random(4)
	return euros * 100 + (cents == 0 ? 0 : cents == 1 ? 50 : cents == 2 ? 49 : 99)
}

# UUIDv7 (RFC 9562): 48 bits of milliseconds, then random bits around version and variant.
function request_id(    high, low) {
	clock_ms += between(1, 7000)
	high = int(clock_ms / 16777216)
	low = clock_ms - high * 16777216
	return sprintf("%06x%02x-%04x-7%03x-%x%03x-%06x%06x", high, int(low / 65536), low % 65536, random(4096),
		8 + random(4), random(4096), random(16777216), random(16777216))
}

function account(id, asset, floor, ceiling, state, opening) {
	accounts[++accounts_count] = id "," asset "," floor "," ceiling "," state "," opening
	if (opening > 0)
		openings[++openings_count] = request_id() "," (asset == "EUR" ? "bank-eur" : "bank-usd") "," id "," opening "," asset
}

# limit: nobody has more than 2^63 - 1, which says "no ceiling". Written as text: a double cannot hold it.
function make_accounts(    i, limit, trades) {
	limit = "9223372036854775807"
	account("bank-eur", "EUR", "-1000000000000", limit, "open", 0)
	account("bank-usd", "USD", "-1000000000000", limit, "open", 0)
	for (i = 1; i <= 4; i++)
		account(employer(i), "EUR", 0, limit, "open", 100000000)
	for (i = 1; i <= 6; i++)
		account(landlord(i), "EUR", 0, limit, "open", 1000000)
	for (i = 1; i <= 30; i++)
		account(shop(i), "EUR", 0, limit, "open", price(100000, 500000))
	for (i = 1; i <= 3; i++)
		account(gift(i), "EUR", 0, 25000, "open", 0)
	for (i = 1; i <= 12; i++)
		account(traveller(i), "USD", 0, limit, "open", price(20000, 90000))
	account("cust-frozen", "EUR", 0, limit, "frozen", 84210)
	account("shop-frozen", "EUR", 0, limit, "frozen", 129900)
	for (i = 1; i <= 40; i++) # well off: more than a day can cost
		account(saver(i), "EUR", 0, limit, "open", price(4000000, 9000000))
	for (i = 1; i <= 101; i++) # the others live on what comes in; every tenth has an overdraft agreed with the bank
		account(customer(i), "EUR", i % 10 == 0 ? -20000 : 0, limit, "open", i % 6 == 0 ? price(1000, 9000) : price(150000, 500000))
}

function employer(i) { return sprintf("payroll-%d", i) }
function landlord(i) { return sprintf("rent-%d", i) }
function gift(i) { return sprintf("gift-card-%d", i) }
function traveller(i) { return sprintf("travel-%02d", i) }
function saver(i) { return sprintf("saver-%02d", i) }
function customer(i) { return sprintf("cust-%03d", i) }
function shop(i,    trade) {
	split("bakery grocer cafe cinema pharmacy books bikes flowers diner tailor", trade, " ")
	return sprintf("shop-%s-%d", trade[(i - 1) % 10 + 1], int((i - 1) / 10) + 1)
}

function anybody() { return random(10) < 3 ? saver(between(1, 40)) : customer(between(1, 101)) }

function somebody_but(other,    who) {
	do
		who = anybody()
	while (who == other)
	return who
}

function pay(payer, payee, amount, asset) {
	payments[++payments_count] = request_id() "," payer "," payee "," amount "," asset
}

function pay_everyday(    kind, payer, who) {
	kind = random(100)
	payer = anybody()
	if (kind < 62)
		pay(payer, shop(between(1, 30)), price(200, 9000), "EUR")
	else if (kind < 74)
		pay(payer, somebody_but(payer), price(500, 15000), "EUR")
	else if (kind < 80)
		pay(employer(between(1, 4)), anybody(), price(2000, 60000), "EUR")
	else if (kind < 84)
		pay(payer, landlord(between(1, 6)), price(25000, 90000), "EUR")
	else if (kind < 92)
		pay(shop(between(1, 30)), payer, price(500, 20000), "EUR") # goods, wages by the hour, money back
	else if (kind < 96) {
		who = between(1, 12)
		pay(traveller(who), traveller(who % 12 + 1), price(300, 20000), "USD")
	} else
		pay(landlord(between(1, 6)), shop(between(1, 30)), price(1000, 30000), "EUR")
}

# A line that was sent before: again as it was, or with another amount.
function pay_again(other_amount,    line, field) {
	line = payments[random(3) == 0 ? payments_count : between(1, payments_count)]
	split(line, field, ",")
	if (other_amount)
		line = field[1] "," field[2] "," field[3] "," field[4] + 100 "," field[5]
	payments[++payments_count] = line
}

function pay_unusually(kind,    payer) {
	payer = anybody()
	if (kind == 1) # a house, by somebody who cannot
		pay(customer(between(1, 101)), landlord(between(1, 6)), 35000000 + price(0, 900000), "EUR")
	else if (kind == 2)
		pay(random(4) == 0 ? payer : saver(between(1, 40)), sprintf("shop-gone-%d", between(1, 5)), price(300, 9000), "EUR")
	else if (kind == 3)
		pay(sprintf("cust-gone-%d", between(1, 3)), shop(between(1, 30)), price(300, 9000), "EUR")
	else if (kind == 4)
		pay(saver(between(1, 40)), random(2) ? "shop-frozen" : "cust-frozen", price(300, 9000), "EUR")
	else if (kind == 5)
		pay(random(2) ? "cust-frozen" : "shop-frozen", payer, price(300, 9000), "EUR")
	else if (kind == 6)
		pay(payer, shop(between(1, 30)), price(300, 9000), "USD")
	else if (kind == 7)
		pay(saver(between(1, 40)), traveller(between(1, 12)), price(300, 9000), "EUR")
	else if (kind == 8)
		pay(saver(between(1, 40)), gift(between(1, 3)), random(2) ? price(30000, 60000) : price(500, 1500), "EUR")
	else if (kind == 9)
		pay_again(0)
	else
		pay_again(1)
}

function make_payments(    i, dice) {
	clock_ms = 1740988800000 # 2025-03-03 08:00 UTC
	for (i = 1; i <= 10000; i++) {
		dice = random(1000)
		if (dice < 12)
			pay_unusually(1)
		else if (dice < 20)
			pay_unusually(2)
		else if (dice < 22)
			pay_unusually(3)
		else if (dice < 26)
			pay_unusually(4)
		else if (dice < 29)
			pay_unusually(5)
		else if (dice < 33)
			pay_unusually(6)
		else if (dice < 36)
			pay_unusually(7)
		else if (dice < 40)
			pay_unusually(8)
		else if (dice < 66 && i > 1)
			pay_unusually(9)
		else if (dice < 72 && i > 1)
			pay_unusually(10)
		else
			pay_everyday()
	}
}

function show(head, lines, count,    i) {
	print head
	for (i = 1; i <= count; i++)
		print lines[i]
}

BEGIN {
	seed = 20250303
	clock_ms = 1740931200000 # 2025-03-02 16:00 UTC
	make_accounts()
	make_payments()
	if (what == "accounts")
		show("account,asset,floor,ceiling,state,opening", accounts, accounts_count)
	else if (what == "openings")
		show("request_id,payer,payee,amount,asset", openings, openings_count)
	else if (what == "payments")
		show("request_id,payer,payee,amount,asset", payments, payments_count)
	else {
		print "say which file: -v what=accounts, openings or payments" > "/dev/stderr"
		exit 2
	}
}
