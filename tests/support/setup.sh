#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 - asks what is installed and gets the rest from Debian packages; changes nothing when all is there.
#
#   setup.sh PURPOSE...     purposes: build, demo, test, jepsen, lint, bench, bench-peers
#   setup.sh explain        says why an older libraft will not do
#
# Without root it prints what to run and exits 1. On Debian 12, libraft comes from backports: the mirror is the one that apt
# uses already, named to apt for this run only.
set -eu

RAFT_MIN=0.22
missing=""  # what is missing, for people
packages="" # what apt has to install, without libraft-dev
raft=""     # "yes" when libraft-dev has to be installed
sources=""  # a sources file for this run, when backports are needed
made=""     # files that are there only while it installs

cleanup() {
	# shellcheck disable=SC2086 # words on purpose
	rm -f $sources $made
}

say() { printf '%s\n' "$*" >&2; }

need() { # what it is, its package
	missing="$missing${missing:+, }$1"
	packages="$packages $2"
}

module() { pkg-config --exists "$1" 2>/dev/null; }

explain_raft() {
	say "ordain needs libraft $RAFT_MIN or later; pkg-config finds $(pkg-config --modversion raft 2>/dev/null || echo none)."
	say "Older ones commit entries of earlier terms by counting replicas (Figure 8 of the Raft paper) and count votes and entries"
	say "that are not on disk yet, so an acknowledged command could be lost. 'make setup' as root installs a newer one."
}

# --- what is missing ---

want_build() {
	command -v make >/dev/null || need make make
	if ! command -v gcc >/dev/null; then
		need "a C compiler" "gcc libc6-dev"
	elif ! echo '#include <stdlib.h>' | gcc -E - >/dev/null 2>&1; then
		need "the C library's headers" libc6-dev
	fi
	command -v pkg-config >/dev/null || need pkg-config pkgconf
	module 'raft >= '$RAFT_MIN || {
		missing="$missing${missing:+, }libraft $RAFT_MIN or later"
		raft=yes
	}
	module 'libuv >= 1.44' || need "libuv 1.44 or later" libuv1-dev
	module msgpack-c || module msgpack || need msgpack-c MSGPACK
	module 'libcrypto >= 3.0' || need "OpenSSL 3" libssl-dev
	module 'lmdb >= 0.9' || need "LMDB 0.9" liblmdb-dev
	module 'libxxhash >= 0.8' || need "xxHash 0.8 or later" libxxhash-dev
	module 'libzstd >= 1.4' || need "zstd 1.4 or later" libzstd-dev
}

want_demo() {
	want_build
	command -v awk >/dev/null || need awk mawk
	/usr/bin/python3 -c 'import msgpack' 2>/dev/null || need "Python's msgpack (a client that is not ours)" python3-msgpack
}

want_plots() {
	command -v gnuplot >/dev/null || need "gnuplot (plots)" gnuplot-nox
}

want_test() {
	want_demo
	want_plots
	module 'criterion >= 2.4' || need "Criterion 2.4 or later" libcriterion-dev
	# Real faults, which only root can make: without them that test is left aside.
	if [ "$(id -u)" -eq 0 ]; then
		PATH=$PATH:/usr/sbin:/sbin command -v ip >/dev/null || need "ip and tc" iproute2
		PATH=$PATH:/usr/sbin:/sbin command -v nft >/dev/null || need "nft" nftables
		PATH=$PATH:/usr/sbin:/sbin command -v mkfs.ext4 >/dev/null || need "mkfs.ext4" e2fsprogs
	fi
}

want_jepsen() {
	want_test
}

want_lint() {
	want_jepsen
	command -v clang-format >/dev/null || need clang-format clang-format
	command -v clang-tidy >/dev/null || need clang-tidy clang-tidy
}

# Servers to compare with. Only their programs: no service and no cluster of the system is to run because of them (see without_services).
want_bench_peers() {
	want_build
	[ -n "$(find /usr/lib/postgresql/*/bin/pgbench 2>/dev/null)" ] || need "PostgreSQL" postgresql
	command -v etcd >/dev/null || need etcd etcd-server
	command -v etcdctl >/dev/null || need etcdctl etcd-client
	module 'libnghttp2 >= 1.50' || need "nghttp2 1.50 or later" libnghttp2-dev
}

# Of the others it needs the first alone.
want_bench() {
	[ -n "$last" ] || want_build
	/usr/bin/python3 -c 'import statistics' 2>/dev/null || need "Python 3" python3
	case $last in test | jepsen | lint) ;; *) want_plots ;; esac
}

# --- getting it ---

ask() { LC_ALL=C apt-cache ${sources:+-o Dir::Etc::SourceList="$sources"} "$@"; }

candidate() { ask policy "$1" | awk '$1 == "Candidate:" {print $2}'; }

# The newest version that fits, from the sources that apt knows.
raft_version() {
	ask madison libraft-dev | awk '{print $3}' | while read -r v; do
		! dpkg --compare-versions "$v" ge "$RAFT_MIN~" 2>/dev/null || echo "$v"
	done | head -n 1
}

codename() { sed -n 's/^VERSION_CODENAME=//p' /etc/os-release; }

