# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # set here and used elsewhere, and the other way round
# SPDX-License-Identifier: Apache-2.0 - ordain: three nodes, eight partitions, by its own command line.

ordain() { "$BUILD/ordain" "$@" --dir "$WORK/ordain"; }

ordain_start() { ordain cluster start --nodes 3 --partitions 8 >/dev/null; }
ordain_make() { ordain_start && ordain_stop; }
ordain_stop() { [ ! -e "$WORK/ordain/cluster.conf" ] || ordain cluster stop --timeout 20s --force >/dev/null; }

ordain_roots() { ordain cluster status --json | grep -o '"pid":[0-9]*' | cut -d: -f2; }

ordain_load() { # transfers|batches|claims
	local flags
	case $1 in
	transfers) flags="--workload transfers --clients 256 --batch 1" ;;
	batches) flags="--workload transfers --clients 16 --batch 1000" ;;
	claims) flags="--workload claims --clients 256 --batch 1" ;;
	esac
	# shellcheck disable=SC2086 # words on purpose
	drive "$BUILD/ordain" bench --dir "$WORK/ordain" $flags --seconds "$SECONDS_MEASURED" --json
	per_s=$(json_number settled_per_s "$said")
	p50_us=$(json_number p50_us "$said")
	p99_us=$(json_number p99_us "$said")
	done_count=$(json_number settled "$said")
}

# The bench has failed already when anything was not settled.
ordain_check() {
	[ "$done_count" -gt 0 ] || fail "ordain settled nothing"
	! ordain cluster status --json | grep -q '"agree":false' || fail "replicas of ordain differ"
}

ordain_settings() {
	echo "version = $("$BUILD/ordain" --version)"
	echo "three nodes, eight partitions, everything as it comes: acknowledged after fdatasync on two nodes, for which there is no setting"
}
