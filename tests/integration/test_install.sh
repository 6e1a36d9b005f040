#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - what `make install` leaves is enough to build a program with, by ordain.pc alone.
. "$(dirname "$0")/lib.sh"
tree=$WORK/tree
cat >"$WORK/program.c" <<-'END'
	#include <ordain.h>
	#include <stdio.h>
	int main(void)
	{
		struct ordain_id id;
		char text[ORDAIN_ID_TEXT_SIZE];
		if (ordain_id_make(&id) != 0)
			return 1;
		ordain_id_format(&id, text);
		printf("%s %s\n", ordain_version(), text);
		return 0;
	}
END

pc() {
	PKG_CONFIG_PATH=$tree/opt/ordain/lib/pkgconfig pkg-config --define-variable=prefix="$tree/opt/ordain" "$@" ordain
}

compile() {
	local san=${SAN:+-fsanitize=$SAN}
	# shellcheck disable=SC2046,SC2086 # flags are words
	gcc -std=c11 -Wall -Wextra -Werror -pedantic $san $(pc --cflags) "$WORK/program.c" $(pc --libs) -lpthread -o "$WORK/program"
}

must make -C "$ROOT" --no-print-directory BUILD="$BUILD" install DESTDIR="$tree" PREFIX=/opt/ordain
expect "ordain.pc gives the version of the header" test "$(pc --modversion)" = "$("$tree/opt/ordain/bin/ordain" --version | awk '{print $2}')"
expect "a program compiles and links with what ordain.pc says" compile
expect "and runs" says 0 "^$(pc --modversion) [0-9a-f-]{36}$" -- "$WORK/program"
expect "the systemd unit starts the daemon that was installed" grep -q '^ExecStart=/opt/ordain/bin/ordaind' "$tree/opt/ordain/lib/systemd/system/ordaind.service"
for page in README.md LICENSE protocol.md adr/README.md examples/payments.csv; do
	expect "$page is installed" test -s "$tree/opt/ordain/share/doc/ordain/$page"
done
