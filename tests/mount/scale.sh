#!/usr/bin/env bash
# Twenty thousand servers: what they cost in calls, time and memory.
# begins early
# shellcheck disable=SC2119 # fuse_requests takes the mount at hand
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/mount/tools/cloud.sh
. "$(dirname "$0")/tools/cloud.sh"
cf_need python3 jq curl

N=${CF_SCALE:-20000}
PAGES=$(((N + 99) / 100))

cf_start_sim --servers "$N" --images 100
bytes=$(sim GET /_sim/servers | wc -c)
began=${EPOCHREALTIME/./}
cf_mount ttl=3600 rate=0 patience=60 deadline=120
cd "$PROFILE"

rss() { awk '/^VmRSS/ { print $2 }' "/proc/$DAEMON_PID/status"; }
bound_kib=$(((bytes * 3 / 2 + N * 600) / 1024 + 60 * 1024))

is "$(find servers/by-id -mindepth 1 -maxdepth 1 | wc -l)" "$N" "by-id has them all"
echo "# cold: mount and first listing of $N servers: $(((${EPOCHREALTIME/./} - began) / 1000)) ms"
is "$(calls "$LIST_SERVERS")" "$PAGES" "a call for each page"
echo "# VmRSS when listed: $(rss) KiB; the JSON has $((bytes / 1024)) KiB"
at_most_memory "$(rss)" "$bound_kib" "memory"

took=$(milliseconds find servers/by-id -name raw -prune -o -type f -size +1000000 -print)
echo "# find over all attributes: $took ms"
took=$(milliseconds bash -c 'cat servers/by-id/*/status >/dev/null')
echo "# one attribute of each, cold: $took ms"
took=$(milliseconds bash -c 'cat servers/by-id/*/status >/dev/null')
echo "# and again: $took ms"
is "$(cat servers/by-id/*/status | wc -l)" "$N" "a status of each"
is "$(wc -l <servers/list.tsv)" "$((N + 1))" "list.tsv"
is "$(wc -l <servers/list.jsonl)" "$N" "list.jsonl"
deleted=$(sim GET /_sim/servers | jq '[.[] | select(.status == "SOFT_DELETED")] | length')
is "$(find servers/by-state -type l | wc -l)" "$N" "by-state has them all"
is "$(find servers/by-name -type l | wc -l)" "$((N - deleted))" "by-name all that are not deleted"
is "$(calls "$LIST_SERVERS")" "$PAGES" "all that cost no call"
after_walk=$(rss)
echo "# VmRSS after all that: $after_walk KiB of at most $bound_kib"
at_most_memory "$after_walk" "$bound_kib" "memory after a walk"

# One server of all changes.
id=$(find servers/by-id -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | sed -n 777p)
parsed=$(metric records_parsed_total servers)
requests=$(fuse_requests)
change servers "$id" '{"status":"PAUSED"}'
sim DELETE /_sim/counters >/dev/null
took=$(milliseconds bash -c 'echo 1 > refresh')
echo "# refresh with one change: $took ms"
is "$(calls "$LIST_SERVERS")" "$PAGES" "a refresh costs the pages"
is "$(($(metric records_parsed_total servers) - parsed))" 1 "one record is parsed"
is "$(cat "servers/by-id/$id/status")" PAUSED "and shown"
is "$(cat servers/by-id/*/status | wc -l)" "$N" "the others are there"
# Of 20,000; a kernel that is short of memory drops some by itself.
at_most "$(($(fuse_requests) - requests))" 2000 "the kernel has kept all but what changed"
for _ in 1 2 3 4 5; do
    sim POST /_sim/servers/touch '{"fraction":0.01}' >/dev/null
    echo 1 >refresh
    cat servers/list.tsv >/dev/null
done
echo "# VmRSS after five versions more: $(rss) KiB"
at_most_memory "$(rss)" "$((bound_kib + bytes / 10 / 1024))" "memory after changes"
took=$(milliseconds bash -c 'echo 1 > refresh')
echo "# refresh with nothing changed: $took ms"

# Programs go through the tree while it changes under them: they end well, what they see is whole,
# and a refresh does not wait for them.
find servers -name raw -prune -o -print >"$CF_TMP/found" &
walkers=($!)
find servers/by-id -mindepth 1 -maxdepth 1 -name '[0-3]*' | head -n 400 |
    {
        # A directory may change: a server that is under way has a task.
        tar --exclude=raw --exclude=console --exclude=capture -cf "$CF_TMP/packed.tar" -T - \
            2>"$CF_TMP/tar.err" || [ $? -eq 1 ]
    } &
walkers+=($!)
grep -rs --exclude-dir=raw --include=state . servers/by-id >"$CF_TMP/states" &
walkers+=($!)
rounds=0
while kill -0 "${walkers[@]}" 2>/dev/null || [ "$rounds" -lt 3 ]; do
    sim POST /_sim/servers/touch '{"fraction":0.01}' >/dev/null
    timeout $((30 * CF_SLOW)) bash -c 'echo 1 >refresh' || fail "a refresh ends while programs walk"
    rounds=$((rounds + 1))
done
echo "# $rounds refreshes while find, tar and grep walked"
for walker in "${walkers[@]}"; do
    ok "a walker ends well" wait "$walker"
done
is "$(grep -cE '^servers/by-id/[^/]+$' "$CF_TMP/found")" "$N" "find has met every server"
is "$(grep -vxE 'tar: servers/by-id/[^/]+: file changed as we read it' "$CF_TMP/tar.err")" "" "tar saw no file shrink or change"
is "$(tar -tf "$CF_TMP/packed.tar" | grep -c '/status$')" "$(tar -tf "$CF_TMP/packed.tar" |
    grep -cE '/by-id/[^/]+/$')" "and has packed a status of each"
is "$(wc -l <"$CF_TMP/states")" "$N" "grep has a line of each"
is "$(grep -cvE ':(running|stopped|paused|suspended|starting|stopping|rebooting|building|resizing|rebuilding|deleting|deleted|error|unknown)$' "$CF_TMP/states")" 0 "and a word in each"
# Columns that belong together, in a file that is read in pieces of 128 KiB.
is "$(awk -F '\t' 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    { pair[$at["status"]] = pair[$at["status"]] " " $at["state"] }
    $at["status"] == "ACTIVE" && $at["state"] != "running" && $at["task"] == "" { n++ }
    $at["status"] == "SHUTOFF" && $at["state"] != "stopped" && $at["task"] == "" { n++ }
    END { print n + 0 }' servers/list.tsv)" 0 "no line of list.tsv is of two versions"

# Inspur's batch call takes a hundred.
{
    echo "expect 1000"
    sim GET /_sim/servers | jq -r 'map(select(.status == "ACTIVE" and .task_state == null))[:1000][] |
        "off " + .id'
} >"$CF_TMP/lines"
sim DELETE /_sim/counters >/dev/null
ok "1,000 servers are stopped by one write" cp "$CF_TMP/lines" servers/power
is "$(sim GET /_sim/counters | jq .changes)" 10 "by ten change calls"

cd /
began=${EPOCHREALTIME/./}
cf_umount
took=$(((${EPOCHREALTIME/./} - began) / 1000))
echo "# unmount: $took ms"
at_most "$took" $((5000 * CF_SLOW)) "unmount in time"
