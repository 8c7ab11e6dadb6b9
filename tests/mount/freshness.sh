#!/usr/bin/env bash
# A change made from outside is seen within the ttl, with a reader or with `watch`; without either
# the cloud is left in peace.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/mount/tools/cloud.sh
. "$(dirname "$0")/tools/cloud.sh"
cf_need python3 jq curl

A=aaaaaaaa-0000-4000-8000-000000000001
B=bbbbbbbb-0000-4000-8000-000000000002
N=cccccccc-0000-4000-8000-000000000003
LIMIT_MS=$((3000 * CF_SLOW)) # ttl + patience + 1 s

cf_start_sim --servers 5 --images 2
server $A ACTIVE alpha
server $B ACTIVE beta
mkdir "$CF_TMP/readers"

now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }

# seen_in_time BEGIN_MS FILE: what look has printed.
seen_in_time() {
    local line
    while read -r line; do
        case $line in
        ready) ;;
        never* | odd*) fail "${line//"$PROFILE"\//}" ;;
        *) at_most "$((${line##* } - $1))" "$LIMIT_MS" "seen in time: ${line//"$PROFILE"\//}" ;;
        esac
    done <"$2"
}

# All the ways of looking, once a second each, while somebody else changes the cloud.
watch_changes() {
    local began looker follower
    tail -F -s 1 -n +1 "$PROFILE/events.jsonl" >"$CF_TMP/events" 2>"$CF_TMP/tail.err" &
    follower=$!

    look 20 "cat:$PROFILE/servers/by-id/$A/status=SHUTOFF\\n" \
        "pread:$PROFILE/servers/by-id/$A/state=stopped\\n" \
        "cat:$PROFILE/servers/by-id/$A/name=gamma and more\\n" \
        "cat:$PROFILE/servers/$A/power=off\\n" \
        "here:$PROFILE/servers/by-state/stopped/gamma and more" \
        "gone:$PROFILE/servers/by-state/running/alpha" \
        "here:$PROFILE/servers/by-name/gamma and more" \
        "gone:$PROFILE/servers/by-name/alpha" \
        "gone:$PROFILE/servers/by-id/$B" \
        "here:$PROFILE/servers/by-id/$N" \
        "cat:$PROFILE/servers/by-id/$N/name=new\\n" \
        "link:$PROFILE/servers/by-name/new" \
        "link:$PROFILE/servers/new" >"$CF_TMP/seen" &
    looker=$!
    ok "the readers have begun" wait_until 10 grep -q ready "$CF_TMP/seen"
    change servers $A '{"status":"SHUTOFF","name":"gamma and more"}'
    sim DELETE "/_sim/servers/$B" >/dev/null
    server $N ACTIVE new
    began=$(now_ms)
    wait "$looker" || true
    seen_in_time "$began" "$CF_TMP/seen"

    wait_until 3 grep -q "$N" "$CF_TMP/events" || true
    # Twice: that tail has time to show a line twice, if it did.
    ok "tail -F has the change" wait_until 3 event changed $A status ACTIVE SHUTOFF
    ok "and that of the name" wait_until 3 event changed $A name alpha "gamma and more"
    ok "and the creation" wait_until 3 event created $N
    ok "and the deletion" wait_until 3 event deleted $B
    kill "$follower"
    wait "$follower" 2>/dev/null || true
    is "$(jq -c 'select(.field == "status")' "$CF_TMP/events" | grep -c $A)" 1 \
        "tail -F has each line once"
    is "$(jq -r '.profile + " " + .collection' "$CF_TMP/events" | sort -u)" "sim servers" \
        "a line tells profile and collection"
    is "$(head -c -0 "$CF_TMP/events" | cmp - "$PROFILE/events.jsonl" 2>&1)" "" \
        "the file is what tail showed"
    is "$(cat "$CF_TMP/tail.err")" "" "tail -F has nothing to complain of"
}

# event WHAT ID [FIELD OLD NEW]: such a line came.
event() {
    jq -se --arg event "$1" --arg id "$2" --arg field "${3-}" --arg old "${4-}" --arg new "${5-}" \
        'any(.[]; .event == $event and .id == $id and
            ($field == "" or (.field == $field and .old == $old and .new == $new)))' \
        "$CF_TMP/events"
}

cf_section "a reader a second"
cf_mount ttl=1 patience=1
watch_changes
cf_umount

