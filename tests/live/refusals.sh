#!/usr/bin/env bash
# What Nova refuses: the errno of the contract, and Nova's own words in last_error.
. "$(dirname "$0")/live.bash"
. "$(dirname "$0")/lab.bash"

live_pick
live_boot one
id=$LIVE_ID
live_mount ttl=1 allow_delete
S=$SERVERS/by-id/$id
ok "the new server is there" test -d "$S"

cf_section "wrong state"
ok "off" write "$S/power" off
ok "it stops" wait_until 60 reads "$S/state" stopped
refused "$S/power" reboot EBUSY "vm_state stopped" "a soft reboot of a stopped server"
live_same servers "$id" "after it"

cf_section "values"
refused "$S/name" " blank" EINVAL "name" "a name with a blank before it"
is "$(live_errno "$S/tags" "with/slash")" EINVAL "a tag with a slash: EINVAL"
is "$(live_errno "$S/tags" "$(printf '%061d' 0)")" ENAMETOOLONG "a tag of 61 characters: ENAMETOOLONG"
refused "$S/tags" "$(seq 1 51)" EINVAL "tags|too long" "51 tags"
is "$(live_errno "$S/console" "xvpvnc")" EINVAL "a console that there is none of: EINVAL"
is "$(live_errno "$S/power" "sideways")" EINVAL "a word that is none: EINVAL"
live_same servers "$id" "after all of them"

cf_section "locked"
ok "on" write "$S/power" on
ok "it starts" wait_until 60 reads "$S/state" running
osc server lock "$id"
if [[ $(osc server list --all-projects --limit 1 -f value -c ID) =~ ^[0-9a-f-]{36}$ ]]; then
    skip "a locked server" "an administrator is not stopped by a lock"
else
    refused "$S/power" off EBUSY "locked" "stopping a locked server"
    ok "its name can be changed" write "$S/name" "$LIVE_PREFIX-locked"
    osc server unlock "$id"
    if lab_is_ours; then
        lab_api POST "nova_url/servers/$id/action" '{"lock":null}'
        ok "the administrator's lock shows" wait_until 30 reads "$S/lock" 1
        refused "$S/lock" 0 EACCES "Policy doesn't allow" "unlocking what the administrator has locked"
        live_same servers "$id" "after it"
        lab_api POST "nova_url/servers/$id/action" '{"unlock":null}'
        ok "it shows that he has unlocked it" wait_until 30 reads "$S/lock" 0
    else
        skip "the administrator's lock" "only in a lab of ours"
    fi
fi
osc server unlock "$id"

cf_section "in error"
# put_into_error: what only an administrator may do.
put_into_error() {
    if lab_is_ours; then
        lab_api POST "nova_url/servers/$id/action" '{"os-resetState":{"state":"error"}}'
    else
        osc server set --state error "$id"
    fi
}
put_into_error >"$CF_TMP/error" 2>&1
if ! wait_until 10 reads "$S/state" error; then
    skip "a server in ERROR" "$(head -n 1 "$CF_TMP/error")"
else
    is "$(cat "$S/status")" ERROR "it shows"
    ok "it is in by-problem" test -e "$SERVERS/by-problem/error/$(cat "$S/name")"
    refused "$S/power" on EBUSY "vm_state error" "starting it"
    refused "$S/power" reboot EBUSY "vm_state error" "a soft reboot"
    refused "$S/capture" "$LIVE_PREFIX-no" EBUSY "vm_state error" "an image of it"
    ok "its description can be changed" write "$S/description" "in error"
    live_compare servers "$id"
    ok "a hard reboot mends it" write "$S/power" "reboot hard"
    ok "it runs again" wait_until 60 reads "$S/state" running
    live_same servers "$id" "when it runs again"
fi

cf_section "in error, without a host"
if ! lab_is_ours; then
    skip "a server that no host has room for" "only a lab of ours has a flavour for it"
else
    # More memory than the lab's host has. The server keeps what it needs to know of it.
    flavor=$(lab_api POST nova_url/flavors "{\"flavor\":{\"name\":\"$LIVE_PREFIX\",\"ram\":900000,
        \"vcpus\":1,\"disk\":1}}" | jq -er .flavor.id)
    LIVE_FLAVOR=$flavor live_create nowhere
    nowhere=$LIVE_ID
    ok "it ends in error" wait_until 60 live_status_is ERROR "$nowhere"
    lab_api DELETE "nova_url/flavors/$flavor"
    E=$SERVERS/by-id/$nowhere
    ok "it shows" wait_until 30 reads "$E/state" error
    osc server show -f json "$nowhere" >"$CF_TMP/nowhere"
    is "$(head -n 1 "$E/fault")" "$(jq -r '.fault | "\(.code): \(.message)"' "$CF_TMP/nowhere" | sed 's/ *$//')" \
        "fault is what the command says"
    refused "$E/power" on EBUSY "is not ready" "starting it"
    refused "$E/power" "reboot hard" EBUSY "vm_state error|invalid state for 'reboot'" "a hard reboot"
    refused "$E/console" novnc EBUSY "is not ready" "a console"
    refused "$E/capture" "$LIVE_PREFIX-no" EBUSY "vm_state error|is not ready" "an image of it"
    refused "$E/tags" early EBUSY "vm_state error|is not ready" "a tag"
    ok "it can be renamed" write "$E/name" "$LIVE_PREFIX-lost"
    live_compare servers "$nowhere"
    live_delete "$nowhere"
    ok "it goes" wait_until 60 test ! -e "$E"
