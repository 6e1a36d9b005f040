# SPDX-License-Identifier: Apache-2.0 - the lines of a run of bench-peers as two tables: medians over the rounds, and ratios of what was measured in one round.
BEGIN {
	FS = "\t"
	name["transfers"] = "transfers, 256 clients, one each"
	name["batches"] = "transfers, 16 clients, 1,000 to a call"
	name["sets"] = "transfers, 16 clients, 1,000 to a call, as sets"
	name["claims"] = "claims, 256 clients, one each"
	# What is compared: a peer and its load, with which load of ordain, and the ratio that is wanted.
	n = split("postgres transfers transfers 6;postgres batches batches 10;postgres sets batches -;etcd claims claims 10", pairs, ";")
}

function sorted(list, count,    i, j, v) {
	for (i = 2; i <= count; i++) {
		v = list[i]
		for (j = i - 1; j >= 1 && list[j] > v; j--) list[j + 1] = list[j]
		list[j + 1] = v
	}
}

function median(list, count) {
	sorted(list, count)
	return count % 2 ? list[(count + 1) / 2] : (list[count / 2] + list[count / 2 + 1]) / 2
}

# Over the rounds.
function of(row, column,    i, list) {
	for (i = 1; i <= rounds; i++) list[i] = value[row, i, column]
	return median(list, rounds)
}

function ms(us) { return sprintf(us < 10000 ? "%.1f" : "%.0f", us / 1000) }

FNR == 1 {
	if ($0 != "round\tsystem\tload\tper_s\tp50_us\tp99_us\tcount\tservers_percent\tdriver_percent\tflushes_per_s") {
		print FILENAME ": these are not the columns of bench-peers" >"/dev/stderr"
		exit bad = 1
	}
	for (i = 1; i <= NF; i++) column[i] = $i
	next
}

{
	row = $2 " " $3
	if (!(row in seen)) {
		seen[row] = 1
		rows[++rows_count] = row
	}
	if ($1 > rounds) rounds = $1
	for (i = 4; i <= NF; i++) value[row, $1, column[i]] = $i + 0
}

END {
	if (bad) exit 1
	print "| load | system | done/s (least to most) | p50 ms | p99 ms | cores: servers + driver | CPU µs for each | flushes/s |"
	print "|---|---|---|---|---|---|---|---|"
	for (r = 1; r <= rows_count; r++) {
		row = rows[r]
		split(row, part, " ")
		for (i = 1; i <= rounds; i++) list[i] = value[row, i, "per_s"]
		per_s = median(list, rounds)
		cpu = of(row, "servers_percent") + of(row, "driver_percent")
		printf "| %s | %s | %d (%d to %d) | %s | %s | %.2f + %.2f | %.0f | %d |\n", name[part[2]], part[1], per_s, list[1], list[rounds], ms(of(row, "p50_us")),
			ms(of(row, "p99_us")), of(row, "servers_percent") / 100, of(row, "driver_percent") / 100, cpu * 10000 / per_s, of(row, "flushes_per_s")
	}
	for (p = 1; p <= n; p++) {
		split(pairs[p], part, " ")
		if (!(part[1] " " part[2] in seen) || !("ordain " part[3] in seen)) continue
		for (i = 1; i <= rounds; i++) list[i] = value["ordain " part[3], i, "per_s"] / value[part[1] " " part[2], i, "per_s"]
		ratio = median(list, rounds)
		if (!compared++) print "\n| load | ordain against | ratio (least to most) | wanted |\n|---|---|---|---|"
		printf "| %s | %s | %.1f (%.1f to %.1f) | %s |\n", name[part[2]], part[1], ratio, list[1], list[rounds], part[4]
	}
}
