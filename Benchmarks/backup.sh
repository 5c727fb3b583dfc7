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
ours() { "$program" backup create --quiet --no-prune --dir "$work/ours"; }

median() { sort -n | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'; }
measure() {
    for _ in $(seq "$rounds"); do
        local begin=$(date +%s%N)
        "$1"
        echo $((($(date +%s%N) - begin) / 1000))
    done | median
}
guide && ours
g=$(measure guide)
o=$(measure ours)
size=$(stat -c %s "$(readlink -f "$work/ours/latest.tar.gz")")
awk -v g="$g" -v o="$o" -v s="$size" -v n="$rounds" 'BEGIN {
    printf "small state, three nodes, median of %d: guide %.1f ms, pgbastion %.1f ms (%.2f x), archive %d bytes, verified\n", n, g/1000, o/1000, o/g, s }'