fi

cf_section "gone"
# A mount that has not noticed yet asks for it; the first one knows it from a listing.
noticing=$PROFILE
live_mount -d late ttl=3600 max_stale=3600
late=$PROFILE
is "$(cat "$late/servers/by-id/$id/state")" running "another mount shows it"
PROFILE=$noticing MNT=${noticing%/*} SERVERS=$noticing/servers IMAGES=$noticing/images
exec {fd}>"$S/power"
live_delete "$id"
is "$(live_errno "$late/servers/by-id/$id/power" off)" ENOENT "what is not known to be gone: ENOENT"
like "$(jq -r 'select(.status == 404) | .message' "$late/journal.jsonl")" \
    "Instance $id could not be found|has no mapping" "the cloud's own words are in the journal"
like "$(live_errno "$S/power" off)" '^(ENOENT|ENODEV)$' "what is known to be gone: the same"
ok "it goes from the listing" wait_until 60 test ! -e "$S"
is "$(live_errno "$S/power" off)" ENOENT "its path: ENOENT"
like "$(printf 'off\n' 2>&1 >&"$fd")" 'No such device' "a file of it that is still open: ENODEV"
exec {fd}>&-

cf_section "somebody else's"
foreign=
if lab_is_ours; then
    project=$(osc token issue -f value -c project_id)
    foreign=$(lab_api GET 'nova_url/servers/detail?all_tenants=1&limit=1000' |
        jq -r --arg own "$project" 'first(.servers[] | select(.tenant_id != $own) | .id) // ""')
fi
if [ -z "$foreign" ]; then
    skip "somebody else's server" "none is known"
else
    is "$(live_errno "$SERVERS/by-id/$foreign/power" off)" ENOENT "a server of another project: ENOENT"
    is "$(live_errno "$SERVERS/power" "off $foreign")" EINVAL "in a batch: EINVAL, and nothing is sent"
fi
private=
if lab_is_ours; then
    private=$(lab_api GET 'glance_url/v2/images?visibility=shared&limit=1000' |
        jq -r --arg own "$project" 'first(.images[] | select(.owner != $own) | .id) // ""')
fi
if [ -z "$private" ] || [ -e "$IMAGES/by-id/$private" ]; then
    skip "somebody else's image that is not public" "none is known, or an administrator sees it"
else
    is "$(live_errno "$IMAGES/by-id/$private/name" mine)" ENOENT "an image of another project: ENOENT"
    is "$(live_errno "$IMAGES/delete" "$private")" EINVAL "in images/delete: EINVAL, and nothing is sent"
fi
other=
for image in "$IMAGES"/by-id/*; do
    [ "$(stat -c %a "$image/name")" != 444 ] || other=$image
done
if [ -z "$other" ]; then
    skip "somebody else's public image" "there is none, or an administrator may change it"
else
    words="You do not own|[Nn]ot permitted|[Ff]orbidden|disallowed by policy"
    live_same images "${other##*/}" "somebody else's public image"
    if [ "$EUID" -eq 0 ]; then
        refused "$other/name" mine EACCES "$words" "its name"
        refused "$other/tags" mine EACCES "$words" "its tags"
    else
        skip "what root writes" "only root passes the mode"
    fi
    printf 'mine\n' >"$other/name.new"
    cf_fails_with "Permission denied" "what an editor puts over its name" mv -f "$other/name.new" "$other/name"
    like "$(cat "$other/last_error")" "$words" "what an editor puts over its name: the cloud's own words"
    rm -f "$other/name.new"
    ok "it has no file to delete it" test ! -e "$other/delete"
    is "$(live_errno "$IMAGES/delete" "${other##*/}")" EREMOTEIO "its id in images/delete: EREMOTEIO"
    like "$(cat "$IMAGES/last_error")" "^${other##*/}[[:space:]].*($words)" "and last_error has the cloud's own words"
    live_same images "${other##*/}" "after all that was refused, it"
fi
