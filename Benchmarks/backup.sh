#!/bin/bash
# Times `pgbastion backup` on a sandbox beside the backup script of the operations guide: backup.sh PROGRAM [ROUNDS]
set -euo pipefail
program=$(realpath "$1")
rounds=${2:-9}
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
"$program" sandbox start --nodes 3 --dir "$sandbox" --detach >"$work/start.log" 2>&1 || { cat "$work/start.log"; exit 1; }
config=$(find "$sandbox" -name pgbastion.yaml | sort | head -1)
export PGBASTION_CONFIG=$config
"$program" wait healthy --timeout 60s >/dev/null
raft=$(awk '/data_dir: .*raft$/ { print $2; exit }' "$config")

# The script of the guide, "Automated Backup Script".
guide() {
    local dir=$work/guide/$(date +%Y%m%d-%H%M%S-%N)
    mkdir -p "$dir"
    cp -a "$raft" "$dir/"
    cp "$config" "$dir/"
    (cd "$dir" && sha256sum -b raft/* >checksums.sha256 2>/dev/null || true)
    tar -czf "$dir.tar.gz" -C "$work/guide" "$(basename "$dir")"
    rm -rf "$dir"
}
ours() { "$program" backup create --quiet --no-prune --dir "$work/ours/$1"; }

# A backup is named after its second, so two of one directory in one second would wait: each begins in a second and a directory of
# its own, outside of the time that is measured.
next_second() { local now=$EPOCHREALTIME; sleep "0.$(printf %06d $((1000000 - 10#${now#*[.,]})))"; }
took() {
    local begin=${EPOCHREALTIME/[.,]/}
    "$@"
    echo $((${EPOCHREALTIME/[.,]/} - begin))
}
guide && ours 0
for round in $(seq "$rounds"); do
    next_second
    g=$(took guide)
    next_second
    o=$(took ours "$round")
    echo "$g $o"
done >"$work/pairs"
size=$(stat -c %s "$(readlink -f "$work/ours/1/latest.tar.gz")")
column() { awk -v c="$1" '{ print $c }' "$work/pairs" | sort -n | awk '{ a[NR] = $1 / 1000 } END { printf "%.1f %.1f", a[int((NR + 1) / 2)], a[1] }'; }
ratio=$(awk '{ print $2 / $1 }' "$work/pairs" | sort -n | awk '{ a[NR] = $1 } END { printf "%.2f", a[int((NR + 1) / 2)] }')
read -r g gmin < <(column 1; echo)
read -r o omin < <(column 2; echo)
echo "load $(cut -d' ' -f1-3 /proc/loadavg) on $(nproc) processors, $rounds pairs in turn"
echo "small state, three nodes: guide $g ms (least $gmin), pgbastion $o ms (least $omin), $ratio x, archive $size bytes, verified"

# Every daemon gone: one node restored, started, until it leads the new cluster.
name=$(awk '/^cluster:/ { inside = 1 } inside && /name:/ { print $2; exit }' "$config")
for daemon in $(pgrep -u "$(id -u)" -f "^$sandbox/.* (serve|guard) "); do kill -9 "$daemon"; done
for postmaster in "$sandbox"/node*/data/postmaster.pid; do kill -INT "$(head -1 "$postmaster")" || true; done 2>/dev/null
for _ in $(seq 300); do [ -n "$(ls "$sandbox"/node*/data/postmaster.pid 2>/dev/null)" ] || break; sleep 0.1; done
begin=${EPOCHREALTIME/[.,]/}
"$program" restore "$work/ours/1/latest.tar.gz" --bootstrap --confirm "$name" >"$work/restore.log" 2>&1 || { cat "$work/restore.log"; exit 1; }
restored=${EPOCHREALTIME/[.,]/}
"$program" serve --config "$config" >"$work/serve.log" 2>&1 &
daemon=$!
until "$program" leader >/dev/null 2>&1; do
    [ $((${EPOCHREALTIME/[.,]/} - begin)) -lt 60000000 ] || { tail "$work/serve.log"; exit 1; }
done
led=${EPOCHREALTIME/[.,]/}
kill "$daemon" && wait "$daemon" || true
awk -v a="$begin" -v b="$restored" -v c="$led" 'BEGIN {
    printf "restore --bootstrap %.2f s, start of the daemon to the first leader %.2f s, together %.2f s\n", (b-a)/1e6, (c-b)/1e6, (c-a)/1e6 }'
