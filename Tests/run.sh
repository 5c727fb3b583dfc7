#!/usr/bin/env bash
# Runs one group of tests: Tests/run.sh TITLE COMMAND...
# What failed is repeated at the end, where somebody looks first; lines that only say that a test began are left out.
set -uo pipefail
title=$1
shift
echo "== $title"
log=$(mktemp "${TMPDIR:-/tmp}/pgbastion-tests.XXXXXX")
trap 'rm -f "$log"' EXIT
"$@" 2>&1 </dev/null | sed -u 's/\x1b\[[0-9;]*m//g' | tee "$log" | grep -av --line-buffered '^◇'
status=${PIPESTATUS[0]}
if [ "$status" != 0 ]; then
	echo "== failed ($status): $title"
	grep -aE '^✘ (Test|Suite)|recorded an issue|Fatal error|^error:' "$log" | grep -av ' started\.$' | cut -c1-700 | head -40
	# A crash leaves no verdict: what had begun and not ended is near the end.
	grep -aqE '^[✔✘] Test run' "$log" || tail -5 "$log" | cut -c1-300
fi
exit "$status"
