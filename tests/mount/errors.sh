#!/usr/bin/env bash
# Each row of the table of errors that a cloud can be made to provoke: the errno that the program
# gets, the cloud's words in last_error and in the journal, and that nothing was sent twice.
# not under: tsan
# shellcheck disable=SC2016 # the inner shells'
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=cloud.bash
. "$(dirname "$0")/cloud.bash"
cf_need jq curl

cf_start_sim --servers 30 --images 8 --transition 60000
plain_world 5
DEADLINE=$((1 + (CF_SLOW + 1) / 2)) # seconds; what a slow machine needs for a good answer fits in
cf_mount ttl=300 rate=0 deadline=$DEADLINE

ACTION="POST /v1/servers/{id}/action"
LIST="GET /v1/servers/{page}/{size}"
mapfile -t running < <(ids running)
is "${#running[@]}" 25 "there are servers that run"
dir=$PROFILE/servers/by-id/${running[0]}
last_failure() { journal "map(select(.kind == \"action\" and .result == \"failed\")) | last | $1"; }

# refused TEXT CODE ERROR STATUS: a reboot that the cloud answers with that status and code.
refused() {
    local code=$2
    cf_section "$code"
    no_faults
    forget_requests
    fault code "$ACTION" "\"status\":$4,\"code\":\"$code\",\"message\":\"words about $code\""
    write_fails_with "$1" reboot "$dir/power"
    is "$(sed 's/ (request .*//' "$dir/last_error")" "$code: words about $code" "last_error"
    is "$(last_failure '[.error, .status, .code, .message] | @csv')" \
        "\"$3\",$4,\"$code\",\"words about $code\"" "the journal"
    is "$(calls "$ACTION")" 1 "one call"
    is "$(cat "$dir/state")" running "the state is untouched"
}
refused "Invalid argument" 101.001001 invalid 400
refused "Invalid argument" 101.001002 invalid 400
refused "Device or resource busy" 101.001012 busy 400
refused "Device or resource busy" 101.003011 busy 400
refused "Operation not permitted" 101.001014 refused 400
refused "Operation not permitted" 101.001004 refused 400
refused "Disk quota exceeded" 101.001021 quota 400
refused "Permission denied" 003.000203 denied 403
refused "Permission denied" 101.003017 denied 400
refused "Remote I/O error" 101.001040 remote 500
refused "Remote I/O error" 101.009999 remote 400

# status TEXT ERROR STATUS: a bare HTTP status.
status() {
    cf_section "HTTP $3"
    no_faults
    forget_requests
    fault status "$ACTION" "\"status\":$3"
    write_fails_with "$1" reboot "$dir/power"
    is "$(last_failure '[.error, .status] | @csv')" "\"$2\",$3" "the journal"
    like "$(cat "$dir/last_error")" '.' "last_error says something"
    is "$(calls "$ACTION")" 1 "one call"
}
status "Permission denied" denied 403
status "Device or resource busy" busy 409
status "Operation not supported" unsupported 405
status "Remote I/O error" remote 500
status "Remote I/O error" remote 502
status "Remote I/O error" remote 503

cf_section "ways of refusing"
no_faults
stopped=$(ids stopped | head -n 1)
for way in '"http_200_errors":true' '"http_200_errors":false,"code_style":"bare"' '"code_style":"number"' \
    '"code_style":"dotted"'; do
    setting "{$way}"
    write_fails_with "Device or resource busy" reboot "$PROFILE/servers/by-id/$stopped/power"
    like "$(cat "$PROFILE/servers/by-id/$stopped/last_error")" '^101\.001012: 存在未知状态' "$way: last_error"
done

cf_section "a success clears it"
no_faults
ok "reboot" put reboot "$dir/power"
is "$(cat "$dir/last_error")" "" "last_error is empty"

cf_section "an answer of another shape"
for kind in garbage truncate html; do
    no_faults
    forget_requests
    fault "$kind" "$ACTION"
    write_fails_with "Protocol error" reboot "$PROFILE/servers/by-id/${running[1]}/power"
    is "$(calls changes)" 1 "$kind: sent once"
    like "$(cat "$PROFILE/servers/by-id/${running[1]}/last_error")" '.' "$kind: last_error says something"
done

cf_section "a connection that breaks after the change"
no_faults
forget_requests
fault reset_after "$ACTION"
output=$(put reboot "$PROFILE/servers/by-id/${running[2]}/power" 2>&1) && output="it succeeded"
like "$output" '(Connection (refused|reset by peer|timed out)|Protocol error|Remote I/O error)' "fails"
is "$(calls changes)" 1 "sent once"
like "$(cat "$PROFILE/servers/by-id/${running[2]}/last_error")" '.' "last_error says something"
is "$(journal 'map(select(.kind == "action")) | last | .result')" unknown "the journal: unknown"
shows() { [ "$(cat "$PROFILE/servers/by-id/$1/$2")" == "$3" ]; }
ok "what came of it is shown, though nobody refreshed" wait_until 10 shows "${running[2]}" state rebooting
tags=$PROFILE/servers/by-id/${running[4]}/tags
ok "its tags are known" test -e "$tags"
fault reset_after "POST /v1/servers/{id}/tags"
cmd_fails_with "" put doubtful "$tags"
ok "so are tags" wait_until 10 shows "${running[4]}" tags doubtful

