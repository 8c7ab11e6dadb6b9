#!/usr/bin/env bash
# The way of an old kernel: every open and opendir is a request.
# shellcheck disable=SC2119 # fuse_requests takes the mount at hand
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/mount/tools/cloud.sh
. "$(dirname "$0")/tools/cloud.sh"
cf_need python3 jq curl tar

A=aaaaaaaa-0000-4000-8000-000000000001
I=bbbbbbbb-0000-4000-8000-000000000002
cf_start_sim --servers 120 --images 20 --transition 300
server $A ACTIVE alpha
image $I active original
cf_mount ttl=3600 kernel_open
cd "$PROFILE"

ok "every server" cloud tree "$PROFILE" servers
ok "every image" cloud tree "$PROFILE" images
ok "every view" cloud views "$PROFILE" servers
ok "the lists" cloud lists "$PROFILE" servers
ok "raw" cloud raw "$PROFILE" servers $A
# shellcheck disable=SC2016 # the inner shell's
ok "tar" bash -c 'set -o pipefail; tar cf - servers images | tar tf - >/dev/null'
ok "grep -r" grep -rq alpha servers/by-id
echo off >servers/alpha/power && pass "a write"
ok "and what follows it" wait_until 10 reads servers/by-id/$A/state stopped
printf 'renamed' >images/by-id/$I/name && pass "another write"
is "$(cat images/by-id/$I/name && echo .)" $'renamed\n.' "shows normalised"
write_fails_with "Invalid argument" sideways servers/alpha/power
is "$(cat servers/alpha/power)" off "a refused value does not stay"
change servers $A '{"status":"PAUSED"}'
exec 3<servers/by-id/$A/status
echo 1 >refresh
is "$(cat servers/by-id/$A/status)" PAUSED "a change from outside"
is "$(cat /dev/fd/3 <&3)" PAUSED "also through a descriptor that was open"
exec 3<&-
change servers $A '{"status":"ACTIVE"}'
is "$(dd if=servers/by-id/$A/status iflag=direct bs=4096 status=none)" ACTIVE "O_DIRECT"
before=$(fuse_requests)
cat servers/by-id/$A/status >/dev/null
cat servers/by-id/$A/status >/dev/null
at_most "$(($(fuse_requests) - before))" 8 \
    "a cached cat asks for no more than open, release and attributes"
