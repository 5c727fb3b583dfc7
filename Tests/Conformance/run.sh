#!/bin/bash
# schemathesis against a throw-away cluster: `run.sh BINARY [EXAMPLES]`. Fewer examples make a short run.
#
# Destructive operations are part of it: the cluster is made for this run and removed at its end. Requests go through the unix
# socket of a node, which has no rate limit; tokens are tried over TCP by access.py.
set -u
cd "$(dirname "$0")/../.."
binary=${1:-.build/debug/pgbastion}
examples=${2:-10}
venv=.build/conformance-venv
work=$(mktemp -d /tmp/pgbastion-conformance.XXXXXX)
chmod 755 "$work"
pids=()

finish() {
    # Daemons, guards and servers do not end with the command that started them.
    [ -f "$work/cluster/sandbox.json" ] && "$binary" sandbox stop --dir "$work/cluster" >/dev/null 2>&1
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null; done
    [ "${KEEP:-}" = 1 ] || rm -rf "$work"
}
trap finish EXIT

if [ ! -x "$venv/bin/schemathesis" ]; then
    python3 -m venv "$venv" && "$venv/bin/pip" install -q --disable-pip-version-check 'schemathesis==4.32.5' || {
        echo "conformance: schemathesis could not be installed from PyPI" >&2
        exit 1
    }
fi

# `sandbox start` becomes the owner of PostgreSQL's files by itself and stays in the foreground.
"$binary" sandbox start --dir "$work/cluster" >"$work/sandbox.log" 2>&1 &
pids+=($!)
api=""
for _ in $(seq 240); do
    if [ -z "$api" ] && [ -f "$work/cluster/sandbox.json" ]; then
        base_port=$(jq '.nodes[0].basePort' "$work/cluster/sandbox.json")
        api="http://127.0.0.1:$((base_port + 2))"
    fi
    [ -n "$api" ] && [ "$(curl -s "$api/v1/operations/status" | jq -r '.data.cluster.healthy' 2>/dev/null)" = true ] && break
    kill -0 "${pids[0]}" 2>/dev/null || { cat "$work/sandbox.log" >&2; exit 1; }
    sleep 0.5
done

python3 Tests/Conformance/access.py "$api" || exit 1

forward=$((base_port + 9))
python3 Tests/Conformance/forward.py "$forward" "$work/cluster/node1/run/api.sock" >"$work/forward.log" 2>&1 &
pids+=($!)
for _ in $(seq 50); do
    curl -s -o /dev/null "http://127.0.0.1:$forward/livez" && break
    sleep 0.1
done
# The coverage phase alone makes thousands of requests: a short run leaves it out.
phases=coverage,fuzzing
[ "$examples" -le 1 ] && phases=fuzzing
"$venv/bin/schemathesis" --config-file Tests/Conformance/schemathesis.toml run "http://127.0.0.1:$forward/openapi.json" \
    --max-examples "$examples" --seed 1 --mode all --workers 1 --phases "$phases" >"$work/report.txt" 2>&1
result=$?
sed -n '/=== FAILURES ===/,$p' "$work/report.txt" | head -"${LINES_SHOWN:-400}"
[ $result = 0 ] && sed -n '/=== SUMMARY ===/,$p' "$work/report.txt"
[ -n "${REPORT:-}" ] && cp "$work/report.txt" "$REPORT"
# Whatever was asked, the daemon lives and answers.
curl -sf "$api/livez" >/dev/null || { echo "conformance: the daemon does not answer any more" >&2; result=1; }
exit $result
