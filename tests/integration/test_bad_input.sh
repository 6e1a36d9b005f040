#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - every wrong input names itself and the remedy, with the right exit status: 1 refused, 2 usage.
. "$(dirname "$0")/lib.sh"
dir=$WORK/cluster
id=0190b5f0-7c4e-7a11-8f00-0123456789ab

start_cluster "$dir" 2
export ORDAIN_CONNECT
ORDAIN_CONNECT=$(addresses "$dir")
must "$ORDAIN" account open bank --asset EUR --floor=-100000
must "$ORDAIN" account open shop --asset EUR
must "$ORDAIN" account open dollars --asset USD

pay() { # OPTION ... : the last of two that are the same would be an error, so defaults fill only what is not given
	local options=("$@") default
	for default in --payer=bank --payee=shop --amount=100 --asset=EUR; do
		[[ " $* " == *" ${default%%=*}="* ]] || options+=("$default")
	done
	"$ORDAIN" transfer "${options[@]}"
}
export -f pay
export ORDAIN
wrong() { # NAME STATUS TEXT -- COMMAND ...
	local name=$1 status=$2 text=$3
	shift 4
	if [ "$1" = pay ]; then
		shift
		expect "$name" says "$status" "$text" -- bash -c 'pay "$@"' _ "$@"
	else
		expect "$name" says "$status" "$text" -- "$@"
	fi
}

expect "a good transfer" says 0 settled -- bash -c pay

wrong "amount zero" 2 "amount.*from 1 to" -- pay --amount=0
wrong "amount negative" 2 "amount.*from 1 to" -- pay --amount=-5
wrong "amount over 2^63-1" 2 "amount.*9223372036854775807" -- pay --amount=9223372036854775808
wrong "amount not a number" 2 "amount: 'ten'" -- pay --amount=ten
wrong "amount a fraction" 2 "amount: '1.50'" -- pay --amount=1.50
wrong "amount missing" 2 "amount is missing" -- "$ORDAIN" transfer --payer bank --payee shop --asset EUR
wrong "an asset that the payer does not hold" 1 "payer_other_asset" -- pay --asset=XYZ
wrong "an asset that the payee does not hold" 1 "payee_other_asset" -- pay --payee=dollars
wrong "an asset that is too long" 2 "asset.*16" -- pay --asset=ABCDEFGHIJKLMNOPQ
wrong "payer = payee" 2 "payee" -- pay --payee=bank
wrong "unknown payee" 1 "unknown_payee" -- pay --payee=nobody
wrong "unknown payer" 1 "unknown_payer" -- pay --payer=nobody
wrong "more than the payer has" 1 "below_floor" -- pay --payer=shop --payee=bank --amount=100000000
wrong "id too short" 2 "id: '0190b5f0'.*UUID" -- pay --id=0190b5f0
wrong "id too long" 2 "id: .*UUID" -- pay "--id=${id}00"
wrong "id all zero" 2 "id" -- pay --id=00000000-0000-0000-0000-000000000000

expect "an id is new" says 0 settled 'replayed[[:space:]]+no' -- bash -c "pay --id=$id"
expect "the same again is replayed" says 0 settled 'replayed[[:space:]]+yes' -- bash -c "pay --id=$id"
wrong "the id with another amount" 1 "id_reused, field amount" -- pay --id=$id --amount=101
wrong "the id with another payee" 1 "id_reused, field payee" -- pay --id=$id --payee=dollars
wrong "the original is kept" 0 "amount[[:space:]]+100$" -- "$ORDAIN" request show $id
expect "its status too" says 0 "status[[:space:]]+settled" -- "$ORDAIN" request show $id

wrong "an account again with another floor" 1 "account_differs, field floor" -- "$ORDAIN" account open shop --asset EUR --floor=-1
wrong "an account again with another ceiling" 1 "account_differs, field ceiling" -- "$ORDAIN" account open shop --asset EUR --ceiling=5
wrong "an account again with another asset" 1 "account_differs, field asset" -- "$ORDAIN" account open shop --asset USD
wrong "a floor above zero" 2 "floor" -- "$ORDAIN" account open new --asset EUR --floor=5
wrong "an account id that is empty" 2 "account" -- "$ORDAIN" account open "" --asset EUR
wrong "an account id that is too long" 2 "account.*64" -- "$ORDAIN" account open "$(printf 'a%.0s' {1..65})" --asset EUR
wrong "an account id that is not UTF-8" 2 "account.*UTF-8" -- "$ORDAIN" account open $'caf\xe9' --asset EUR
wrong "an account that is not there" 1 "not_found" -- "$ORDAIN" account show nobody
wrong "an account that is not empty is not closed" 1 "balance_not_zero" -- "$ORDAIN" account close shop

