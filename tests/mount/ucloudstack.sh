#!/usr/bin/env bash
# UCloudStack on a mount, what only this cloud has: no tags, a name that goes with every remark, a
# console that is no URL, two generations.
# not under: tsan
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/mount/cloud.bash
. "$(dirname "$0")/cloud.bash"
cf_need jq curl

export CIRRUSFS_SIM_SECRET_KEY=fake-private

# start GENERATION SERVERS IMAGES: a cloud, and a mount of it.
start() {
    cf_start_sim --dialect ucloudstack --access-key 'fake+public=' --api-version "$1" \
        --servers "$2" --images "$3" --transition 200
    rm -f "$CF_TMP/uc.conf"
    config uc "$1" fake-private
    cf_mount -c "$CF_TMP/uc.conf" -p uc ttl=3600
    cd "$PROFILE" || exit 1
}

# config NAME GENERATION PRIVATE_KEY: adds a profile.
config() {
    (
        umask 077
        {
            printf '[%s]\nprovider = ucloudstack\nendpoint = %s/api/\n' "$1" "$SIM_URL"
            printf 'region = cn\ndialect = %s\npublic_key = fake+public=\n' "$2"
            printf 'private_key = %s\nallow_delete = true\n' "$3"
        } >>"$CF_TMP/uc.conf"
    )
}

stop() {
    cd / && cf_umount
    cf_stop_sim "$SIM_PID"
}

# by_action ACTION: how often the cloud was asked for it since forget_requests.
by_action() { sim GET /_sim/counters | jq -r ".by[\"$1\"] // 0"; }

# restarted: the second half of a hard reboot was asked for; for wait_until.
restarted() { [ "$(by_action StartVMInstance)" = 1 ]; }

# fresh COLLECTION ID JSON: a record of which these fields are known.
fresh() { sim POST "/_sim/$1" "$3" >/dev/null; }

start 2 250 101
fresh servers vm-a '{"VMID":"vm-a","Name":"alpha","State":"Running","Remark":"of mine",
    "HostIP":"10.9.9.9","IPInfos":[{"IP":"10.0.0.5","Type":"Private"}]}'
fresh servers vm-b '{"VMID":"vm-b","Name":"beta","State":"Stopped","Remark":""}'
fresh images image-a '{"ImageID":"image-a","Name":"golden","ImageType":"Custom",
    "ImageStatus":"Used","ImageDescription":"words"}'
fresh images image-b '{"ImageID":"image-b","Name":"platform","ImageType":"Base",
    "ImageStatus":"Used","Remarkable":false}'

cf_section pages
ok "the mount's own first listing is over" wait_until 20 says health '^ok'
forget_requests
refresh
is "$(by_action DescribeVMInstance)" 3 "252 servers are three pages"
is "$(by_action DescribeImage)" 2 "103 images are two"
is "$(find servers/by-id -mindepth 1 -maxdepth 1 | wc -l)" 252 "all servers"
is "$(find images/by-id -mindepth 1 -maxdepth 1 | wc -l)" 103 "all images, base and custom ones"
is "$(calls total)" 5 "and nothing else was asked"

cf_section "what this cloud never has"
for name in servers/by-tag images/by-tag servers/by-flavor servers/by-id/vm-a/tags \
    servers/by-id/vm-a/flavor images/by-id/image-a/tags; do
    ok "no $name" test ! -e "$name"
done
is "$(find servers images -maxdepth 1 -name 'by-tag' -o -maxdepth 1 -name by-flavor | wc -l)" 0 \
    "nor in a listing"
ok "by-zone is there: generation 1 has zones" test -d servers/by-zone
is "$(stat -c %a servers/by-id/vm-a/name images/by-id/image-a/name images/by-id/image-b/name |
    tr '\n' ' ')" "644 644 444 " "a base image is not renamed"
ok "and not deleted" test ! -e images/by-id/image-b/delete

cf_section "names and descriptions"
put omega servers/by-id/vm-a/name
is "$(cat servers/by-name/omega/description)" "of mine" "a rename keeps the remark"
is "$(sim GET /_sim/servers/vm-a | jq -r '.Name + "|" + .Remark')" "omega|of mine" "in the cloud too"
sim PATCH /_sim/servers/vm-a '{"Name":"renamed-meanwhile"}' >/dev/null
put "new words & more" servers/by-id/vm-a/description
is "$(sim GET /_sim/servers/vm-a | jq -r '.Name + "|" + .Remark')" \
    "renamed-meanwhile|new words & more" "a remark goes with the name that the cloud has"
