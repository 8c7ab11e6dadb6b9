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
cd /
began=${EPOCHREALTIME/./}
cf_umount
took=$(((${EPOCHREALTIME/./} - began) / 1000))
echo "# unmount: $took ms"
at_most "$took" $((5000 * CF_SLOW)) "unmount in time"
