#!/usr/bin/env bash
# The options that hold actions back: ro, dry_run, action_limit, and allow_delete that lets one go.
# shellcheck disable=SC2016 # the inner shells'
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=cloud.bash
. "$(dirname "$0")/cloud.bash"
cf_need jq curl

cf_start_sim --servers 20 --images 8 --transition 100
plain_world 5

cf_section "ro"
cf_mount ttl=300 ro
id=$(ids running | head -n 1)
dir=$PROFILE/servers/by-id/$id
forget_requests
write_fails_with "Read-only file system" off "$dir/power"
cmd_fails_with "Read-only file system" rm "$PROFILE/servers/by-name/$(cat "$dir/name")"
cmd_fails_with "Read-only file system" mkdir "$PROFILE/servers/by-id/x"
is "$(cat "$dir/state")" running "reads work"
is "$(stat -c %a "$dir/power")" 444 "the mode bits say so"
ok "what only takes writes is not there" test ! -e "$dir/console"
is "$(calls changes)" 0 "nothing was sent"
cf_umount

cf_section "ro of one profile"
cf_config
(umask 077; sed 's/^\[sim\]/[frozen]/; $aro = true' "$CF_TMP/config" >>"$CF_TMP/config.2"
    cat "$CF_TMP/config" >>"$CF_TMP/config.2")
cf_mount -c "$CF_TMP/config.2" ttl=300
is "$(stat -c %a "$MNT/frozen/servers/by-id/$id/power")" 444 "power is read-only there"
write_fails_with "Read-only file system" off "$MNT/frozen/servers/by-id/$id/power"
is "$(stat -c %a "$PROFILE/servers/by-id/$id/power")" 644 "the other profile is not concerned"
is "$(calls changes)" 0 "nothing was sent"
cf_umount

cf_section "dry_run"
cf_mount ttl=300 dry_run
id=$(ids running | tail -n 1)
dir=$PROFILE/servers/by-id/$id
forget_requests
ok "off is accepted" put off "$dir/power"
is "$(calls changes)" 0 "nothing is sent"
is "$(cat "$dir/state" "$dir/power")" $'running\non' "nothing changes"
is "$(journal 'map(select(.kind == "action")) | last | [.action, .old, .new, .result] | @csv')" \
    '"power","on","off","dry_run"' "the journal has it"
write_fails_with "Invalid argument" nonsense "$dir/power"
image=$(find "$PROFILE/images/by-visibility/private" -type l -printf '%l\n' | sed 's,.*/,,' | head -n 1)
before=$(cat "$PROFILE/images/by-id/$image/name")
ok "a rename is accepted" put other_name "$PROFILE/images/by-id/$image/name"
is "$(cat "$PROFILE/images/by-id/$image/name")" "$before" "and not done"
ok "tags are accepted" put some-tag "$dir/tags"
is "$(calls changes)" 0 "nothing was sent"
cf_umount

cf_section "action_limit"
cf_mount ttl=300 action_limit=3
mapfile -t some < <(ids running)
sim PUT "/_sim/servers/${some[3]}/tags" '[]' >/dev/null
forget_requests
for i in 0 1 2; do
    ok "number $((i + 1)) is accepted" put reboot "$PROFILE/servers/by-id/${some[i]}/power"
done
one=$PROFILE/servers/by-id/${some[3]}
write_fails_with "Disk quota exceeded" reboot "$one/power"
like "$(cat "$one/last_error")" 'action_limit.*servers/power' "last_error says why, and how many are done"
is "$(journal 'map(select(.kind == "action")) | last | [.action, .new, .error, .result] | @csv')" \
    '"power","reboot","quota","failed"' "the journal has it"
write_fails_with "Disk quota exceeded" too_much "$PROFILE/images/by-id/$image/name"
write_fails_with "Disk quota exceeded" too_much "$one/capture"
is "$(calls changes)" 3 "three were sent"
ok "what is so already does not count" put on "$one/power"
ok "nor does the name that it has" put "$(cat "$PROFILE/images/by-id/$image/name")" \
    "$PROFILE/images/by-id/$image/name"
is "$(calls changes)" 3 "and is not sent"
ok "a tag that comes does not count" put some-tag "$one/tags"
ok "nor another one" bash -c 'echo second >>"$1/tags"' - "$one"
write_fails_with "Disk quota exceeded" second "$one/tags"
write_fails_with "Disk quota exceeded" "" "$one/tags"
printf 'second\n' >"$one/scratch"
cmd_fails_with "Disk quota exceeded" mv -T "$one/scratch" "$one/tags"
is "$(cat "$one/tags")" $'second\nsome-tag' "no tag was taken away"
is "$(calls changes)" 5 "none was sent"
ok "many together do not count" put "reboot ${some[3]} ${some[4]}" "$PROFILE/servers/power"
cf_umount

cf_section "a tag taken away"
cf_mount ttl=300 action_limit=1
one=$PROFILE/servers/by-id/${some[3]}
ok "the first one is" put second "$one/tags"
write_fails_with "Disk quota exceeded" reboot "$one/power"
cf_umount

cf_section "without allow_delete"
cf_mount ttl=300
ok "there is no delete file" test ! -e "$PROFILE/images/by-id/$image/delete"
ok "an image is made" put to_be_deleted "$PROFILE/servers/by-id/${some[5]}/capture"
captured=$(cat "$PROFILE/servers/by-id/${some[5]}/captured")
ok "it becomes available" wait_until 10 reads "$PROFILE/images/by-id/$captured/state" available
cf_umount

cf_section "allow_delete"
cf_mount ttl=300 allow_delete
one=$PROFILE/images/by-id/$captured
public=$(find "$PROFILE/images/by-visibility/public" -type l -printf '%l\n' | sed 's,.*/,,' | head -n 1)
forget_requests
is "$(stat -c %a "$one/delete")" 200 "the file is write-only"
ok "a public image has none" test ! -e "$PROFILE/images/by-id/$public/delete"
write_fails_with "Invalid argument" "$image" "$one/delete"
write_fails_with "Invalid argument" yes "$one/delete"
like "$(cat "$one/last_error")" "own id" "last_error says what it takes"
cmd_fails_with "Operation not permitted" rmdir "$one"
cmd_fails_with "Operation not permitted" rm -rf "$one"
is "$(calls changes)" 0 "nothing was sent"
ok "its own id is accepted" put "$captured" "$one/delete"
is "$(calls changes)" 1 "it is one call"
is "$(last_change '.method + " " + .path')" "DELETE /v1/images/$captured" "on the wire"
ok "it is gone then" wait_until 10 is_gone "$one"
ok "the other one is still there" test -s "$PROFILE/images/by-id/$image/id"
is "$(events "map(select(.id == \"$captured\")) | map(.event) | last")" deleted "events has it"

cf_section "an image in use"
sim PATCH "/_sim/servers/${some[1]}" "{\"image\":{\"id\":\"$image\",\"name\":\"used\"}}" >/dev/null
sim PATCH "/_sim/images/$image" '{"protected":false,"status":"active"}' >/dev/null
ok "a refresh" refresh
write_fails_with "Device or resource busy" "$image" "$PROFILE/images/by-id/$image/delete"
like "$(cat "$PROFILE/images/by-id/$image/last_error")" '^101\.003015: ' "last_error says why"
ok "it stays" test -s "$PROFILE/images/by-id/$image/id"
