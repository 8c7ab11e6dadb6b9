#!/usr/bin/env bash
# Writing to a control file is an action: its verdict, what goes over the wire, what is shown then.
# shellcheck disable=SC2016 # the inner shells'
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=cloud.bash
. "$(dirname "$0")/cloud.bash"
cf_need jq curl python3

# The cloud's clock stands still but for what the test advances it by.
cf_start_sim --servers 30 --images 8 --transition 60000
plain_world 8
setting '{"freeze":true}'
cf_mount ttl=300 rate=0

servers=$PROFILE/servers/by-id
mapfile -t running < <(ids running)
mapfile -t stopped < <(ids stopped)
is "${#running[@]} ${#stopped[@]}" "22 8" "some run, some are stopped"

cf_section "off"
dir=$servers/${running[0]}
is "$(cat "$dir/state" "$dir/power")" $'running\non' "it runs at first"
is "$(cat "$dir/power_choices")" $'[on]\noff\noff hard\nreboot\nreboot hard' "a running server's choices"
forget_requests
ok "is accepted" put off "$dir/power"
is "$(calls changes)" 1 "is one change call"
is "$(last_change .path)" "/v1/servers/${running[0]}/action" "goes to the server's own action"
is "$(last_change .body | jq -cS .)" '{"os-stop":{}}' "is a soft stop on the wire"
is "$(cat "$dir/state" "$dir/power")" $'stopping\nchanging' "reads stopping at once"
name=$(cat "$dir/name")
is "$(readlink "$PROFILE/servers/by-state/stopping/$name")" "../../by-id/${running[0]}" \
    "the view has it at once"
ok "the other view lacks it" test ! -e "$PROFILE/servers/by-state/running/$name"
is "$(awk -F '\t' -v id="${running[0]}" 'NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i }
    $c["id"] == id { print $c["state"] }' "$PROFILE/servers/list.tsv")" stopping "so does list.tsv"
like_not "$(cat "$dir/power_choices")" '\[' "no choice is in force while it changes"
advance 60000
ok "reads stopped without remounting" wait_until 8 reads "$dir/state" stopped
is "$(cat "$dir/power")" off "power reads off then"
is "$(tr '\n' ',' <"$dir/power_choices")" 'on,[off],reboot hard,' "a stopped server's choices"
is "$(calls changes)" 1 "nothing else was sent"

cf_section "off, when it is off"
ok "is accepted" put off "$dir/power"
is "$(cat "$dir/state")" stopped "it stays off"
is "$(cat "$dir/last_error")" "" "no error is left"

cf_section "reboot, when it is off"
write_fails_with "Device or resource busy" reboot "$dir/power"
like "$(cat "$dir/last_error")" '^101\.001012: .+' "last_error has the cloud's code and words"
is "$(cat "$dir/state")" stopped "the state is untouched"
ok "by-problem has it" test -e "$PROFILE/servers/by-problem/action/$name"
like "$(journal 'map(select(.kind == "action")) | last | .code')" '^101\.001012$' "so has the journal"
ok "on is accepted then" put on "$dir/power"
is "$(cat "$dir/last_error")" "" "last_error is empty after a success"
ok "by-problem lacks it again" test ! -e "$PROFILE/servers/by-problem/action/$name"
is "$(cat "$dir/state")" starting "it reads starting"
is "$(last_change .body | jq -cS .)" '{"os-start":{}}' "the body of a start"

cf_section "a snapshot that is behind"
behind=${running[4]}
forget_requests
sim PATCH "/_sim/servers/$behind" '{"status":"SHUTOFF"}' >/dev/null
is "$(cat "$servers/$behind/state")" running "shown as running, stopped in the cloud"
ok "off is accepted" put off "$servers/$behind/power"
is "$(cat "$servers/$behind/state" "$servers/$behind/last_error")" stopped "it is so already, and shows now"
sim PATCH "/_sim/servers/$behind" '{"status":"ACTIVE"}' >/dev/null
forget_requests
ok "off is accepted when it was started meanwhile" put off "$servers/$behind/power"
is "$(calls changes)" 1 "and sent"
is "$(cat "$servers/$behind/state")" stopping "it shows"

