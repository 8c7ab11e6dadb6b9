#!/usr/bin/env bash
# The cloud goes away, hangs, comes back: what is shown goes on, what cannot be shown says why.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=cloud.bash
. "$(dirname "$0")/cloud.bash"
cf_need jq curl

cf_start_sim --servers 30 --images 5 --transition 100
plain_world 5
port=${SIM_URL##*:}
cf_mount ttl=200ms max_stale=30 patience=300ms deadline=2 rate=0
mapfile -t running < <(ids running)
dir=$PROFILE/servers/by-id/${running[0]}
name=$(cat "$dir/name")
LIST="GET /v1/servers/{page}/{size}"

# goes_on NAME: everything of the servers that was fetched is still read, and soon.
goes_on() {
    at_most "$(quiet_ms timeout 10 cat "$dir/state" "$dir/raw.json")" $((1000 * CF_SLOW)) "$1: files are read"
    is "$(find "$PROFILE/servers/by-id" -mindepth 1 -maxdepth 1 | wc -l)" 30 "$1: all servers are listed"
    is "$(cat "$PROFILE/servers/by-name/$name/id")" "${running[0]}" "$1: views work"
    is "$(wc -l <"$PROFILE/servers/list.tsv")" 31 "$1: list.tsv works"
}
# waits_for TEXT PATH: a listing that fails with that text, within the deadline.
waits_for() {
    local begin_us=${EPOCHREALTIME/./}
    cmd_fails_with "$1" timeout 20 ls "$2"
    at_most $(((${EPOCHREALTIME/./} - begin_us) / 1000)) $((3500 * CF_SLOW)) "within the deadline"
}
# Without anybody who looks nothing is asked and nothing noticed.
noticed() {
    cat "$dir/state" >/dev/null 2>&1 || true
    says "$PROFILE/health" "$1"
}
recovered() { ls "$PROFILE/images/by-id" && noticed '^ok '; }

cf_section "listings fail"
ok "all is well" noticed '^ok since [0-9]{4}-'
fault status "$LIST" '"status":503'
fault status "GET /v1/images" '"status":503'
ok "health says stale" wait_until 10 noticed '^stale since [0-9]{4}-[0-9-]+T[0-9:.]+Z: .*503'
goes_on "listings fail"
waits_for "Remote I/O error" "$PROFILE/images/by-id"
no_faults
ok "health recovers without remounting" wait_until 10 recovered
is "$(find "$PROFILE/images/by-id" -mindepth 1 -maxdepth 1 | wc -l)" 5 "what failed is there now"
cf_umount

cf_section "the cloud hangs"
cf_mount ttl=200ms max_stale=30 patience=300ms deadline=2 rate=0
cat "$dir/state" >/dev/null
fault hang "*"
ok "health says stale" wait_until 10 noticed '^stale since '
goes_on "the cloud hangs"
waits_for "Connection timed out" "$PROFILE/images/by-id"
begin_us=${EPOCHREALTIME/./}
write_fails_with "Connection timed out" off "$dir/power"
at_most $(((${EPOCHREALTIME/./} - begin_us) / 1000)) $((3500 * CF_SLOW)) "an action fails within the deadline"
no_faults
ok "health recovers without remounting" wait_until 15 recovered
ok "an action works" put reboot "$PROFILE/servers/by-id/${running[1]}/power"
cf_umount

cf_section "the cloud is down"
cf_mount ttl=200ms max_stale=30 patience=300ms deadline=2 rate=0
cat "$dir/state" >/dev/null
setting '{"listing":"down"}'
ok "health says stale" wait_until 10 noticed '^stale since '
goes_on "the cloud is down"
setting '{"listing":"up"}'
ok "health recovers without remounting" wait_until 10 noticed '^ok '

cf_section "the cloud is gone"
cf_stop_sim "$SIM_PID"
ok "health says stale" wait_until 10 noticed '^stale since '
goes_on "the cloud is gone"
waits_for "Connection refused" "$PROFILE/images/by-id"
write_fails_with "Connection refused" reboot "$dir/power"
write_fails_with "Connection refused" now "$PROFILE/refresh"
like "$(cat "$dir/last_error")" '127\.0\.0\.1' "last_error says where nobody is"
cf_start_sim --servers 30 --images 5 --transition 100 --port "$port"
ok "health recovers without remounting" wait_until 15 recovered
ok "an action works" put reboot "$dir/power"
is "$(find "$PROFILE/images/by-id" -mindepth 1 -maxdepth 1 | wc -l)" 5 "what was never fetched is there now"

cf_section "after max_stale"
cf_umount
cf_mount ttl=100ms max_stale=300ms patience=100ms deadline=2 rate=0
cat "$dir/state" >/dev/null
fault hang "*"
# "Never while health is not ok" is for patience; what is too old is waited for, and then shown or not.
ok "health says stale" wait_until 10 noticed '^stale since '
like "$(timeout 10 cat "$dir/state" 2>&1 || true)" '^([a-z]+|.*Connection timed out)$' "too old: an answer in the end"
no_faults
ok "health recovers without remounting" wait_until 15 noticed '^ok '

cf_section "unmounting while requests wait"
fault hang "*"
timeout 20 ls "$PROFILE/images/by-id" >/dev/null 2>&1 &
reader=$!
put reboot "$PROFILE/servers/by-id/${running[2]}/power" 2>/dev/null &
writer=$!
ok "they wait" wait_until 10 called "POST /v1/servers/{id}/action" 1
begin_us=${EPOCHREALTIME/./}
ok "umount works" cirrusfs umount "$MNT"
at_most $(((${EPOCHREALTIME/./} - begin_us) / 1000)) $((1500 * CF_SLOW)) "at once"
ok "it is not in the mount table" not_mounted
ok "the reader ends" wait_until 5 cf_is_over "$reader"
ok "the writer ends" wait_until 5 cf_is_over "$writer"
wait "$reader" || true
wait "$writer" || true
ok "the daemon ends" wait_until 8 cf_is_over "$DAEMON_PID"
cf_umount