put "" servers/by-id/vm-a/description
is "$(sim GET /_sim/servers/vm-a | jq -r .Remark)" "" "an empty one clears"
put "image words" images/by-id/image-a/description
is "$(sim GET /_sim/images/image-a | jq -r '.Name + "|" + .ImageDescription')" \
    "golden|image words" "an image's"
cmd_fails_with "nvalid argument" put "no/name!" servers/by-id/vm-a/name
like "$(cat servers/by-id/vm-a/last_error)" '^4: ' "the cloud's words"

cf_section console
put vnc servers/by-id/vm-a/console
like "$(head -1 servers/by-id/vm-a/console_url)" '^vnc://[0-9.]+:[0-9]+$' "address and port"
like "$(sed -n 2p servers/by-id/vm-a/console_url)" . "the password behind it"
ok "nowhere else" test -z "$(grep -rF "$(sed -n 2p servers/by-id/vm-a/console_url)" \
    journal.jsonl events.jsonl ../.cirrusfs/log "$DAEMON_LOG")"
cmd_fails_with "nvalid argument" put novnc servers/by-id/vm-a/console
cmd_fails_with "resource busy" put vnc servers/by-id/vm-b/console

cf_section power
cmd_fails_with "resource busy" put "from a running one" servers/by-id/vm-a/capture
put off servers/by-id/vm-a/power
ok "stops" wait_until 20 reads servers/by-id/vm-a/state stopped
put "off hard" servers/by-id/vm-a/power
put on servers/by-id/vm-a/power
ok "starts" wait_until 20 reads servers/by-id/vm-a/state running
put reboot servers/by-id/vm-a/power
ok "reboots" wait_until 20 reads servers/by-id/vm-a/state running
forget_requests
put "reboot hard" servers/by-id/vm-a/power
ok "reboots hard" wait_until 20 restarted
is "$(by_action PoweroffVMInstance) $(by_action RestartVMInstance)" "1 0" "in two calls"
ok "and settles" wait_until 20 reads servers/by-id/vm-a/state running
forget_requests
put "off hard" servers/by-id/vm-a/power
is "$(by_action PoweroffVMInstance)" 1 "off hard is PoweroffVMInstance"
ok "stops hard" wait_until 20 reads servers/by-id/vm-a/state stopped

cf_section images
put "made here" servers/by-id/vm-a/capture
made=$(cat servers/by-id/vm-a/captured)
is "$(cat "images/by-id/$made/name")" "made here" "an image of a stopped server"
ok "settles" wait_until 20 reads "images/by-id/$made/state" available
is "$(cat "images/by-id/$made/visibility")" private "a custom one"
put "$made" "images/by-id/$made/delete"
ok "goes" wait_until 20 is_gone "images/by-name/made here"

cf_section "too frequent"
sim POST /_sim/faults '{"kind":"code","match":"StartVMInstance","code":"199","count":1}' >/dev/null
forget_requests
put on servers/by-id/vm-b/power
is "$(by_action StartVMInstance)" 2 "a change that was refused so goes again"
ok "and is done" wait_until 20 reads servers/by-id/vm-b/state running

cf_section Referer
setting '{"referer_needed":true}'
put off servers/by-id/vm-b/power
ok "is sent when it is asked for" wait_until 20 reads servers/by-id/vm-b/state stopped
stop

cf_section "generation 1"
start 1 5 3
fresh servers vm-a '{"VMID":"vm-a","Name":"alpha","State":"Running","Zone":"zone-01"}'
refresh
is "$(cat servers/by-zone/zone-01/alpha/id)" vm-a "zones"
cmd_fails_with "resource busy" put image servers/by-id/vm-a/capture
like "$(cat servers/by-id/vm-a/last_error)" '^2005: ' "its own codes"
sim DELETE /_sim/servers/vm-a >/dev/null
cmd_fails_with "No such file" put reboot servers/by-id/vm-a/power
stop

cf_section "a wrong key"
cf_start_sim --dialect ucloudstack --access-key 'fake+public=' --servers 3 --images 1
rm -f "$CF_TMP/uc.conf"
config good 2 fake-private
config bad 2 fake-wrong
cf_expect_log 'RetCode 109'
cf_mount -c "$CF_TMP/uc.conf"
cmd_fails_with "Key was rejected" ls "$MNT/bad/servers/by-id"
like "$(cat "$MNT/bad/health")" '^unauthorized .*109' "health says so"
is "$(find "$MNT/good/servers/by-id" -mindepth 1 -maxdepth 1 | wc -l)" 3 "the other works"
like "$(cat "$MNT/good/health")" '^ok' "and is well"
ok "the key is nowhere" test -z "$(grep -rF fake-wrong "$MNT/.cirrusfs" "$MNT"/*/*.jsonl "$DAEMON_LOG")"