cf_section watch
sim DELETE "/_sim/servers/$N" >/dev/null
change servers $A '{"status":"ACTIVE","name":"alpha"}'
server $B ACTIVE beta
cf_mount ttl=1 patience=1 watch
# Nobody reads: the mount asks by itself, and the daemon's own log of changes grows.
cat "$PROFILE/servers/by-id/$A/status" >/dev/null
sim DELETE /_sim/counters >/dev/null
ok "the servers are asked for at the ttl" wait_until 4 calls_route "$LIST_SERVERS" 2
began=$(now_ms)
change servers $A '{"status":"SHUTOFF"}'
# Only the file of events is looked at: its size is pushed to the kernel.
exec 3<"$PROFILE/events.jsonl"
ok "events.jsonl has the change in time" wait_until 3 grep -q '"SHUTOFF"' /dev/fd/3
at_most "$(($(now_ms) - began))" "$LIMIT_MS" "within ttl + patience + 1 s"
exec 3<&-
is "$(cat "$PROFILE/servers/by-id/$A/status")" SHUTOFF "and so has the file"
cf_umount

cf_section "nobody looks"
cf_mount ttl=0.5
cat "$PROFILE/servers/by-id/$A/status" >/dev/null
ok "the mount comes to rest" never 1 false
sim DELETE /_sim/counters >/dev/null
ok "no call in five ttl" never 2.5 calls_are_not 0
change servers $A '{"status":"PAUSED"}'
is "$(cat "$PROFILE/servers/by-id/$A/status")" PAUSED "the first look sees what is new"
is "$(calls total)" 1 "and costs one call"
never 1 calls_are_not 1
is "$(calls total)" 1 "no other one follows"
cf_umount

cf_section "one flight"
cf_mount ttl=0.5 patience=5
cat "$PROFILE/servers/by-id/$A/status" >/dev/null
slow "$LIST_SERVERS" 300
never 0.6 false
change servers $A '{"status":"ACTIVE"}'
sim DELETE /_sim/counters >/dev/null
for i in $(seq 20); do
    cat "$PROFILE/servers/by-id/$A/status" >"$CF_TMP/readers/$i" &
done
wait_jobs() {
    local pid
    for pid in $(jobs -p); do
        case " $SIM_PID $DAEMON_PID " in
        *" $pid "*) ;;
        *) wait "$pid" ;;
        esac
    done
}
wait_jobs
is "$(cat "$CF_TMP"/readers/* | sort | uniq -c | tr -s ' ')" " 20 ACTIVE" "twenty readers see the new"
is "$(calls total)" 1 "for one call"
no_faults
cf_umount

cf_section patience
cf_mount ttl=0.5 patience=0 max_stale=600
cat "$PROFILE/servers/by-id/$A/status" >/dev/null
slow "$LIST_SERVERS" 1500
never 0.6 false
change servers $A '{"status":"PAUSED"}'
began=$(now_ms)
is "$(cat "$PROFILE/servers/by-id/$A/status")" ACTIVE "patience=0 serves what is there"
at_most "$(($(now_ms) - began))" $((1000 * CF_SLOW)) "at once"
ok "and shows the new when it came" wait_until 5 reads "$PROFILE/servers/by-id/$A/status" PAUSED
no_faults
cf_umount

cf_mount ttl=0.2 patience=0 max_stale=0.5
cat "$PROFILE/servers/by-id/$A/status" >/dev/null
slow "$LIST_SERVERS" 700
never 1 false
change servers $A '{"status":"ACTIVE"}'
is "$(cat "$PROFILE/servers/by-id/$A/status")" ACTIVE "a reader waits for what is older than max_stale"
no_faults
cf_umount

cf_mount ttl=0.5 patience=1
cat "$PROFILE/servers/by-id/$A/status" >/dev/null
slow "$LIST_SERVERS" 3000
never 0.6 false
change servers $A '{"status":"SHUTOFF"}'
began=$(now_ms)
is "$(cat "$PROFILE/servers/by-id/$A/status")" ACTIVE "after its patience a reader gets what is there"
waited=$(($(now_ms) - began))
at_most 900 "$waited" "it has waited"
at_most "$waited" $((2500 * CF_SLOW)) "and not for the cloud"
ok "the refresh goes on" wait_until 6 reads "$PROFILE/servers/by-id/$A/status" SHUTOFF
no_faults
