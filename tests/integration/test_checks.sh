#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - the checks of the repository itself can fail: each is shown what it must find.
. "$(dirname "$0")/lib.sh"
support=$ROOT/tests/support
mkdir -p "$WORK/partition" "$WORK/raft" "$WORK/bin"
cd "$WORK" || exit 1

printf '#include "node/engine.h"\n' >partition/a.c
expect "check_includes names an arrow that points up" says 1 'partition/a.c:1:.*node/engine.h' -- "$support/check_includes.sh" partition/a.c
printf '#include <uv.h>\n' >raft/a.c
expect "check_includes names uv.h below the programs" says 1 'raft/a.c:1:.*uv.h' -- "$support/check_includes.sh" raft/a.c
printf '#include "base/err.h"\n#include "partition/route.h"\n' >partition/a.c
expect "check_includes lets the others pass" "$support/check_includes.sh" partition/a.c

printf '#include <time.h>\nlong now(void);\nlong now(void) { return time(0); }\n' >now.c
printf 'void *take(unsigned long n);\nvoid *malloc(unsigned long n);\nvoid *take(unsigned long n) { return malloc(n); }\n' >take.c
must gcc -O2 -c now.c take.c
ar rcs impure.a now.o take.o
ar rcs pure.a take.o
ar rcs empty.a
expect "check_symbols names a clock in the core" says 1 'must not call time .*now.o' -- "$support/check_symbols.sh" impure.a empty.a
expect "check_symbols lets memory pass" "$support/check_symbols.sh" pure.a empty.a

mkdir -p wraps/base wraps/partition wraps/raft wraps/client wraps/node wraps/tests/sim
for folder in base partition raft client; do cp take.o wraps/$folder/; done
cp now.o wraps/node/now.o
expect "check_wraps names a system call that the simulator does not know" says 1 'now.o calls time' -- "$support/check_wraps.sh" wraps
cp take.o wraps/node/now.o
expect "check_wraps lets memory pass" "$support/check_wraps.sh" wraps

{ echo 'int f(int a)' && echo '{' && yes '	a++;' | head -n 88 && echo '}'; } >long.c
expect "check_sizes names a function of 91 lines" says 1 'long.c:1: 91 lines' -- "$support/check_sizes.sh" long.c
sed -i 3d long.c
expect "check_sizes lets one of 90 pass" "$support/check_sizes.sh" long.c
yes '' | head -n 801 >file.h
expect "check_sizes names a file of 801 lines" says 1 'file.h: 801' -- "$support/check_sizes.sh" file.h

# A pkg-config that knows an old libraft, whatever is installed.
cat >bin/pkg-config <<-'END'
	#!/bin/sh
	case "$*" in
	*--modversion*raft*) echo 0.15.0 ;;
	*raft*) exit 1 ;;
	*) exec /usr/bin/pkg-config "$@" ;;
	esac
END
chmod +x bin/pkg-config
expect "an old libraft is refused by the build, saying why" says 2 '0\.15\.0' 'Figure 8' -- \
	env PATH="$WORK/bin:$PATH" make -C "$ROOT" --no-print-directory BUILD="$WORK/build" "$WORK/build/base/err.o"
expect "and nothing was compiled with it" test ! -e "$WORK/build/base/err.o"
chmod 755 "$WORK" bin
nobody=()
[ "$(id -u)" -ne 0 ] || nobody=(setpriv --reuid=65534 --clear-groups)
expect "without root, set-up says what to install and changes nothing" says 1 'libraft 0\.22' 'apt-get install.*libraft-dev' -- \
	"${nobody[@]}" env PATH="$WORK/bin:$PATH" "$support/setup.sh" build
