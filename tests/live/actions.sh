#!/usr/bin/env bash
# Each action through the mount. Before the first and after each of them, every attribute is what the
# openstack command says.
. "$(dirname "$0")/live.bash"

live_pick
live_boot one --tag first --description before --property role=web
id=$LIVE_ID
live_mount ttl=1 allow_delete
S=$SERVERS/by-id/$id
ok "the new server is there" test -d "$S"
live_compare servers "$id"

# after NAME: an action on the server has ended; after_image NAME: one on the image.
after() { live_same servers "$id" "after $1"; }
after_image() { live_same images "$image" "after $1"; }

cf_section "power"
ok "off" write "$S/power" off
like "$(cat "$S/state")" '^(stopping|stopped)$' "it shows at once"
ok "it stops" wait_until 60 reads "$S/state" stopped
after "off"
is "$(told .status)" SHUTOFF "the command says so"
ok "off again does no harm" write "$S/power" off
after "off again"
like "$(cat "$S/power_choices")" '\[off\]' "off is the present choice"
like_not "$(cat "$S/power_choices")" 'off hard' "there is no off hard"
is "$(live_errno "$S/power" "off hard")" EOPNOTSUPP "off hard: EOPNOTSUPP"
ok "on" write "$S/power" on
ok "it starts" wait_until 60 reads "$S/state" running
after "on"
is "$(told .status)" ACTIVE "the command says so, too"
ok "reboot" write "$S/power" reboot
ok "it comes back" wait_until 60 reads "$S/state" running
after "reboot"
is "$(told .status)" ACTIVE "the command says that it is back"
ok "reboot hard" write "$S/power" "reboot hard"
ok "it comes back again" wait_until 60 reads "$S/state" running
after "reboot hard"
is "$(told .status)" ACTIVE "the command says that it is back again"

cf_section "name and description"
ok "rename" write "$S/name" "$LIVE_PREFIX-zwei ü"
after "rename"
is "$(told .name)" "$LIVE_PREFIX-zwei ü" "the command says so"
ok "the view follows" test -d "$SERVERS/by-name/$LIVE_PREFIX-zwei ü"
ok "describe" write "$S/description" "after"
after "describe"
is "$(told .description)" after "the command says so, too"
ok "an empty line clears" write "$S/description" ""
after "clearing the description"
is "$(told .description)" null "it is cleared in the cloud"

cf_section "tags"
ok "one more" append "$S/tags" second
after "one more"
is "$(told '.tags | sort | join(",")')" "first,second" "the command says so"
ok "another set" write_lines "$S/tags" a "b c"
after "another set"
is "$(told '.tags | sort | join(",")')" "a,b c" "the set is replaced"
ok "it is in by-tag" test -e "$SERVERS/by-tag/b c/$LIVE_PREFIX-zwei ü"
ok "one less" write "$S/tags" a
after "one less"
is "$(told '.tags | join(",")')" a "one went"
ok "none" write "$S/tags" ""
after "none"
is "$(told '.tags | length')" 0 "all went"

cf_section "console"
ok "novnc" write "$S/console" novnc
like "$(cat "$S/console_url")" '^https?://' "the URL can be read"
after "a console"

cf_section "capture"
ok "an image" write_lines "$S/capture" "$LIVE_PREFIX-img" "made by a test"
image=$(cat "$S/captured")
I=$IMAGES/by-id/$image
ok "the image is there" test -d "$I"
ok "it becomes available" wait_until 120 reads "$I/state" available
after "a capture"
is "$(told .status)" ACTIVE "the command says that the server runs"
after_image "a capture"
is "$(told '.name + "," + .properties.description + "," + .status')" "$LIVE_PREFIX-img,made by a test,active" \
    "the command says what it was given"
live_compare images "$image"

cf_section "image"
ok "rename" write "$I/name" "$LIVE_PREFIX-img two"
after_image "rename"
is "$(told .name)" "$LIVE_PREFIX-img two" "the command says the name"
ok "describe" write "$I/description" "words"
after_image "describe"
is "$(told .properties.description)" words "the command says the description"
ok "tags" write_lines "$I/tags" x y
after_image "tags"
is "$(told '.tags | sort | join(",")')" x,y "the command says the tags"
ok "a tag less" write "$I/tags" x
after_image "a tag less"
is "$(told '.tags | join(",")')" x "one went"
# What else an image may have that is shown.
osc image set --property os_distro=debian --property os_version=12 --property os_type=linux \
    --architecture x86_64 --min-disk 1 --min-ram 64 --protected "$image"
after_image "protecting it"
is "$(told .protected)" true "it is protected"
refused "$I/delete" "$image" EBUSY protected "deleting a protected image"
after_image "a refusal"
osc image set --unprotected "$image"
after_image "unprotecting it"
is "$(told .protected)" false "it is not protected any more"
is "$(live_errno "$I/delete" "not-its-id")" EINVAL "another id deletes nothing"
after_image "another id"
ok "delete" write "$I/delete" "$image"
like "$(osc image show "$image")" "No " "the command finds it no more"
ok "it goes" wait_until 30 test ! -e "$I"

cf_section "after all"
write "$PROFILE/refresh" now
live_compare servers "$id"