wrong "a name that is empty" 2 "name" -- "$ORDAIN" claim users "" ada
wrong "a name that is too long" 2 "name.*255" -- "$ORDAIN" claim users "$(printf 'n%.0s' {1..256})" ada
wrong "a name that is not UTF-8" 2 "name.*UTF-8" -- "$ORDAIN" claim users $'\xff\xfe' ada
expect "a name" says 0 settled -- "$ORDAIN" claim users ada alice
wrong "a name that is taken" 1 "name_taken" -- "$ORDAIN" claim users ada bob
wrong "a name that another has is not released" 1 "other_owner" -- "$ORDAIN" name release users ada --expected bob
wrong "a name that is free is not released" 1 "name_free" -- "$ORDAIN" name release users nobody --expected bob
wrong "a name that nobody has" 1 "not_found" -- "$ORDAIN" name show users nobody
wrong "a request that nobody made" 1 "not_found" -- "$ORDAIN" request show 0190b5f0-7c4e-7a11-8f00-000000000000

wrong "no such subcommand" 2 "transfer" -- "$ORDAIN" transfr
wrong "no such flag" 2 "amount" -- pay --ammount=5
wrong "a flag without its value" 2 "payer needs a value" -- "$ORDAIN" transfer --payer
wrong "one word too many" 2 "extra" -- "$ORDAIN" account show shop extra

wrong "the port for nodes" 1 "port|answer|reach" -- "$ORDAIN" account show shop --connect "$(peer_address "$dir" 1)" --timeout 2s
wrong "a port where nobody listens" 1 "127.0.0.1:1|reach|refused" -- "$ORDAIN" account show shop --connect 127.0.0.1:1 --timeout 1s
wrong "an address without port" 2 "localhost" -- "$ORDAIN" account show shop --connect localhost
for command in "account show shop" scrub "cluster status" "fault list" "bench"; do
	# shellcheck disable=SC2086 - words
	wrong "no address at all: $command" 2 "not a list of addresses; write it like 127.0.0.1:7001" -- "$ORDAIN" $command --connect 'x y'
done
wrong "a directory without cluster" 2 "$WORK/nothing" -- "$ORDAIN" cluster status --dir "$WORK/nothing"
wrong "another number of nodes" 2 "nodes.*3" -- "$ORDAIN" cluster start --dir "$dir" --nodes 5
wrong "no such node" 2 "node 7.*1 to 3" -- "$ORDAIN" cluster kill --dir "$dir" --node 7

wrong "a file that is not there" 2 "$WORK/none.csv" -- "$ORDAIN" transfer --file "$WORK/none.csv"
printf 'request_id,payer,payee,asset\n' >"$WORK/columns.csv"
wrong "a file without the column amount" 2 "columns.csv.*amount" -- "$ORDAIN" transfer --file "$WORK/columns.csv"
cat >"$WORK/lines.csv" <<-END
	request_id,payer,payee,amount,asset
	0190b5f0-7c4e-7a11-8f00-000000000001,bank,shop,0,EUR
	0190b5f0-7c4e-7a11-8f00-00000000000,bank,shop,1,EUR
	0190b5f0-7c4e-7a11-8f00-000000000003,bank,shop,1
	0190b5f0-7c4e-7a11-8f00-000000000004,bank,bank,1,EUR
	0190b5f0-7c4e-7a11-8f00-000000000005,bank,shop,5,EUR
	0190b5f0-7c4e-7a11-8f00-000000000006,"bank,shop,5,EUR
	$id,bank,shop,7,EUR
END
expect "a file with wrong lines: each is named, the others are done" says 1 "line 2: amount" "line 3: request_id" "line 4: 4 fields" \
	"line 5: payee" "line 7: .*quote" "settled[[:space:]]+1" "refused[[:space:]]+1" "invalid[[:space:]]+5" -- \
	"$ORDAIN" transfer --file "$WORK/lines.csv" --results "$WORK/results.csv"
expect "their results say so, line by line" test "$(cut -d, -f2 "$WORK/results.csv" | paste -sd' ')" = \
	"status invalid invalid invalid invalid settled invalid rejected"
expect "and which field of a used id differs" test "$(tail -n 1 "$WORK/results.csv")" = "$id,rejected,id_reused,false,amount"

wrong "a node without configuration" 2 "cluster_id|node" -- "$ORDAIND"
wrong "a node with an unknown option" 2 "data-dir" -- "$ORDAIND" --data-dirr x
wrong "a node whose configuration is not there" 2 "none.conf" -- "$ORDAIND" --config "$WORK/none.conf"
printf 'partitions = many\n' >"$WORK/bad.conf"
wrong "a configuration with a wrong value names file and line" 2 "bad.conf:1: partitions" -- "$ORDAIND" --config "$WORK/bad.conf"
wrong "a port in use" 1 "in use" -- "$ORDAIND" --config "$dir/node-1/ordaind.conf" --data-dir "$WORK/elsewhere"
expect "after all that, money is where it was" says 0 "balance[[:space:]]+205$" -- "$ORDAIN" account show shop
