#!/bin/bash
# Times the client as a whole process, and weighs a node at idle: cli.sh PROGRAM [ROUNDS]
set -euo pipefail
program=$(realpath "$1")
rounds=${2:-40}
if [ "$(id -u)" = 0 ]; then
    copy=$(mktemp -d /tmp/pgbastion-bench-XXXXXX)
    install -m 0755 "$program" "$0" "$copy/"
    chmod 755 "$copy"
    status=0
    runuser -u postgres -- bash "$copy/$(basename "$0")" "$copy/$(basename "$program")" "$rounds" || status=$?
    rm -rf "$copy"
    exit "$status"
fi

work=$(mktemp -d /tmp/pgbastion-bench-XXXXXX)
sandbox=$work/sandbox
finish() {
    "$program" sandbox stop --dir "$sandbox" >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap finish EXIT
strip -o "$work/stripped" "$program" 2>/dev/null || cp "$program" "$work/stripped"
"$program" sandbox start --nodes 3 --dir "$sandbox" --detach >"$work/start.log" 2>&1 || { cat "$work/start.log"; exit 1; }
PGBASTION_CONFIG=$(find "$sandbox" -name pgbastion.yaml | sort | head -1)
export PGBASTION_CONFIG
"$program" wait healthy --timeout 60s >/dev/null

# Microseconds of each run, one a line; the first run is not counted. No process but the measured one is started in between.
times() {
    "$@" >/dev/null 2>&1 </dev/null || return 1
    for _ in $(seq "$rounds"); do
        local begin=${EPOCHREALTIME/[.,]/}
        "$@" >/dev/null 2>&1 </dev/null
        echo $((${EPOCHREALTIME/[.,]/} - begin))
    done
}
# row NAME LIMIT COMMAND...: LIMIT in ms, or - for a yardstick.
row() {
    local name=$1 limit=$2
    shift 2
    times "$@" | sort -n | awk -v name="$name" -v limit="$limit" '{ a[NR] = $1 / 1000 } END {
        median = a[int((NR + 1) / 2)]
        verdict = limit == "-" ? "" : median <= limit ? "within " limit " ms" : "ABOVE " limit " ms"
        printf "%-34s %8.1f %8.1f %8.1f   %s\n", name, a[1], median, a[NR], verdict }'
}

echo "load $(cut -d' ' -f1-3 /proc/loadavg) on $(nproc) processors, $rounds runs each"
printf "%-34s %8s %8s %8s\n" "ms, whole process" min median max
row "true (the floor)" - /bin/true
row "pgbastion --help" 25 "$program" --help
row "pgbastion status" 40 "$program" status
row "pgbastion status -o json" 40 "$program" status -o json
for rival in "patronictl --help" "pg_autoctl --help" "repmgr --help"; do
    if command -v "${rival%% *}" >/dev/null; then row "$rival" - $rival; fi
done

# Proportional memory: pages of the program are shared by the three nodes of this machine.
weigh() { awk '/^Pss:/ { sum += $2 } END { print sum }' "$@"; }
daemons=() guards=()
for process in /proc/[0-9]*; do
    words=$({ tr "\0" " " <"$process/cmdline"; } 2>/dev/null) || continue
    case $words in
    "$sandbox"/*" serve "*) daemons+=("$process/smaps_rollup") ;;
    "$sandbox"/*" guard "*) guards+=("$process/smaps_rollup") ;;
    esac
done
awk -v d="$(weigh "${daemons[@]}")" -v g="$(weigh "${guards[@]}")" -v n="${#daemons[@]}" -v b="$(stat -c %s "$work/stripped")" 'BEGIN {
    node = (d + g) / n / 1024
    printf "PSS of a node at idle, mean of %d: daemon %.1f MiB, guard %.1f MiB, both %.1f MiB (%s 40 MiB)\n",
        n, d / n / 1024, g / n / 1024, node, node <= 40 ? "within" : "ABOVE"
    printf "binary, stripped: %.1f MB (with --static-swift-stdlib: %s 35 MB)\n", b / 1e6, b <= 35e6 ? "within" : "ABOVE" }'
