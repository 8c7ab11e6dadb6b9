#!/usr/bin/env bash
# What shows while the cloud is at it, and what it refuses then. The cloud's operations must take a
# while for that: LIVE_OP_DELAY says how many seconds they do (the lab's LAB_OP_DELAY).
. "$(dirname "$0")/live.bash"

[ "${LIVE_OP_DELAY:-0}" -ge 2 ] || cf_skip_all "operations are over at once (LIVE_OP_DELAY)"
polls() { python3 "$LIVE_TOOLS/../../mount/tools/polls.py" "$@"; }
refreshed() {
    write "$PROFILE/refresh" now
    "$@"
}

# meanwhile STATUS FILE VALUE ERRNO WORDS NAME: refused while the cloud is at it, which is while it
# still tells that status. An answer that came later says nothing; what it began is waited for.
meanwhile() {
    local status=$1 file=$2 value=$3 expected=$4 words=$5 name=$6 answer said
    answer=$(live_errno "$file" "$value")
    said=$(cat "$(dirname "$file")/last_error")
    if [ "$answer" != "$expected" ] && ! live_status_is "$status" "$id"; then
        skip "$name" "this machine is too busy to ask before it is over"
        wait_until 60 is_idle
        return
    fi
    is "$answer" "$expected" "$name: $expected"
    like "$said" "$words" "$name: the cloud's own words"
}
is_idle() { [ "$(osc server show -f value -c OS-EXT-STS:task_state "$id")" == None ]; }

live_pick
live_mount ttl=3600 max_stale=3600 # nothing is listed by itself

cf_section "being built"
# Side by side: it does not take long. Another one where it was over before we had asked: what was
# answered counts where it is still being built then.
missed=
for try in 1 2 3 4 5; do
    osc server create --image "$LIVE_IMAGE" --flavor "$LIVE_FLAVOR" --network none -f value -c id \
        "$LIVE_PREFIX-built-$try" >"$CF_TMP/booted"
    id=$(grep -oE '^[0-9a-f-]{36}$' "$CF_TMP/booted")
    S=$SERVERS/by-id/$id
    wait_until 10 refreshed test -d "$S" || continue
    state=$(cat "$S/state")
    live_errno "$S/power" off >"$CF_TMP/power" &
    stopper=$!
    live_errno "$S/tags" early >"$CF_TMP/tags"
    wait "$stopper"
    missed=
    [ "$state $(cat "$CF_TMP/power" "$CF_TMP/tags")" != $'building EBUSY\nEBUSY' ] || break
    ! live_status_is BUILD "$id" || break
    missed=1
done
if [ -n "$missed" ]; then
    skip "what is refused of it" "this machine is too busy to ask before it is built"
else
    is "$state" building "it shows"
    is "$(cat "$CF_TMP/power")" EBUSY "stopping it: EBUSY"
    is "$(cat "$CF_TMP/tags")" EBUSY "a tag: EBUSY"
    like "$(cat "$S/last_error")" "vm_state building" "the cloud's own words"
fi
ok "its name can be changed" write "$S/name" "$LIVE_PREFIX-renamed"
ok "it runs at last" wait_until 60 refreshed reads "$S/state" running
live_same servers "$id" "when it runs"

cf_section "from state to state"
before=$(metric refreshes_total)
polls order "$S/state" 4 $((60 * CF_SLOW)) >"$CF_TMP/polls" &
poller=$!
ok "somebody watches" wait_until 10 reads "$CF_TMP/polls" running
ok "off" write "$S/power" off
meanwhile ACTIVE "$S/power" reboot EBUSY "task_state powering-off" "a reboot meanwhile"
meanwhile ACTIVE "$S/capture" "$LIVE_PREFIX-no" EBUSY "task_state powering-off" "an image meanwhile"
ok "a tag can be added" append "$S/tags" meanwhile
ok "it stops" wait_until 60 reads "$S/state" stopped
live_same servers "$id" "when it has stopped"
ok "on" write "$S/power" on
meanwhile SHUTOFF "$S/power" "reboot hard" EBUSY "task_state powering-on" "a hard reboot meanwhile"
wait "$poller" || true
is "$(tr '\n' ' ' <"$CF_TMP/polls")" "running stopping stopped starting running " "every state in its order"
is "$(metric refreshes_total)" "$before" "nothing was listed for it"
ok "cirrusfs wait sees it, too" cirrusfs wait "$S/state" running --timeout $((60 * CF_SLOW))
live_same servers "$id" "when it runs again"
live_compare servers "$id"

cf_section "being deleted"
osc server delete "$id"
ok "it shows" wait_until 10 refreshed reads "$S/state" deleting
refused "$S/power" off EBUSY "task_state deleting" "stopping it"
ok "it goes" wait_until 60 refreshed test ! -e "$S"
CF_SECTION=
