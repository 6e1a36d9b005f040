# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # set here and used elsewhere, and the other way round
# SPDX-License-Identifier: Apache-2.0 - PostgreSQL: a primary and two standbys of which one must have a commit on its disk, on UNIX sockets in a directory.

ACCOUNTS=10000
CONNECT_MAX=${CONNECT_MAX:-5} # seconds; pgbench counts the making of its connections as load
PG=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -1)
pg_dir=$WORK/postgres
pg_runs=0
pg_requests=0
# A server refuses to be root's. `postgres` comes with its package.
as=()
[ "$(id -u)" -ne 0 ] || as=(runuser -u postgres --)

pg_node() { "${as[@]}" "$PG/pg_ctl" -D "$pg_dir/$1" -s -w -t 120 "${@:2}" </dev/null >>"$pg_dir/pg_ctl.log" 2>&1; }
sql() { "$PG/psql" -h "$pg_dir" -p 5431 -U postgres -X -q -A -t -v ON_ERROR_STOP=1 "$@" postgres; }

pg_conf() { # PORT
	local mib
	mib=$(awk '/^MemTotal/ { m = int($2 / 1024 / 8); print (m > 2048 ? 2048 : m) }' /proc/meminfo)
	cat <<-END
		port = $1
		listen_addresses = ''
		unix_socket_directories = '$pg_dir'
		max_connections = 300
		shared_buffers = ${mib}MB
		wal_buffers = 64MB
		min_wal_size = 2GB
		max_wal_size = 6GB
		wal_keep_size = 2GB
		checkpoint_timeout = 1h
		wal_compression = lz4
		commit_delay = 1000
		fsync = on
		full_page_writes = on
		synchronous_commit = on
		synchronous_standby_names = 'ANY 1 (standby_2, standby_3)'
		hot_standby = off
		jit = off
		update_process_title = off
		lc_messages = 'C'
	END
	printf '%s\n' "${PG_EXTRA:-}"
}