cf_section "a connection that breaks before an answer"
no_faults
forget_requests
fault reset "$ACTION"
output=$(put reboot "$PROFILE/servers/by-id/${running[2]}/power" 2>&1) && output="it succeeded"
like "$output" '(Connection (refused|reset by peer|timed out)|Protocol error|Remote I/O error)' "fails"
is "$(calls changes)" 1 "sent once"

cf_section "no answer"
no_faults
forget_requests
fault hang "$ACTION"
begin_us=${EPOCHREALTIME/./}
write_fails_with "Connection timed out" reboot "$PROFILE/servers/by-id/${running[3]}/power"
took_ms=$(((${EPOCHREALTIME/./} - begin_us) / 1000))
at_most $((DEADLINE * 950)) "$took_ms" "waits for the deadline"
at_most "$took_ms" $((DEADLINE * 1000 + 2000 * CF_SLOW)) "not longer"
is "$(calls changes)" 1 "sent once"
like "$(cat "$PROFILE/servers/by-id/${running[3]}/last_error")" '.' "last_error says something"
no_faults

cf_section "too many requests"
wait_until 12 refresh || true
forget_requests
fault status "$ACTION" '"status":429'
write_fails_with "Resource temporarily unavailable" reboot "$PROFILE/servers/by-id/${running[4]}/power"
is "$(last_failure '[.error, .status] | @csv')" '"throttled",429' "the journal"
no_faults
ok "it goes on" wait_until 12 refresh
forget_requests
fault status "$ACTION" '"status":429,"count":1'
ok "one refusal is waited for" put reboot "$PROFILE/servers/by-id/${running[4]}/power"
is "$(calls "$ACTION")" 2 "and the change sent again, as nothing was done"
no_faults

cf_section "images"
private=$(find "$PROFILE/images/by-visibility/private" -type l -printf '%l\n' | sed 's,.*/,,' | head -n 1)
image=$PROFILE/images/by-id/$private
# refuses TEXT CODE STATUS
refuses() {
    no_faults
    fault code "PATCH /v1/images/{id}" "\"status\":$3,\"code\":\"$2\",\"message\":\"words about $2\""
    write_fails_with "$1" other_name "$image/name"
    is "$(sed 's/ (request .*//' "$image/last_error")" "$2: words about $2" "$2: last_error"
}
refuses "Device or resource busy" 101.003015 400
refuses "Device or resource busy" 101.003016 400
refuses "Permission denied" 101.003017 400
refuses "Disk quota exceeded" 101.003012 400
refuses "Remote I/O error" 101.003005 500
no_faults

