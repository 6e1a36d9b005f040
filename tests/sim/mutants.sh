#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 - plants one bug at a time in the production code and tells which seed of the simulator finds it: a checker that finds none has to be mended.
#
#   tests/sim/mutants.sh [--apply-only | --build-only | --diff] [NAME...]      without names: all of tests/sim/mutants/
#
#   --apply-only  only checks that each fits the sources as they are
#   --build-only  only checks that each applies and compiles
#   --diff        shows what each changes
#
# From the environment (the Makefile gives all of it):
#   BUILD         build directory: build
#   MUTANT_CC     compiler and flags, words; without it those of the last build, from $BUILD/flags
#   MUTANT_LINK   the command that links the simulator, words, without "-o"
#   FIRST SEEDS   first seed (1) and how many at most for each mutant (500)
#   SHARDS        nodes of so many shards (what the seed says)
#   JOBS          seeds at a time (2)
#   LIMIT_S       seconds for all seeds of one mutant: 900
#   REMEMBER      when it is not empty: the seed that finds a mutant is noted in tests/sim/mutants/found.txt, and tried first from then on
#
# The production sources are not touched: changed copies are compiled under $BUILD/mutants/NAME/ and linked in the place of the originals. Exit status: 0 all were
# found, 1 some were not, 2 one cannot be planted or built.
set -eu
: "${BUILD:=build}" "${FIRST:=1}" "${SEEDS:=500}" "${LIMIT_S:=900}" "${JOBS:=2}"
cd "$(dirname "$0")/../.."
mutants=tests/sim/mutants
hints=$mutants/found.txt

die() {
	echo "mutants.sh: $*" >&2
	exit 2
}

# Writes the changed files of a mutant below a directory, and their names to its file "files". Each block must fit exactly one place of its file, after the blocks before it.
apply() {
	awk -v name="$1" -v out="$2" '
		function fail(what) {
			printf "mutants.sh: %s, line %d: %s\n", name, FNR, what > "/dev/stderr"
			failed = 1
			exit 2
		}
		function load(path,    text, line) {
			if (path ~ /\.h$/) fail("a header cannot be changed: " path)
			text = "\n"
			while ((got = (getline line < path)) > 0) text = text line "\n"
			if (got < 0) fail("there is no file " path)
			close(path)
			return text
		}
		# How often old stands in text, at the beginning of a line.
		function count(text, old,    n, at) {
			for (n = 0; (at = index(text, old)) > 0; n++) text = substr(text, at + length(old) - 1)
			return n
		}
		function change(    at, n) {
			old = "\n" old
			n = count(content[path], old)
			if (n != 1) fail("the block that ends here fits " n " places of " path ", not one")
			at = index(content[path], old)
			content[path] = substr(content[path], 1, at) new substr(content[path], at + length(old))
		}
		part == "" && /^# / { next }
		part == "" && /^file: / {
			path = $2
			if (!(path in content)) {
				content[path] = load(path)
				paths[++paths_count] = path
			}
			next
		}
		part == "" && /^--- old$/ { if (path == "") fail("\"file:\" must come first"); part = "old"; old = new = ""; next }
		part == "old" && /^--- new$/ { if (old == "") fail("nothing is to be replaced"); part = "new"; next }
		part == "new" && /^--- end$/ { change(); part = ""; next }
		part == "old" { old = old $0 "\n"; next }
		part == "new" { new = new $0 "\n"; next }
		{ fail("expected \"# ...\", \"file: PATH\" or \"--- old\"") }
		END {
			if (failed) exit 2
			if (part != "" || paths_count == 0) fail("it ends too early")
			for (i = 1; i <= paths_count; i++) {
				folder = paths[i]
				sub(/\/[^\/]*$/, "", folder)
				system("mkdir -p \"" out "/" folder "\"")
				printf "%s", substr(content[paths[i]], 2) > (out "/" paths[i])
				print paths[i] > (out "/files")
			}
		}' "$mutants/$1.mutant"
}

# Only whether it fits: away from what was built of it.
fits() {
	scratch=$(mktemp -d)
	status=0
	apply "$1" "$scratch" || status=$?
	rm -rf "$scratch"
	return "$status"
}

plant() {
	rm -rf "$BUILD/mutants/$1"
	mkdir -p "$BUILD/mutants/$1"
	apply "$1" "$BUILD/mutants/$1" || exit 2
}

# The changed files become objects; prints their names.
compile() {
	dir=$BUILD/mutants/$1
	while read -r file; do
		# shellcheck disable=SC2086 # words
		$MUTANT_CC -c "$dir/$file" -o "$dir/${file%.c}.o" >&2 || die "$1: $file does not compile"
		echo "$dir/${file%.c}.o"
	done < "$dir/files"
}

# The changed objects stand before the archives, so that the members they replace are never asked for: if one were, its symbols would be there twice.
link() {
	name=$1
	shift
	objects=$*
	# shellcheck disable=SC2086 # words
	set -- $MUTANT_LINK
	words=
	for word in "$@"; do
		case $word in
		*.a) words="$words $objects"; objects= ;;
		esac
		words="$words $word"
	done
	# shellcheck disable=SC2086 # words
	$words $objects -o "$BUILD/mutants/$name/sim" || die "$name: cannot be linked"
}