postgres_make() {
	local n
	mkdir -m 700 "$pg_dir"
	: >"$pg_dir/pg_ctl.log"
	[ "$(id -u)" -ne 0 ] || chown -R postgres: "$pg_dir"
	"${as[@]}" test -w "$pg_dir" || fail "the user postgres cannot reach $pg_dir; set TMPDIR to a directory that everybody may enter"
	[ ${#pg_dir} -le 90 ] || fail "$pg_dir is too long for the name of a socket; set TMPDIR to a shorter one"
	"${as[@]}" "$PG/initdb" -D "$pg_dir/primary" -U postgres --auth=trust -E UTF8 --locale=C --wal-segsize=64 >"$pg_dir/initdb.log" 2>&1 ||
		fail "initdb: $(tail -n 3 "$pg_dir/initdb.log")"
	pg_conf 5431 >>"$pg_dir/primary/postgresql.conf"
	pg_node primary start -l "$pg_dir/primary.log" -o '-c synchronous_standby_names=' || fail "PostgreSQL does not start: $(tail -n 5 "$pg_dir/primary.log")"
	sql -f "$here/transfers.sql" -f "$here/load.sql" -c "SELECT load_open($ACCOUNTS)" -c 'VACUUM ANALYZE'
	sql -f "$here/promises.sql" >/dev/null || fail "the functions in transfers.sql do not do what they promise"
	for n in 2 3; do
		"${as[@]}" "$PG/pg_basebackup" -D "$pg_dir/standby_$n" -d "host=$pg_dir port=5431 user=postgres application_name=standby_$n" -R -c fast ||
			fail "pg_basebackup"
		sed -i "s/^port = .*/port = 543$n/" "$pg_dir/standby_$n/postgresql.conf"
	done
	postgres_stop
}

pg_quorum() { [ "$(sql -c "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = 'quorum'")" -eq 2 ]; }

postgres_start() {
	local n
	pg_node primary start -l "$pg_dir/primary.log" || fail "PostgreSQL does not start: $(tail -n 5 "$pg_dir/primary.log")"
	for n in 2 3; do # without hot_standby nobody can ask them, so there is no waiting for an answer
		"${as[@]}" "$PG/pg_ctl" -D "$pg_dir/standby_$n" -s -W -l "$pg_dir/standby_$n.log" start </dev/null >>"$pg_dir/pg_ctl.log" 2>&1 || fail "standby $n does not start"
	done
	await 60 "both standbys of PostgreSQL follow" pg_quorum
	[ "$(sql -c "SELECT string_agg(name, ' ' ORDER BY name) FROM pg_settings WHERE setting = 'on' AND name IN ('fsync', 'full_page_writes', 'synchronous_commit')")" = \
		"fsync full_page_writes synchronous_commit" ] || fail "PostgreSQL does not sync all that it acknowledges: fsync, full_page_writes and synchronous_commit must be on"
}

# The primary first: the standbys then have all of it.
postgres_stop() {
	local node
	for node in primary standby_2 standby_3; do
		[ ! -e "$pg_dir/$node/postmaster.pid" ] || pg_node "$node" stop -m fast || pg_node "$node" stop -m immediate || say "PostgreSQL in $pg_dir/$node does not stop"
	done
}

postgres_roots() { head -qn 1 "$pg_dir"/*/postmaster.pid; }

postgres_load() { # transfers|batches|sets
	local script=$here/$1.pgbench clients=16 each=1000 text
	if [ "$1" = transfers ]; then
		clients=256
		each=1
	fi
	pg_runs=$((pg_runs + 1))
	drive "$PG/pgbench" -h "$pg_dir" -p 5431 -U postgres -n -M prepared -f "$script" -c "$clients" -j "${PG_THREADS:-1}" -T $((CONNECT_MAX + WARM_UP + SECONDS_MEASURED)) \
		-D run=$pg_runs -D low=0 -D accounts=$ACCOUNTS -l --log-prefix="$WORK/pgbench" postgres
	echo "$said" | grep -q 'failed transactions: 0 ' || fail "pgbench: $said"
	text=${said#*actually processed: }
	pg_requests=$((pg_requests + ${text%%$'\n'*} * each))
	cat "$WORK"/pgbench.* | awk '{ printf "%d%06d %d\n", $5, $6, $3 }' >"$WORK/ended"
	rm "$WORK"/pgbench.*
	measure "$WORK/ended"
	done_count=$((measured * each))
	per_s=$((done_count / SECONDS_MEASURED))
}

postgres_check() {
	local said
	said=$(sql -F ' ' -c "SELECT (SELECT sum(balance) FROM account), (SELECT count(*) FROM request), (SELECT count(*) FROM request WHERE outcome <> 'settled'),
		(SELECT count(*) FROM posting), (SELECT count(*) FROM (SELECT account FROM posting JOIN account ON account.id = account GROUP BY account, balance
		HAVING sum(amount) <> balance) AS wrong)")
	[ "$said" = "0 $pg_requests 0 $((2 * pg_requests)) 0" ] ||
		fail "PostgreSQL: sum of balances, requests, those not settled, postings, balances that differ from postings: '$said', expected '0 $pg_requests 0 $((2 * pg_requests)) 0'"
}

postgres_settings() {
	sql -F ' = ' -c "SELECT 'version', current_setting('server_version')" -c "SELECT name, current_setting(name) FROM pg_settings WHERE name IN
		('fsync', 'full_page_writes', 'synchronous_commit', 'synchronous_standby_names', 'wal_sync_method', 'shared_buffers', 'wal_buffers', 'max_wal_size',
		'checkpoint_timeout', 'wal_compression', 'commit_delay', 'max_connections', 'wal_segment_size', 'jit')"
	sql -c "SELECT application_name || ': ' || sync_state || ', ' || state FROM pg_stat_replication ORDER BY 1"
	sql -c "SELECT 'syncs of the primary''s log since it was made = ' || wal_sync FROM pg_stat_wal"
}