cf_section "gone"
gone=${running[5]}
dir=$PROFILE/servers/by-id/$gone
is "$(cat "$dir/state")" running "it is there at first"
exec 7<"$dir/state" 8>"$dir/power"
sim DELETE "/_sim/servers/$gone" >/dev/null
write_fails_with "No such file or directory" reboot "$dir/power"
is "$(last_failure '[.error, .code] | @csv')" '"not-found","101.001033"' "the journal"
ok "a refresh" refresh
ok "its directory goes" wait_until 5 is_gone "$dir"
cmd_fails_with "No such file or directory" cat "$dir/state"
cmd_fails_with "No such device" cat <&7
cmd_fails_with "No such device" bash -c 'echo off >&8'
sim POST /_sim/servers "{\"id\":\"$gone\",\"name\":\"back-again\",\"status\":\"ACTIVE\"}" >/dev/null
ok "another refresh" refresh
is "$(cat "$dir/name" "$PROFILE/servers/by-name/back-again/id")" "back-again"$'\n'"$gone" "an id that comes back is there"
cmd_fails_with "No such device" cat <&7
exec 7<&- 8>&-
is "$(cat "$dir/name")" back-again "also when the old one is let go"
is "$(events "map(select(.id == \"$gone\" and .event == \"deleted\")) | length")" 1 "events has it once"

cf_section "not yours or not there"
other=${running[6]}
dir=$PROFILE/servers/by-id/$other
fault code "$ACTION" '"status":400,"code":"101.001013","message":"not yours or not there"'
write_fails_with "Permission denied" reboot "$dir/power"
is "$(cat "$dir/state")" running "while it is there it is somebody else's"
no_faults
fault code "$ACTION" '"status":400,"code":"101.001033","message":"no such server"'
write_fails_with "No such file or directory" reboot "$dir/power"
is "$(cat "$dir/state")" running "a plain no is what it says, though a look finds it"
no_faults
fault code "$ACTION" '"status":400,"code":"101.001013","message":"not yours or not there"'
sim DELETE "/_sim/servers/$other" >/dev/null
write_fails_with "No such file or directory" reboot "$dir/power"
no_faults

cf_section "refresh"
# listing TEXT KIND [MEMBERS]: a refresh whose listing fails so.
listing() {
    no_faults
    ok "before: the cloud is well" wait_until 15 refresh
    fault "$2" "$LIST" "${3-}"
    write_fails_with "$1" now "$PROFILE/refresh"
    like "$(cat "$PROFILE/health")" '^(stale|throttled|unreachable|unauthorized) since ' "$2 ${3-}: health"
    is "$(cat "$PROFILE/servers/by-id/${running[7]}/state")" running "$2 ${3-}: reads go on"
}
listing "Remote I/O error" status '"status":500'
listing "Remote I/O error" code '"status":500,"code":"101.001007","message":"list failed"'
listing "Permission denied" status '"status":403'
listing "Protocol error" garbage
listing "Protocol error" html '"status":200'
listing "Protocol error" truncate
listing "Protocol error" wrong_type
listing "Protocol error" deep
listing "Resource temporarily unavailable" status '"status":429'
listing "Connection timed out" hang
no_faults
ok "the cloud is well" wait_until 15 refresh
fault code "$LIST" '"status":500,"code":"101.001007","message":"list failed"'
refresh 2>/dev/null || true
no_faults
line=$(journal 'map(select(.kind == "call")) | last')
is "$(jq -r '[.call, .status, .result] | @csv' <<<"$line")" '"GET /v1/servers/1/100",500,"failed"' \
    "the journal has failed calls"
like "$(jq -r '.message' <<<"$line")" 'list failed' "with the cloud's words"
like "$(jq -r '.request_id' <<<"$line")" '^[[:alnum:]-]{8,}$' "with the request's id"
like "$(jq -r '.ms' <<<"$line")" '^[0-9]+$' "and milliseconds"
ok "the cloud is well again" wait_until 15 refresh
ok "health is ok" wait_until 5 says "$PROFILE/health" '^ok '
cmd_fails_with "Read-only file system" mkdir "$PROFILE/servers/by-name/x"

cf_section "nobody listens"
cf_stop_sim "$SIM_PID"
write_fails_with "Connection refused" now "$PROFILE/refresh"
write_fails_with "Connection refused" reboot "$PROFILE/servers/by-id/${running[7]}/power"
cf_umount

cf_section "credentials"
cf_start_sim --servers 5 --images 2
plain_world 0
cf_config
cf_mount ttl=300 deadline=2
mapfile -t running < <(find "$PROFILE/servers/by-id" -mindepth 1 -maxdepth 1 -printf '%f\n')
forget_requests
fault status "*" '"status":401'
output=$(put reboot "$PROFILE/servers/by-id/${running[0]}/power" 2>&1) || true
like "$output" 'Key has expired' "a token that was good once"
is "$(last_failure .error)" expired "the journal"
is "$(calls changes)" 1 "sent once"
no_faults
cf_umount

cf_start_sim --servers 5 --images 2
plain_world 0
cf_config
sed -i 's/^token = .*/token = fake-token-of-nobody/' "$CF_TMP/config"
cf_mount ttl=300 deadline=2 offline_ok
write_fails_with "Key was rejected by service" now "$PROFILE/refresh"
like "$(cat "$PROFILE/health")" '^unauthorized since ' "health"
cmd_fails_with "Key was rejected by service" ls "$PROFILE/servers/by-id"
cf_umount

cf_section "no such host"
(umask 077; printf '[sim]\nprovider = inspur\nendpoint = http://nonexistent.invalid\ntoken = %s\n' \
    "$CF_TOKEN" >"$CF_TMP/nowhere")
cf_mount -c "$CF_TMP/nowhere" deadline=$((2 * CF_SLOW)) offline_ok
write_fails_with "No route to host" now "$PROFILE/refresh"
cmd_fails_with "No route to host" ls "$PROFILE/servers/by-id"
cf_umount

cf_section "TLS to a plain port"
(umask 077; printf '[sim]\nprovider = inspur\nendpoint = %s\ntoken = %s\n' \
    "${SIM_URL/http:/https:}" "$CF_TOKEN" >"$CF_TMP/tls")
cf_mount -c "$CF_TMP/tls" deadline=$((2 * CF_SLOW)) offline_ok
write_fails_with "Protocol error" now "$PROFILE/refresh"
cmd_fails_with "Protocol error" ls "$PROFILE/servers/by-id"
