#!/bin/sh
# Makes ../public_mail.txt.gz again: the domains of the npm package and those
# it lacks, which public-mail-more.txt lists.
set -eu
export LC_ALL=C
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && npm pack --silent free-email-domains@1.12.6 >/dev/null && tar xzf ./*.tgz)
{
	tr -d '[]" \n\r' <"$work/package/domains.json" | tr , '\n'
	echo
	grep -v '^#' public-mail-more.txt
} | tr '[:upper:]' '[:lower:]' | grep -E '^[a-z0-9.-]+\.[a-z0-9-]+$' | sort -u | gzip -9n >../public_mail.txt.gz