cf_section "a server that fails on its way"
sim PATCH "/_sim/servers/$behind" '{"status":"ERROR","task_state":null}' >/dev/null
ok "reads error" wait_until 12 reads "$servers/$behind/state" error
ok "by-problem has it" test -e "$PROFILE/servers/by-problem/error/$(cat "$servers/$behind/name")"

cf_section "a cloud that shows no task"
hidden=${running[5]}
setting '{"task_state_visible":false}'
forget_requests
ok "off is accepted" put off "$servers/$hidden/power"
ok "the server is looked at again" wait_until 8 called "GET /v1/servers/{id}" 2
is "$(cat "$servers/$hidden/state" "$servers/$hidden/status")" $'stopping\nACTIVE' "it reads stopping all the time"
ok "also after a refresh" refresh
is "$(cat "$servers/$hidden/state")" stopping "it still does"
advance 60000
ok "until it has stopped" wait_until 12 reads "$servers/$hidden/state" stopped
is "$(calls changes)" 1 "nothing else was sent"
setting '{"task_state_visible":true}'

cf_section "words"
# wire WORD ID BODY PATH
wire() {
    local status=0
    forget_requests
    put "$1" "$servers/$2/power" || status=$?
    is "$status $(last_change .path) $(last_change .body | jq -cS .)" "0 $4 $3" "‘$1’ on the wire"
}
wire start "${stopped[0]}" '{"os-start":{}}' "/v1/servers/${stopped[0]}/action"
wire ' on ' "${stopped[1]}" '{"os-start":{}}' "/v1/servers/${stopped[1]}/action"
wire reboot "${running[1]}" '{"reboot":{"type":"SOFT"}}' "/v1/servers/${running[1]}/action"
is "$(cat "$servers/${running[1]}/state")" rebooting "a reboot shows"
wire restart "${running[2]}" '{"reboot":{"type":"SOFT"}}' "/v1/servers/${running[2]}/action"
wire 'reboot hard' "${running[3]}" '{"reboot":{"type":"HARD"}}' "/v1/servers/${running[3]}/action"
wire reset "${stopped[2]}" '{"reboot":{"type":"HARD"}}' "/v1/servers/${stopped[2]}/action"
advance 60000
for id in "${running[1]}" "${running[2]}" "${running[3]}" "${stopped[2]}"; do
    ok "a rebooted server runs again" wait_until 12 reads "$servers/$id/state" running
done
wire 'off  hard' "${running[1]}" \
    "{\"os-stop\":{\"servers\":[{\"id\":\"${running[1]}\"}],\"type\":\"HARD\"}}" /v1/servers/action
wire poweroff "${running[2]}" \
    "{\"os-stop\":{\"servers\":[{\"id\":\"${running[2]}\"}],\"type\":\"HARD\"}}" /v1/servers/action
wire stop "${running[3]}" '{"os-stop":{}}' "/v1/servers/${running[3]}/action"

cf_section "nonsense"
# What is under way is looked at again; a listing ends that.
settle() {
    advance 60000
    refresh
}
settle
dir=$servers/${stopped[0]}
is "$(cat "$dir/state")" running "it runs"
forget_requests
write_fails_with "Invalid argument" nonsense "$dir/power"
like "$(cat "$dir/last_error")" "nonsense" "last_error names the word"
like "$(cat "$dir/last_error")" "reboot hard" "and the words that are taken"
write_fails_with "Invalid argument" "" "$dir/power"
write_fails_with "Invalid argument" "on off" "$dir/power"
write_fails_with "Invalid argument" "ON" "$dir/power"
printf '%4097s' on >"$CF_TMP/long"
cmd_fails_with "Argument list too long" \
    dd if="$CF_TMP/long" of="$dir/power" bs=8192 conv=notrunc status=none
printf '%4096s' on >"$CF_TMP/padded"
printf 'on\0' >"$CF_TMP/nul"
cmd_fails_with "Invalid argument" dd if="$CF_TMP/nul" of="$dir/power" conv=notrunc status=none
cmd_fails_with "Invalid argument" \
    dd if="$CF_TMP/padded" of="$dir/power" bs=1 skip=4094 seek=1 conv=notrunc status=none
