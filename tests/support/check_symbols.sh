#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 - proves that the core calls no clock, no I/O and no randomness: whatever it needs from outside is on a list.
#
#   check_symbols.sh partition.a base.a
#
# Links the core with what it uses of base, as far as that goes. Left out are base's assertion and trace ring: they write to
# stderr, but only when the process is about to abort. __cpu_model tells the checksum whether the processor has an instruction for it.
set -eu
allowed='
	memcpy memmove memset memcmp memchr bcmp strlen strcmp strncmp
	malloc calloc realloc free abort
	snprintf vsnprintf qsort
	ord_assert_failed ord_trace ord_trace_show
	SHA256 SHA256_Init SHA256_Update SHA256_Final
	EVP_sha256 EVP_MD_fetch EVP_MD_free EVP_MD_CTX_new EVP_MD_CTX_free EVP_MD_CTX_copy_ex
	EVP_DigestInit_ex EVP_DigestInit_ex2 EVP_DigestUpdate EVP_DigestFinal_ex EVP_Digest
	ZSTD_createCCtx ZSTD_freeCCtx ZSTD_compressCCtx ZSTD_createDCtx ZSTD_freeDCtx ZSTD_decompressDCtx
	ZSTD_getFrameContentSize ZSTD_isError ZSTD_getErrorName
	_GLOBAL_OFFSET_TABLE_ __stack_chk_fail
	__cpu_model
'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$2" "$work/base.a"
ar d "$work/base.a" assert.o trace.o
ld -r -o "$work/core.o" --whole-archive "$1" --no-whole-archive "$work/base.a"
bad=0
for symbol in $(nm -u "$work/core.o" | awk '{print $NF}'); do
	plain=$(echo "$symbol" | sed -E 's/^__(.*)_chk$/\1/') # the checked twin that _FORTIFY_SOURCE calls
	case $(echo $allowed) in
	"$plain "* | *" $plain "* | *" $plain" | *" $symbol "*) ;;
	*)
		users=$(nm -A -u "$1" | awk -v symbol="$symbol" '$NF == symbol {split($1, part, ":"); print part[2]}' | sort -u)
		echo "partition/ must not call $symbol (used by: $(echo ${users:-a part of base/}))"
		bad=1
		;;
	esac
done
exit $bad
