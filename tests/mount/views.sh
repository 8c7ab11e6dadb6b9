#!/usr/bin/env bash
# The views: who stands where, and that it moves as the cloud does.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/mount/tools/cloud.sh
. "$(dirname "$0")/tools/cloud.sh"
cf_need python3 jq curl

A=aaaaaaaa-0000-4000-8000-000000000001
B=bbbbbbbb-0000-4000-8000-000000000002
D=dddddddd-0000-4000-8000-000000000004
I=11111111-0000-4000-8000-000000000011
J=22222222-0000-4000-8000-000000000022

cf_start_sim --servers 20 --images 5 --transition 300
sim POST /_sim/servers '{"id":"'$A'","name":"alpha","status":"ACTIVE","availability_zone":"az 1",
    "host":"node/7","image":{"id":"'$I'"},"flavor":{"original_name":"s1.small"},
    "nics":[{"fixed_ip":"10.0.0.5"},{"fixed_ip":"10.0.0.6"}],"eip":{"ip_addr":"203.0.113.9"},
    "created":"2024-01-01T00:00:00Z"}' >/dev/null
server $B ERROR beta
server $D SOFT_DELETED gamma
image $I active base web db
image $J active other web
cf_mount ttl=3600
cd "$PROFILE"
same() { ok "$1" cloud views "$PROFILE" "${2:-servers}"; }

cf_section servers
same "all views"
is "$(readlink servers/by-name/alpha)" ../by-id/$A by-name
is "$(readlink servers/by-state/running/alpha)" ../../by-id/$A by-state
is "$(readlink servers/by-status/ACTIVE/alpha)" ../../by-id/$A by-status
is "$(readlink 'servers/by-zone/az 1/alpha')" ../../by-id/$A by-zone
is "$(readlink servers/by-host/node%2F7/alpha)" ../../by-id/$A "by-host, made safe"
is "$(readlink servers/by-image/$I/alpha)" ../../by-id/$A by-image
is "$(readlink servers/by-flavor/s1.small/alpha)" ../../by-id/$A by-flavor
for address in 10.0.0.5 10.0.0.6 203.0.113.9; do
    is "$(readlink servers/by-address/$address/alpha)" ../../by-id/$A "by-address $address"
done
is "$(readlink servers/by-problem/error/beta)" ../../by-id/$B "by-problem: error"
is "$(cat servers/by-state/error/beta/id)" $B "a file through a view"
cmd_fails_with "ead-only file system" mkdir servers/by-tag/new
cmd_fails_with "ead-only file system" rm servers/by-name/alpha
cmd_fails_with "ead-only file system" mv servers/by-name/alpha servers/by-name/omega

cf_section images
same "all views" images
is "$(find images/by-tag/web -printf '%f\n' | sort | tr '\n' ' ')" "base other web " by-tag
is "$(readlink images/by-tag/db/base)" ../../by-id/$I "another tag"
is "$(readlink images/by-visibility/private/other)" ../../by-id/$J by-visibility
change images $I '{"tags":["web","mail"]}'
echo 1 >refresh
ok "a tag that went" test ! -e images/by-tag/db
ok "a tag that came" test -L images/by-tag/mail/base
same "all views after that" images

cf_section deleted
is "$(find servers -name 'gamma*' | sort)" "servers/by-state/deleted/gamma~$D" \
    "what is deleted stands in by-id and in by-state/deleted alone"
is "$(cat servers/by-id/$D/state)" deleted "with its state"
change servers $B '{"status":"SOFT_DELETED"}'
echo 1 >refresh
ok "by-name has it no more" test ! -L servers/by-name/beta
ok "nor has by-problem" test ! -e servers/by-problem/error/beta
is "$(readlink "servers/by-state/deleted/beta~$B")" ../../by-id/$B "it is deleted"
ok "there is no by-status for it" test -z "$(find servers/by-status -name 'beta*')"
is "$(mode servers/by-id/$B/power)" 0444 "power is only read"
ok "no console, no capture" test ! -e servers/by-id/$B/console -a ! -e servers/by-id/$B/capture
same "all views after that"
change servers $B '{"status":"ACTIVE"}'
echo 1 >refresh
ok "and back" test -L servers/by-name/beta -a ! -L "servers/by-state/deleted/beta~$B"
is "$(mode servers/by-id/$B/power)" 0644 "power takes words again"
same "all views after that, too"

cf_section "after an action"
ls servers/by-state servers/by-state/running servers/by-state/stopped >/dev/null
echo off >servers/alpha/power
ok "it leaves at once" test ! -L servers/by-state/running/alpha
ok "it stands where it is now" test -L servers/by-state/stopping/alpha -o \
    -L servers/by-state/stopped/alpha
ok "and arrives" wait_until 10 test -L servers/by-state/stopped/alpha
is "$(cat servers/by-state/stopped/alpha/power)" off "with its power"
same "all views"

cf_section "a failed action"
fault code 'POST /v1/servers/{id}/action' 1 'status: 400, code: "001012", message: "not now"'
write_fails_with "Device or resource busy" on servers/alpha/power
is "$(readlink servers/by-problem/action/alpha)" ../../by-id/$A "is a problem"
like "$(cat servers/by-problem/action/alpha/last_error)" "not now" "with the cloud's words"
echo on >servers/alpha/power
ok "until one succeeds" test ! -e servers/by-problem/action
is "$(cat servers/alpha/last_error)" "" "which clears them"
ok "it runs again" wait_until 10 test -L servers/by-state/running/alpha

cf_section "changes from outside"
change servers $A '{"availability_zone":"az 2","host":"node/8","flavor":{"original_name":"s2.big"},
    "nics":[{"fixed_ip":"10.0.0.7"}],"eip":null,"name":"阿尔法","status":"PAUSED","image":{"id":"'$J'"}}'
echo 1 >refresh
same "all views"
ok "what has no member is gone" test ! -e 'servers/by-zone/az 1' -a ! -e servers/by-host/node%2F7 \
    -a ! -e servers/by-address/203.0.113.9 -a ! -e servers/by-image/$I -a ! -e servers/by-name/alpha
is "$(cat servers/by-zone/az\ 2/阿尔法/id)" $A "what is new is there"
is "$(cat servers/by-image/$J/阿尔法/image/name)" other "and leads on to the image"
change servers $A '{"image":{"id":"of-nobody"}}'
echo 1 >refresh
ok "an image that is gone leaves a link that dangles" test -L servers/by-id/$A/image -a \
    ! -e servers/by-id/$A/image
sim DELETE "/_sim/servers/$A" >/dev/null
echo 1 >refresh
same "all views without it"
cd /
cf_umount

cf_section "tags in the background"
sim POST "/_sim/servers" '{"id":"'$A'","name":"alpha","status":"ACTIVE"}' >/dev/null
sim PUT "/_sim/servers/$A/tags" '["web","db"]' >/dev/null
cf_mount ttl=3600 tags=sweep rate=0
cd "$PROFILE"
ok "by-tag has them" wait_until 20 test -L servers/by-tag/web/alpha -a -L servers/by-tag/db/alpha
is "$(cat servers/by-tag/db/alpha/tags)" $'db\nweb' "and tags"
ok "tags is listed" test -n "$(find servers/by-id/$A -name tags)"