printf 'caf\351\n' >"$CF_TMP/latin"
cmd_fails_with "Invalid argument" dd if="$CF_TMP/latin" of="$dir/capture" conv=notrunc status=none
like "$(cat "$dir/last_error")" "UTF-8" "bytes that are no text: why"
is "$(calls total)" 0 "nothing was sent"
late=0
for i in {1..100}; do
    put "wrong$i" "$dir/power" 2>/dev/null || true
    read -r text <"$dir/last_error" || text= # at once: no process is started between
    [[ $text == *wrong$i* ]] || late=$((late + 1))
done
is "$late" 0 "last_error is there when write(2) returns"
ok "4096 bytes are taken" dd if="$CF_TMP/padded" of="$dir/power" bs=4096 conv=notrunc status=none
is "$(cat "$dir/last_error")" "" "last_error is empty after a success"

cf_section "truncation alone"
forget_requests
ok ": > power" bash -c ': >"$1"' - "$dir/power"
ok "truncate -s 0" truncate -s 0 "$dir/power"
is "$(cat "$dir/power")" on "changes nothing"
is "$(calls total)" 0 "and costs no call"

cf_section "files that take no writes"
for file in state status id last_error power_choices name; do
    write_fails_with "Permission denied" x "$dir/$file"
done
is "$(stat -c %a "$dir/name" "$dir/power" "$dir/state" "$dir/console" "$dir/console_url" \
    "$dir/capture" "$dir/captured" "$dir/raw.json" "$dir/raw" | tr '\n' ' ')" \
    '444 644 444 200 400 200 444 400 500 ' "the mode bits say so"
is "$(calls changes)" 0 "nothing was sent"

