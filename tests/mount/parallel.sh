#!/usr/bin/env bash
# What waits for the cloud waits alone: neighbours go on, and those that wait do it side by side.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/mount/tools/cloud.sh
. "$(dirname "$0")/tools/cloud.sh"
cf_need python3 jq curl

TAGS='GET /v1/servers/{id}/tags'
ACT='POST /v1/servers/{id}/action'
# How long the cloud takes for what waits; all bounds are parts of it.
LATENCY=$((1500 + 500 * CF_SLOW))
cf_start_sim --servers 0 --images 2 --transition 100
for i in 1 2 3 4 5 6 7 8; do
    server aaaaaaaa-0000-4000-8000-00000000000$i ACTIVE host-$i
    sim PUT /_sim/servers/aaaaaaaa-0000-4000-8000-00000000000$i/tags "[\"t$i\"]" >/dev/null
done
cf_mount ttl=3600 patience=10 connections=16 rate=0
cd "$PROFILE"
IDS=servers/by-id/aaaaaaaa-0000-4000-8000-00000000000

# together COMMAND…: eight at once, {} is the number; prints how many milliseconds all took.
together() {
    local begin_us=${EPOCHREALTIME/./} i pids=()
    for i in 1 2 3 4 5 6 7 8; do
        "${@//\{\}/$i}" >"$CF_TMP/out.$i" 2>&1 &
        pids+=($!)
    done
    wait "${pids[@]}"
    echo $(((${EPOCHREALTIME/./} - begin_us) / 1000))
}

# all_read WORD: for wait_until.
all_read() { [ "$(cat "$IDS"?/power | sort -u)" == "$1" ]; }

cf_section "lookups that wait"
slow "$TAGS" $LATENCY
took=$(together cat "${IDS}{}/tags")
at_most "$took" $((LATENCY * 7 / 2)) "eight lookups in eight directories wait side by side: $took ms"
is "$(cat "$CF_TMP"/out.* | tr '\n' ' ')" "t1 t2 t3 t4 t5 t6 t7 t8 " "each gets its own"
is "$(calls "$TAGS")" 8 "a call for each"
took=$(together cat "${IDS}{}/tags")
is "$(calls "$TAGS")" 8 "and none a second time"
cf_umount_here() { cd / && cf_umount; }
cf_umount_here

# In one directory: the kernel would let them queue, were FUSE_PARALLEL_DIROPS not asked for.
cf_mount -d again ttl=3600 patience=10 connections=16 rate=0
cd "$PROFILE"
sim DELETE /_sim/counters >/dev/null
took=$(together cat "${IDS}1/tags")
at_most "$took" $((LATENCY * 7)) "eight lookups of one name cost one latency: $took ms"
is "$(calls "$TAGS")" 1 "and one call"
# A lookup that waits in a directory does not hold up another name in it.
cat "${IDS}2/tags" >"$CF_TMP/late" &
waiter=$!
ok "a lookup waits" wait_until 2 calls_route "$TAGS" 2
took=$(milliseconds bash -c "cat ${IDS}2/host ${IDS}2/expires ${IDS}2/description ${IDS}2/status >/dev/null 2>&1 || true")
at_most "$took" $((LATENCY * 8 / 10)) "while one waits, others in its directory do not: $took ms"
wait "$waiter"
is "$(cat "$CF_TMP/late")" t2 "and it gets its answer"
no_faults

cf_section "actions that wait"
slow "$ACT" $LATENCY
# shellcheck disable=SC2016 # the inner shell's
took=$(together bash -c 'echo off >"$1"' off "${IDS}{}/power")
at_most "$took" $((LATENCY * 7 / 2)) "eight writes wait side by side: $took ms"
is "$(cat "$CF_TMP"/out.*)" "" "all succeed"
is "$(calls "$ACT")" 8 "a call for each"
# Who looks at a file while a write to it waits may wait as well, when it has just changed.
ok "all have stopped" wait_until 20 all_read off
find servers -ls >/dev/null
echo on >"${IDS}1/power" &
writer=$!
ok "one more write waits" wait_until 2 calls_route "$ACT" 9
took=$(milliseconds bash -c "(ls -l ${IDS}1 && cat ${IDS}1/state ${IDS}2/power && find servers -ls) >/dev/null")
at_most "$took" $((LATENCY * 8 / 10)) "meanwhile everything can be read: $took ms"
wait "$writer" && pass "and it succeeds"
no_faults

cf_section "a first listing that waits"
cd /
cf_umount
slow "$LIST_IMAGES" $((LATENCY * 5 / 2))
cf_mount -d third ttl=3600
cd "$PROFILE"
cat images/list.tsv >"$CF_TMP/images" &
waiter=$!
ok "a reader of images waits" wait_until 2 calls_route "$LIST_IMAGES" 1
took=$(milliseconds bash -c 'ls -l servers servers/by-id >/dev/null && cat health servers/by-name/*/status >/dev/null')
at_most "$took" $((LATENCY * 7 / 4)) "the servers do not: $took ms"
wait "$waiter"
is "$(wc -l <"$CF_TMP/images")" 3 "and the reader gets the images"