# Where it was found last: that seed is tried first. Empty: nowhere, or other seeds are asked for.
hint_of() {
	[ "$FIRST" -ne 1 ] || [ -n "${SHARDS-}" ] || awk -v name="$1" -v most="$SEEDS" '$1 == name && $2 <= most { print $2 }' "$hints"
}

remember() { # NAME SEED
	awk -v name="$1" '$1 != name' "$hints" > "$BUILD/mutants/hints"
	echo "$1 $2" >> "$BUILD/mutants/hints"
	LC_ALL=C sort "$BUILD/mutants/hints" > "$hints"
}

# Runs seeds until one fails, and prints that seed and the mutant's line of the table. As timeout ends, or the simulator.
seeds_try() { # NAME FIRST COUNT
	log=$BUILD/mutants/$1/log
	ended=0
	timeout "$LIMIT_S" "$BUILD/mutants/$1/sim" --seeds "$2:$3" ${SHARDS:+--shards "$SHARDS"} --jobs "$JOBS" --until-failure --brief > "$log" 2>&1 || ended=$?
	awk -v name="$1" '
		/^FAIL / {
			for (i = NF; i > 1; i--) if ((at = index($i, "=")) > 0) said[substr($i, 1, at - 1)] = substr($i, at + 1)
			at = index($0, " why=")
			printf "%s %-40s %6s  %-8s %8s  %.60s\n", said["seed"], name, said["seed"], said["verdict"], said["sim_s"], substr($0, at + 5)
			exit
		}' "$log"
	return "$ended"
}

# Prints the mutant's line of the table; 0 found, 1 not found, 2 the simulator itself failed.
run() {
	hint=$(hint_of "$1")
	found_line=
	ended=0
	[ -z "$hint" ] || found_line=$(seeds_try "$1" "$hint" 1) || ended=$?
	if [ -z "$found_line" ]; then # not there any more, or there is no hint: whatever that was, all seeds tell
		ended=0
		found_line=$(seeds_try "$1" "$FIRST" "$SEEDS") || ended=$?
	fi
	if [ -n "$found_line" ]; then
		seed=${found_line%% *}
		# What fails without the bug as well is not found by it.
		if ! "$BUILD/sim" --seeds "$seed:1" --brief > /dev/null 2>&1; then
			printf '%-40s %6s  ERROR    this seed fails without any planted bug\n' "$1" "$seed"
			return 2
		fi
		printf '%s\n' "${found_line#* }"
		[ -z "${REMEMBER-}" ] || [ "$hint" = "$seed" ] || remember "$1" "$seed"
		return 0
	fi
	case $ended in
	0) printf '%-40s %6s  SURVIVED %s seeds\n' "$1" - "$SEEDS"; return 1 ;;
	124) printf '%-40s %6s  SURVIVED %s seconds\n' "$1" - "$LIMIT_S"; return 1 ;;
	esac
	printf '%-40s %6s  ERROR    the simulator ended with status %s: %s\n' "$1" - "$ended" "$BUILD/mutants/$1/log"
	return 2
}

mode=run
case ${1-} in
--apply-only | --build-only | --diff) mode=${1#--}; shift ;;
-*) die "what is $1? There are --apply-only, --build-only and --diff" ;;
esac
if [ $# -eq 0 ]; then
	set -- "$mutants"/*.mutant
	for path in "$@"; do
		shift
		path=${path##*/}
		set -- "$@" "${path%.mutant}"
	done
fi
for name in "$@"; do
	[ -f "$mutants/$name.mutant" ] || die "there is no $mutants/$name.mutant"
done
if [ "$mode" != diff ] && [ "$mode" != apply-only ] && [ -z "${MUTANT_CC-}" ]; then
	[ -f "$BUILD/flags" ] || die "neither MUTANT_CC nor $BUILD/flags: build first"
	MUTANT_CC=$(cat "$BUILD/flags")
fi
[ "$mode" != run ] || [ -n "${MUTANT_LINK-}" ] || die "MUTANT_LINK, the command that links the simulator, is not set"

found=0
missed=0
broken=0
[ "$mode" != run ] || printf '%-40s %6s  %-8s %8s  %s\n' mutant seed verdict sim_s why
for name in "$@"; do
	if [ "$mode" = apply-only ]; then
		fits "$name" || exit 2
		continue
	fi
	plant "$name"
	if [ "$mode" = diff ]; then
		sed -n 's/^# //p' "$mutants/$name.mutant"
		while read -r file; do
			diff -u "$file" "$BUILD/mutants/$name/$file" || true
		done < "$BUILD/mutants/$name/files"
		continue
	fi
	objects=$(compile "$name") || exit 2
	[ "$mode" = run ] || continue
	# shellcheck disable=SC2086 # words
	link "$name" $objects
	status=0
	run "$name" || status=$?
	case $status in
	0) found=$((found + 1)) ;;
	1) missed=$((missed + 1)) ;;
	*) broken=$((broken + 1)) ;;
	esac
done
case $mode in
apply-only) echo "$# planted bugs apply" ;;
build-only) echo "$# planted bugs apply and compile" ;;
run)
	echo "$found found, $missed survived, $broken could not be run"
	[ "$broken" -eq 0 ] || exit 2
	[ "$missed" -eq 0 ] || exit 1
	;;
esac