# "mirror file": where the main archive of this release comes from, and the file that says so.
main_source() {
	apt-get indextargets --format '$(CODENAME) $(COMPONENT) $(REPO_URI) $(SOURCESENTRY)' 'Created-By: Packages' |
		awk -v want="$(codename)" '$1 == want && $2 == "main" {sub(/:[0-9]+$/, "", $4); print $3, $4; exit}'
}

# The option that lets apt trust backports by the same key as the main archive; none when apt's own keyring decides.
signed_by() {
	key=$(sed -nE 's/^[Ss]igned-[Bb]y:[[:space:]]*(\/[^[:space:]]+).*/\1/p; s/^deb .*signed-by=([^] ]+).*/\1/p' "$1" | head -n 1)
	[ -z "$key" ] || printf '[signed-by=%s] ' "$key"
}

backports_line() {
	main_source | {
		read -r mirror file || exit 1
		echo "deb $(signed_by "$file")$mirror $(codename)-backports main"
	}
}

run() {
	say "+ $*"
	"$@"
}

apt() { run env DEBIAN_FRONTEND=noninteractive apt-get -q ${sources:+-o Dir::Etc::SourceList="$sources"} "$@"; }

# Runs a command that installs servers. They are to be there as programs only: none is started now or at boot, and no cluster of the system is made.
without_services() {
	cluster=/etc/postgresql-common/createcluster.d/ordain-none.conf
	policy=/usr/sbin/policy-rc.d # Debian's way to deny starts; there in many containers, and then left as it is
	trap cleanup EXIT
	made=$cluster
	mkdir -p "${cluster%/*}"
	echo "create_main_cluster = off" >$cluster
	if [ ! -e $policy ]; then
		made="$made $policy"
		printf '#!/bin/sh\nexit 101\n' >$policy
		chmod 755 $policy
	fi
	had_etcd=$(command -v etcd) || true
	"$@"
	if [ -z "$had_etcd" ]; then run update-rc.d etcd disable; fi
}

msgpack_package() {
	if [ -n "$(candidate libmsgpack-c-dev)" ]; then echo libmsgpack-c-dev; else echo libmsgpack-dev; fi
}

add_backports() {
	line=$(backports_line) || {
		say "No source of libraft $RAFT_MIN or later: apt names no main archive of $(codename) from which backports could be derived."
		exit 1
	}
	sources=$(mktemp)
	trap cleanup EXIT
	if [ -f /etc/apt/sources.list ]; then cat /etc/apt/sources.list >"$sources"; fi
	say "libraft $RAFT_MIN or later is in backports; for this run apt also reads: $line"
	echo "$line" >>"$sources"
	apt update
}

install() {
	apt update
	if [ -n "$raft" ]; then
		version=$(raft_version)
		[ -n "$version" ] || { add_backports && version=$(raft_version); }
		[ -n "$version" ] || {
			say "No libraft $RAFT_MIN or later in apt's sources nor in $(codename)-backports."
			exit 1
		}
		packages="$packages libraft-dev=$version"
	fi
	# shellcheck disable=SC2046,SC2086 # words on purpose
	apt install -y --no-install-recommends $(echo $packages | sed "s/MSGPACK/$(msgpack_package)/")
}

# What somebody with root can do by hand.
advise() {
	say "Run as root: $0 $purposes"
	say "or by hand:"
	say "    apt-get update"
	if [ -z "$(candidate libssl-dev)" ]; then
		say "and make again, which then names the packages: apt knows of none yet."
		return
	fi
	if [ -n "$raft" ]; then
		if [ -z "$(raft_version)" ] && line=$(backports_line); then
			say "    echo '$line' > /etc/apt/sources.list.d/$(codename)-backports.list"
			say "    apt-get update"
			packages="$packages libraft-dev/$(codename)-backports"
		else
			packages="$packages libraft-dev$(raft_version | sed 's/^/=/')"
		fi
	fi
	say "    apt-get install$(echo "$packages" | sed "s/MSGPACK/$(msgpack_package)/")"
	case $packages in *postgresql* | *etcd-server*) say "By hand, Debian also starts a database of the system's own; the script does not." ;; esac
}

purposes="$*"
for purpose in "$@"; do
	case $purpose in
	build | demo | test | jepsen | lint | bench | bench-peers) ;;
	explain)
		explain_raft
		exit 0
		;;
	*)
		say "setup.sh: unknown purpose '$purpose'; one or more of build, demo, test, jepsen, lint, bench, bench-peers, or explain"
		exit 2
		;;
	esac
done
last=""
for purpose in build demo test jepsen lint; do # each includes the ones before
	case " $purposes " in *" $purpose "*) last=$purpose ;; esac
done
[ -z "$last" ] || "want_$last"
case " $purposes " in *" bench "*) want_bench ;; esac
case " $purposes " in *" bench-peers "*) want_bench_peers ;; esac
[ -n "$missing" ] || exit 0

say "Not installed: $missing."
! module raft || module "raft >= $RAFT_MIN" || explain_raft
command -v apt-get >/dev/null || {
	say "This is no Debian: install them by the means of your system, then run make again."
	exit 1
}
if [ "$(id -u)" -ne 0 ]; then
	advise
	exit 1
fi
case " $purposes " in
*" bench-peers "*) without_services install ;;
*) install ;;
esac
module "raft >= $RAFT_MIN" || {
	explain_raft
	exit 1
}
