#!/usr/bin/env bash
# Each action through the mount, and what the openstack command says after it.
. "$(dirname "$0")/live.bash"

live_pick
live_boot one --tag first --description before
id=$LIVE_ID
live_mount ttl=1 allow_delete
S=$SERVERS/by-id/$id
ok "the new server is there" test -d "$S"
live_compare servers "$id"

told() { osc server show -f value -c "$1" "$id"; }
told_json() { osc server show -f json "$id" | jq -r "$1"; }

cf_section "power"
ok "off" write "$S/power" off
like "$(cat "$S/state")" '^(stopping|stopped)$' "it shows at once"
ok "it stops" wait_until 60 reads "$S/state" stopped
is "$(told status)" SHUTOFF "the command says so"
ok "off again does no harm" write "$S/power" off
like "$(cat "$S/power_choices")" '\[off\]' "off is the present choice"
like_not "$(cat "$S/power_choices")" 'off hard' "there is no off hard"
is "$(live_errno "$S/power" "off hard")" EOPNOTSUPP "off hard: EOPNOTSUPP"
ok "on" write "$S/power" on
ok "it starts" wait_until 60 reads "$S/state" running
is "$(told status)" ACTIVE "the command says so, too"
ok "reboot" write "$S/power" reboot
ok "it comes back" wait_until 60 reads "$S/state" running
ok "reboot hard" write "$S/power" "reboot hard"
ok "it comes back again" wait_until 60 reads "$S/state" running

cf_section "name and description"
ok "rename" write "$S/name" "$LIVE_PREFIX-zwei ü"
is "$(told name)" "$LIVE_PREFIX-zwei ü" "the command says so"
ok "the view follows" test -d "$SERVERS/by-name/$LIVE_PREFIX-zwei ü"
ok "describe" write "$S/description" "after"
is "$(told description)" after "the command says so, too"
ok "an empty line clears" write "$S/description" ""
is "$(told_json .description)" null "it is cleared in the cloud"

cf_section "tags"
ok "one more" append "$S/tags" second
is "$(told_json '.tags | sort | join(",")')" "first,second" "the command says so"
ok "another set" write_lines "$S/tags" a "b c"
is "$(told_json '.tags | sort | join(",")')" "a,b c" "the set is replaced"
ok "it is in by-tag" test -e "$SERVERS/by-tag/b c/$LIVE_PREFIX-zwei ü"
ok "one less" write "$S/tags" a
is "$(told_json '.tags | join(",")')" a "one went"
ok "none" write "$S/tags" ""
is "$(told_json '.tags | length')" 0 "all went"

cf_section "console"
ok "novnc" write "$S/console" novnc
like "$(cat "$S/console_url")" '^https?://' "the URL can be read"

cf_section "capture"
ok "an image" write_lines "$S/capture" "$LIVE_PREFIX-img" "made by a test"
image=$(cat "$S/captured")
I=$IMAGES/by-id/$image
ok "the image is there" test -d "$I"
ok "it becomes available" wait_until 120 reads "$I/state" available
is "$(cat "$I/description")" "made by a test" "it has its description"
live_compare images "$image"

cf_section "image"
ok "rename" write "$I/name" "$LIVE_PREFIX-img two"
ok "describe" write "$I/description" "words"
ok "tags" write_lines "$I/tags" x y
ok "a tag less" write "$I/tags" x
osc image show -f json "$image" >"$CF_TMP/image"
is "$(jq -r .name "$CF_TMP/image")" "$LIVE_PREFIX-img two" "the command says the name"
is "$(jq -r .properties.description "$CF_TMP/image")" words "… the description"
is "$(jq -r '.tags | join(",")' "$CF_TMP/image")" x "… the tags"
osc image set --protected "$image"
refused "$I/delete" "$image" EBUSY protected "deleting a protected image"
osc image set --unprotected "$image"
is "$(live_errno "$I/delete" "not-its-id")" EINVAL "another id deletes nothing"
ok "delete" write "$I/delete" "$image"
like "$(osc image show "$image")" "No " "the command finds it no more"
ok "it goes" wait_until 30 test ! -e "$I"

cf_section "after all"
write "$PROFILE/refresh" now
live_compare servers "$id"
