#!/usr/bin/env bash
# Runs one group of tests: Tests/run.sh TITLE COMMAND...
# What failed is repeated at the end, where somebody looks first; lines that only say that a test began are left out.
#
# SECOND_CHANCE=N: at most N tests that only missed a deadline ("did not reach", "not within") run once more, alone, and the
# first verdict stays in the output. A machine that was busy elsewhere is no defect. What lost a row, crashed, or expected
# something else never gets a second chance.
set -uo pipefail
title=$1
shift
echo "== $title"
log=$(mktemp "${TMPDIR:-/tmp}/pgbastion-tests.XXXXXX")
trap 'rm -f "$log"' EXIT

run() {
	"$@" 2>&1 </dev/null | sed -u 's/\x1b\[[0-9;]*m//g' | tee "$log" | grep -av --line-buffered '^◇'
	return "${PIPESTATUS[0]}"
}

summary() {
	grep -aE '^✘ (Test|Suite)|recorded an issue|Fatal error|^error:' "$log" | grep -av ' started\.$' | cut -c1-700 | head -40
	# A crash leaves no verdict: what had begun and not ended is near the end.
	grep -aqE '^[✔✘] Test run' "$log" || tail -5 "$log" | cut -c1-300
}

# The names of the tests that failed, as a regular expression; nothing when one of them failed by more than a deadline.
late() {
	grep -aqE '^✘ Test run' "$log" || return
	grep -aE '^✘ .*recorded an issue' "$log" | grep -aqvE 'did not reach: |not within ' && return
	mapfile -t names < <(grep -aE '^✘ Test "' "$log" | sed -nE 's/^✘ Test "(.*)" (with .*test cases? )?failed after .*/\1/p' | sort -u)
	((${#names[@]} >= 1 && ${#names[@]} <= ${SECOND_CHANCE:-0})) || return
	printf '%s\n' "${names[@]}" | sed -E 's/[][\\.^$*+?(){}|/]/./g' | paste -sd'|'
}

run "$@"
status=$?
if [ "$status" != 0 ] && again=$(late) && [ -n "$again" ]; then
	echo "== missed a deadline: $title"
	summary
	echo "== once more: $again"
	# Several filters are a union: the group's own one goes.
	command=()
	while (($#)); do
		case $1 in --filter) shift ;; *) command+=("$1") ;; esac
		shift
	done
	run "${command[@]}" --filter "$again"
	status=$?
fi
if [ "$status" != 0 ]; then
	echo "== failed ($status): $title"
	summary
fi
exit "$status"
