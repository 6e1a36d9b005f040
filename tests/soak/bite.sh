#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - plants bugs in real nodes, one at a time, and lets ordain-jepsen find each: a run that finds none has no teeth.
#
#   tests/soak/bite.sh [NAME ...]        bugs of tests/sim/mutants/ that stand in the table below; without names all
#
# From the environment (`make bite` gives all of it):
#   BUILD         build directory: build
#   MUTANT_CC     compiler and flags, words
#   BITE_LINK     the command that links ordaind, words, without "-o"
#   SECONDS_EACH  of load: 20
#   TRIES         seeds for each, until one finds it: 5
#
# Prints a table. Exit status: 0 all were found, 1 some were not, 2 one cannot be planted or built.
set -u
: "${BUILD:=build}" "${SECONDS_EACH:=20}" "${TRIES:=5}"
cd "$(dirname "$0")/../.." || exit 2
mutants=tests/sim/mutants
store=$BUILD/bite

# bug, workload, nemesis, flag; what needs root is left out without it. With few transfers no later message shows that one before it was lost.
table() {
	cat <<'END'
partition-no-dedupe                      idempotence none
partition-reused-id-not-noticed          idempotence none
partition-claim-takes-owned-name         unique      none
partition-release-by-anybody             register    none
partition-floor-off-by-one               bank        none
partition-floor-of-balance-before        stock       none
partition-ceiling-not-checked            bank        none
partition-refund-dropped                 bank        none
partition-refund-too-small               bank        none
partition-credit-to-wrong-partition      bank        none
partition-local-clock                    log         none
replica-outcome-of-wrong-item            bank        none
dispatch-starts-at-next-message          bank        kill
dispatch-lost-messages-stay-lost         bank        pause-leader --rate=20
partition-duplicate-message-moves-money  bank        kill,pause
replica-follower-serves-reads            register    none
group-applies-what-is-not-committed      register    isolate-leader
disk-no-sync                             set         power --netns
disk-syncs-the-write-before              set         power --netns
END
}

die() {
	echo "bite.sh: $*" >&2
	exit 2
}

[ -n "${MUTANT_CC-}" ] && [ -n "${BITE_LINK-}" ] || die "MUTANT_CC and BITE_LINK are not set: use 'make bite'"
export BUILD MUTANT_CC

# The changed objects stand before the archives, so that the members they replace are never asked for.
link() { # NAME
	local dir=$BUILD/mutants/$1 objects words="" word
	objects=$(sed "s|^|$dir/|; s|\.c$|.o|" "$dir/files" | tr '\n' ' ')
	for word in $BITE_LINK; do
		case $word in *.a) words="$words $objects" && objects="" ;; esac
		words="$words $word"
	done
	$words -o "$dir/ordaind"
}

# Runs with seeds until one finds it; prints the row. 0 found, 1 not.
bite() { # NAME WORKLOAD NEMESIS [FLAG]
	local name=$1 workload=$2 nemesis=$3 flag=${4-} seed status why
	for ((seed = 1; seed <= TRIES; seed++)); do
		"$BUILD/ordain-jepsen" run --workload "$workload" --nemesis "$nemesis" --seed "$seed" ${flag:+"$flag"} --time-limit "$SECONDS_EACH" \
			--interval-ms 2500 --patience-seconds 15 --store "$store" --ordaind "$BUILD/mutants/$name/ordaind" >"$BUILD/mutants/$name/bite" 2>&1
		status=$?
		if [ "$status" -eq 1 ]; then
			why=$(grep -o ':rule :[a-z-]*, :valid? false' "$(tail -n 1 "$BUILD/mutants/$name/bite")/results.edn" | sed 's/:rule :\(.*\),.*/\1/' |
				sort -u | tr '\n' ' ')
			printf '%-40s %-12s %-28s %5s  %s\n' "$name" "$workload" "$nemesis" "$seed" "$why"
			sed -n "s/^the cluster's directory is kept: //p" "$BUILD/mutants/$name/bite" | xargs -r rm -rf
			return 0
		fi
	done
	printf '%-40s %-12s %-28s %5s  NOT FOUND (status %s)\n' "$name" "$workload" "$nemesis" - "$status"
	return 1
}

missed=0
[ $# -gt 0 ] || mapfile -t names < <(table | awk '{ print $1 }')
[ $# -eq 0 ] || names=("$@")
printf '%-40s %-12s %-28s %5s  %s\n' bug workload nemesis seed "found by"
for name in "${names[@]}"; do
	read -r _ workload nemesis flag < <(table | grep "^$name ") || die "$name is not in the table"
	if [ "$flag" = --netns ] && [ "$(id -u)" -ne 0 ]; then
		printf '%-40s %-12s %-28s %5s  left out: needs root\n' "$name" "$workload" "$nemesis" -
		continue
	fi
	[ -f "$mutants/$name.mutant" ] || die "there is no $mutants/$name.mutant"
	tests/sim/mutants.sh --build-only "$name" >/dev/null || die "$name cannot be planted"
	link "$name" || die "$name cannot be linked"
	bite "$name" "$workload" "$nemesis" "$flag" || missed=$((missed + 1))
done
echo "$((${#names[@]} - missed)) of ${#names[@]} planted bugs were found"
[ "$missed" -eq 0 ]
