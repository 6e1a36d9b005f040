# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # set here and used elsewhere, and the other way round
# SPDX-License-Identifier: Apache-2.0 - etcd: three members on loopback, loaded at the one that leads.

etcd_dir=$WORK/etcd
etcd_pids=()
etcd_ports=()
etcd_keys=0

etcd_member() { # N
	ETCD_UNSUPPORTED_ARCH=$(uname -m) setsid etcd --name "n$1" --data-dir "$etcd_dir/n$1" --initial-cluster "$etcd_cluster" --initial-cluster-state "$etcd_state" \
		--initial-advertise-peer-urls "http://127.0.0.1:${etcd_ports[$1 + 2]}" --listen-peer-urls "http://127.0.0.1:${etcd_ports[$1 + 2]}" \
		--listen-client-urls "http://127.0.0.1:${etcd_ports[$1 - 1]}" --advertise-client-urls "http://127.0.0.1:${etcd_ports[$1 - 1]}" \
		--snapshot-count 100000 --quota-backend-bytes 8589934592 --log-level warn --logger zap </dev/null >>"$etcd_dir/n$1.log" 2>&1 &
	etcd_pids+=($!)
}

# A port below those that the system takes for outgoing connections, on which nobody listens.
etcd_free_port() {
	local port
	while port=$((20000 + RANDOM % 8000)); do
		[[ " ${etcd_ports[*]} " != *" $port "* ]] && ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
	done
	etcd_ports+=("$port")
}

etcd_make() {
	mkdir -m 700 "$etcd_dir"
	for _ in 1 2 3 4 5 6; do etcd_free_port; done
	etcd_cluster=n1=http://127.0.0.1:${etcd_ports[3]},n2=http://127.0.0.1:${etcd_ports[4]},n3=http://127.0.0.1:${etcd_ports[5]}
	etcd_state=new
	etcd_start
	etcd_stop
	etcd_state=existing
}

etcd_ctl() { ETCDCTL_API=3 etcdctl --endpoints "127.0.0.1:${etcd_ports[0]},127.0.0.1:${etcd_ports[1]},127.0.0.1:${etcd_ports[2]}" "$@"; }

etcd_start() {
	local n
	for n in 1 2 3; do etcd_member "$n"; done
	await 60 "etcd serves (see $etcd_dir)" etcd_ctl endpoint health
}

etcd_stop() {
	local pid
	for pid in "${etcd_pids[@]}"; do # one after the other: the leader hands over, which takes seconds to nobody who is there
		end_process "$pid"
	done
	etcd_pids=()
}

etcd_roots() { echo "${etcd_pids[@]}"; }

# host:port of the leader: endpoint, id, version, size, leads ...
etcd_leader() { etcd_ctl endpoint status -w simple | awk -F', ' '$5 == "true" { print $1 }'; }

etcd_load() { # claims
	drive "$BUILD/etcd-claims" --endpoints "$(etcd_leader)" --clients 256 --connections "${ETCD_CONNECTIONS:-4}" --warm-up "$WARM_UP" --seconds "$SECONDS_MEASURED"
	per_s=$(json_number settled_per_s "$said")
	p50_us=$(json_number p50_us "$said")
	p99_us=$(json_number p99_us "$said")
	done_count=$(json_number settled "$said")
	etcd_keys=$((etcd_keys + $(json_number put "$said")))
}

etcd_check() {
	local count
	count=$(etcd_ctl get --prefix bench/ --limit 1 -w fields | sed -n 's/^"Count" : //p')
	[ "$count" = "$etcd_keys" ] || fail "etcd has $count keys, and told that it put $etcd_keys"
}

etcd_metrics() { # PORT
	exec 3<>"/dev/tcp/127.0.0.1/$1"
	printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3
	cat <&3
	exec 3>&-
}

etcd_settings() {
	etcd --version | sed -n 's/^etcd Version: /version = /p'
	echo "snapshot-count = 100000, quota-backend-bytes = 8 GiB, heartbeat-interval = 100 ms, election-timeout = 1000 ms; all else as it comes"
	local n
	for n in 0 1 2; do
		etcd_metrics "${etcd_ports[n]}" | awk -v n=$((n + 1)) '/^etcd_disk_wal_fsync_duration_seconds_(count|sum)/ { v[++i] = $2 }
			END { if (i == 2) printf "syncs of the log of member %d since its start = %d, %.2f ms each\n", n, v[2], v[1] / v[2] * 1000 }'
	done
}