cf_section "no tool destroys"
for collection in servers images; do
    entries=("$PROFILE/$collection/by-id"/*)
    one=${entries[0]}
    cmd_fails_with "Operation not permitted" rmdir "$one"
    cmd_fails_with "Operation not permitted" unlink "$one/id"
    cmd_fails_with "Operation not permitted" mv -T "$one" "$PROFILE/$collection/by-id/moved"
    cmd_fails_with "Operation not permitted" mkdir "$PROFILE/$collection/by-id/new"
    cmd_fails_with "Operation not permitted" ln "$one/id" "$PROFILE/$collection/by-id/hard"
    cmd_fails_with "Operation not permitted" ln -s "$one" "$PROFILE/$collection/by-id/soft"
    cmd_fails_with "Operation not permitted" rm -rf "$PROFILE/$collection"
    ok "$one is still there" test -s "$one/id"
done
is "$(calls changes)" 0 "nothing was sent"

cf_section "console"
forget_requests
is "$(cat "$dir/console_url")" "" "there is no URL at first"
write_fails_with "Invalid argument" spice "$dir/console"
like "$(cat "$dir/last_error")" 'novnc' "last_error names the types"
is "$(calls changes)" 0 "nothing was sent"
ok "novnc is accepted" put novnc "$dir/console"
is "$(last_change .body | jq -cS .)" '{"os-getVNCConsole":{"type":"novnc"}}' "the body"
like "$(cat "$dir/console_url")" '^https?://[^[:space:]]+$' "the URL can be read"
is "$(stat -c %s "$dir/console_url")" "$(wc -c <"$dir/console_url")" "its size is exact"
url=$(cat "$dir/console_url")
like_not "$(cat "$PROFILE/journal.jsonl" "$PROFILE/events.jsonl" "$MNT/.cirrusfs/log" "$DAEMON_LOG")" \
    "${url##*[=/]}" "what it opens is in no log"

cf_section "the journal and the events"
line=$(journal 'map(select(.kind == "action" and .action == "power" and .result == "ok")) | last')
like "$(jq -r .time <<<"$line")" '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]+)?Z$' "time"
is "$(jq -r .uid <<<"$line")" "$(id -u)" "uid"
like "$(jq -r .pid <<<"$line")" '^[1-9][0-9]*$' "pid"
is "$(jq -r .command <<<"$line")" dd "command"
is "$(jq -r .path <<<"$line")" "sim/servers/by-id/${stopped[0]}/power" "path"
ok "off is accepted" put off "$dir/power"
line=$(journal 'map(select(.action == "power" and .result == "ok")) | last')
is "$(jq -r '.command' <<<"$line")" bash "a shell's command"
is "$(jq -r '.old, .new' <<<"$line" | tr '\n' ' ')" "on off " "old and new value"
is "$(events 'map(select(.event == "action" and .field == "power" and .new == "off")) | last | .old')" on \
    "so have the events"
is "$(jq -r '.call' <<<"$line")" "POST /v1/servers/${stopped[0]}/action" "method and path"
is "$(jq -r '.status' <<<"$line")" 200 "the HTTP status"
like "$(jq -r '.request_id' <<<"$line")" '^[[:alnum:]-]{8,}$' "the request's id"
is "$(jq -r '.request_id' <<<"$line")" "$(last_change '.headers["X-Request-Id"]')" "the cloud got the same id"
like "$(jq -r '.ms' <<<"$line")" '^[0-9]+$' "milliseconds"
put reboot "$dir/power" 2>/dev/null || true
line=$(journal 'map(select(.kind == "action" and .action == "power")) | last')
is "$(jq -r '.call' <<<"$line")" "POST /v1/servers/${stopped[0]}/action" "a refused one: method and path"
is "$(jq -r '.status, .code' <<<"$line" | tr '\n' ' ')" "400 101.001012 " "a refused one: status and code"
like "$(jq -r '.message' <<<"$line")" '.{4,}' "a refused one: the cloud's words"
like "$(jq -r '.request_id' <<<"$line")" '^[[:alnum:]-]{8,}$' "a refused one: the request's id"
like "$(cat "$dir/last_error")" "$(jq -r '.message | @text' <<<"$line" | cut -c 1-8)" "the same words as last_error"
settle
is "$(cat "$dir/state")" stopped "it is off now"
is "$(events "map(select(.id == \"${stopped[0]}\" and .event == \"action\")) | last | [.field, .new] | @csv")" \
    '"power","off"' "events has the action"
is "$(events "map(select(.id == \"${stopped[0]}\" and .field == \"state\")) | .[-2:] | map(.old + \">\" + .new) | @csv")" \
    '"running>stopping","stopping>stopped"' "events has the changes of state"
is "$(events 'map(select(.collection == null or .profile != "sim" or .time == null)) | length')" 0 \
    "every event has a time, a profile, a collection"

cf_section "capture"
forget_requests
images_before=$(find "$PROFILE/images/by-id" -mindepth 1 -maxdepth 1 | wc -l)
is "$(cat "$dir/captured")" "" "nothing was captured yet"
write_fails_with "Invalid argument" "" "$dir/capture"
# One write, as tee does it: what a shell's own printf writes line by line would be several.
printf '%s\n' web_golden 'made by the test' 'in two lines' >"$CF_TMP/capture"
ok "a name and a description" dd if="$CF_TMP/capture" of="$dir/capture" conv=notrunc status=none
is "$(last_change .body | jq -cS '.createImage | {name, description}')" \
    '{"description":"made by the test\nin two lines","name":"web_golden"}' "the body"
image=$(cat "$dir/captured")
like "$image" '^[[:alnum:]-]+$' "captured has the new image's id"
is "$(cat "$PROFILE/images/by-id/$image/state")" creating "the image is there, creating"
is "$(cat "$PROFILE/images/by-id/$image/name")" web_golden "with its name"
is "$(readlink "$PROFILE/images/by-name/web_golden")" "../by-id/$image" "also by its name"
is "$(find "$PROFILE/images/by-id" -mindepth 1 -maxdepth 1 | wc -l)" $((images_before + 1)) "one image more"
write_fails_with "Device or resource busy" early "$PROFILE/images/by-id/$image/name"
like "$(cat "$PROFILE/images/by-id/$image/last_error")" '101\.003016' "it cannot be renamed yet"
advance 60000
ok "it becomes available" wait_until 12 reads "$PROFILE/images/by-id/$image/state" available
is "$(calls "POST /v1/servers/{id}/action")" 1 "one call made it"

cf_section "an image's name and description"
dir=$PROFILE/images/by-id/$image
forget_requests
ok "echo" bash -c 'echo renamed_1 >"$1"' - "$dir/name"
is "$(cat "$dir/name")" renamed_1 "shows at once"
is "$(last_change '.method + " " + .path')" "PATCH /v1/images/$image" "method and path"
is "$(last_change .body | jq -c 'map([.op, .path, .value])')" '[["add","/name","renamed_1"]]' "the body"
ok "tee" bash -c 'echo renamed_2 | tee "$1" >/dev/null' - "$dir/name"
is "$(cat "$dir/name")" renamed_2 "tee's shows"
ok "printf without a newline" bash -c 'printf renamed_3 >"$1"' - "$dir/name"
is "$(cat "$dir/name")" renamed_3 "printf's shows"
is "$(readlink "$PROFILE/images/by-name/renamed_3")" "../by-id/$image" "so in the view"
ok "the view lacks the old one" test ! -e "$PROFILE/images/by-name/renamed_2"
ok "a description" put "hello from here" "$dir/description"
is "$(cat "$dir/description")" "hello from here" "shows"
is "$(last_change .body | jq -c 'map([.op, .path, .value])')" \
    '[["add","/description","hello from here"]]' "the description's body"
fault code "PATCH /v1/images/{id}" '"code":"101.003013","message":"镜像名称不符合规范"'
write_fails_with "Invalid argument" x "$dir/name"
is "$(sed 's/ (request .*//' "$dir/last_error")" '101.003013: 镜像名称不符合规范' "the cloud's rule for names is told"
no_faults
fault code "PATCH /v1/images/{id}" '"code":"101.003014","message":"描述不能以http开头"'
write_fails_with "Invalid argument" "https://example.com" "$dir/description"
is "$(sed 's/ (request .*//' "$dir/last_error")" '101.003014: 描述不能以http开头' "and that for descriptions"
no_faults
forget_requests
for file in name description; do
    cmd_fails_with "Invalid argument" dd if="$CF_TMP/latin" of="$dir/$file" conv=notrunc status=none
    like "$(cat "$dir/last_error")" "UTF-8" "$file: why"
done
is "$(calls changes)" 0 "what is no text is not sent"
is "$(cat "$dir/name" "$dir/description")" $'renamed_3\nhello from here' "the old values stay"
ok "an empty line clears it" put "" "$dir/description"
is "$(cat "$dir/description" 2>/dev/null || true)" "" "it is empty"
write_fails_with "Permission denied" "$image" "$dir/last_error"
ok "delete is not there without allow_delete" test ! -e "$dir/delete"

public=$(find "$PROFILE/images/by-visibility/public" -type l -printf '%l\n' | sed 's,.*/,,' | head -n 1)
like "$public" '.' "there is a public image"
is "$(stat -c %a "$PROFILE/images/by-id/$public/name")" 444 "a public image's name is read-only"
forget_requests
write_fails_with "Permission denied" mine "$PROFILE/images/by-id/$public/name"
is "$(calls total)" 0 "nothing was sent"

cf_section "a slow action"
other=$servers/${running[3]}
slow=$(ids stopped | head -n 1)
forget_requests
fault latency "POST /v1/servers/{id}/action" '"ms":2500'
begin_us=${EPOCHREALTIME/./}
put on "$servers/$slow/power" &
writer=$!
ok "the call arrives" wait_until 5 called changes 1
at_most "$(quiet_ms timeout 5 cat "$other/state" "$other/raw.json" "$PROFILE/health")" $((500 * CF_SLOW)) "other files are read meanwhile"
at_most "$(quiet_ms timeout 5 cat "$servers/$slow/state" "$servers/$slow/last_error")" $((500 * CF_SLOW)) "so are the server's own"
at_most "$(quiet_ms timeout 5 ls -l "$servers" "$servers/$slow")" $((500 * CF_SLOW)) "directories are listed"
at_most "$(quiet_ms refresh)" $((500 * CF_SLOW)) "a refresh comes through"
ok "the action is still under way" kill -0 "$writer"
status=0
wait "$writer" || status=$?
is "$status" 0 "it is accepted in the end"
at_most 2400 $(((${EPOCHREALTIME/./} - begin_us) / 1000)) "not before the cloud said so"
no_faults
