#!/usr/bin/env bash
# Refreshes that are asked for, what they cost, and listings that lie.
# shellcheck disable=SC2119 # fuse_requests takes the mount at hand
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/mount/tools/cloud.sh
. "$(dirname "$0")/tools/cloud.sh"
cf_need python3 jq curl

A=aaaaaaaa-0000-4000-8000-000000000001
cf_start_sim --servers 250 --images 30
server $A ACTIVE alpha
cf_mount ttl=3600
cd "$PROFILE"
STATUS=servers/by-id/$A/status
is "$(cat $STATUS)" ACTIVE "the servers are there"
images=$(find images/by-id -mindepth 1 -maxdepth 1 | wc -l)
is "$images" "$(ids images | wc -l)" "the images too"

cf_section "echo 1 > refresh"
change servers $A '{"status":"SHUTOFF"}'
is "$(cat $STATUS)" ACTIVE "within the ttl nothing is asked for"
slow "$LIST_SERVERS" 300
sim DELETE /_sim/counters >/dev/null
took=$(milliseconds bash -c 'echo 1 > refresh')
is "$(cat $STATUS)" SHUTOFF "the new value is there when it returns"
at_most 300 "$took" "it waits for the cloud"
is "$(calls "$LIST_SERVERS")" 3 "it costs the pages of the servers"
is "$(calls "$LIST_IMAGES")" 1 "and of the images"
is "$(calls total)" 4 "and nothing else"
no_faults
echo anything >refresh && pass "it takes any text"
fault status "$LIST_SERVERS" -1 'status: 500'
write_fails_with "Remote I/O error" 1 refresh
no_faults
fault code "$LIST_SERVERS" -1 'status: 403, code: "003.000203"'
write_fails_with "Permission denied" 1 refresh
no_faults
is "$(cat $STATUS)" SHUTOFF "a failed refresh takes nothing away"
ok "and the next one works" bash -c 'echo 1 > refresh'
like "$(cat health)" '^ok' "health is ok again"

cf_section SIGHUP
change servers $A '{"status":"ACTIVE"}'
kill -HUP "$DAEMON_PID"
ok "everything is fetched again" wait_until 5 reads $STATUS ACTIVE

cf_section O_DIRECT
change servers $A '{"status":"PAUSED"}'
is "$(cat $STATUS)" ACTIVE "an ordinary read is served from here"
is "$(dd if=$STATUS iflag=direct bs=4096 status=none)" PAUSED "a direct one asks the cloud"
is "$(cat $STATUS)" PAUSED "and others see what it brought"
is "$(dd if=servers/by-id/$A/last_error iflag=direct bs=4096 status=none)" "" \
    "of an empty file it reads nothing"

cf_section "what has not changed"
sim DELETE /_sim/counters >/dev/null
parsed=$(metric records_parsed_total servers)
version=$(readlink servers/list.tsv)
mtime=$(stat -c %y $STATUS servers/by-id)
requests=$(fuse_requests)
echo 1 >refresh
is "$(readlink servers/list.tsv)" "$version" "no version is made"
is "$(stat -c %y $STATUS servers/by-id)" "$mtime" "no time changes"
cat $STATUS >/dev/null
at_most "$(($(fuse_requests) - requests))" 60 "the kernel keeps its pages"
is "$(metric records_parsed_total servers)" "$parsed" "no record is parsed" # asks until it is fresh

cf_section "one of a hundred has changed"
touched=$(sim POST /_sim/servers/touch '{"fraction":0.01}' | jq .changed)
echo 1 >refresh
is "$(($(metric records_parsed_total servers) - parsed))" "$touched" "those are parsed: $touched"
like_not "$(readlink servers/list.tsv)" "^$version$" "and make a version"
ok "the tree is right" cloud tree "$PROFILE" servers
echo 1 >refresh
is "$(($(metric records_parsed_total servers) - parsed))" "$touched" "and only once"

# all_there KIND: as many directories as resources.
all_there() {
    [ "$(find "$1/by-id" -mindepth 1 -maxdepth 1 | wc -l)" -eq "$(ids "$1" | wc -l)" ]
}

cf_section "listings that lie"
for lie in "partial -1" "shift -1" "empty 1"; do
    fault "${lie% *}" "$LIST_SERVERS" "${lie#* }"
    lie=${lie% *}
    sim DELETE /_sim/counters >/dev/null
    echo 1 >refresh || true
    ok "$lie: all servers stay" all_there servers
    is "$(cat $STATUS)" PAUSED "$lie: and are what they were"
    at_most "$(calls total)" 60 "$lie: calls"
    echo 1 >refresh || true
    ok "$lie again: all servers stay" all_there servers
    is "$(cat $STATUS)" PAUSED "$lie again: and are what they were"
    no_faults
    echo 1 >refresh
    ok "$lie is over: all servers are there" cloud tree "$PROFILE" servers
done
# The list is torn in its middle: a page fails.
fault status "$LIST_SERVERS" 1 'status: 400, after: 1'
echo 1 >refresh 2>/dev/null || true
ok "a page that fails: all servers stay" all_there servers
no_faults
fault truncate "$LIST_SERVERS" 2 'after: 1'
echo 1 >refresh 2>/dev/null || true
ok "a page that breaks off: all servers stay" all_there servers
no_faults

cf_section "a server that is gone"
B=bbbbbbbb-0000-4000-8000-000000000002
server $B ACTIVE beta
echo 1 >refresh
is "$(cat servers/by-id/$B/name)" beta "it was there"
sim DELETE "/_sim/servers/$B" >/dev/null
sim DELETE /_sim/counters >/dev/null
echo 1 >refresh
is "$(calls "$SHOW_SERVER")" 1 "a show call confirms it"
cmd_fails_with "No such file" cat servers/by-id/$B/name
ok "its name is gone too" test ! -L servers/by-name/beta -a ! -L servers/beta

# The show call fails: nothing is proved, until the next listing agrees.
server $B ACTIVE beta
echo 1 >refresh
sim DELETE "/_sim/servers/$B" >/dev/null
fault status "$SHOW_SERVER" -1 'status: 500'
echo 1 >refresh || true
is "$(cat servers/by-id/$B/name)" beta "without an answer to the show call it stays"
no_faults
echo 1 >refresh
cmd_fails_with "No such file" cat servers/by-id/$B/name

cf_section "all are gone"
for id in $(ids images); do
    sim DELETE "/_sim/images/$id" >/dev/null
done
sim DELETE /_sim/counters >/dev/null
echo 1 >refresh
echo 1 >refresh
is "$(find images/by-id -mindepth 1 | wc -l)" 0 "what a second look confirms"
at_most 2 "$(calls "$LIST_IMAGES")" "there was a second look"
is "$(calls changes)" 0 "nothing was changed in the cloud"
cd /
cf_umount

# Few enough to be asked for one by one: what a show call has found is not gone, however often the
# listing lacks it.
cf_section "a listing that stays wrong"
cf_start_sim --servers 10 --images 2
cf_config
cf_mount -d small ttl=3600
cd "$PROFILE"
ok "all are there" all_there servers
fault empty "$LIST_SERVERS" -1
for n in first second third; do
    echo 1 >refresh || true
    ok "the $n empty listing: they stay, since show calls find them" all_there servers
done
no_faults
echo 1 >refresh
ok "the listing is right again" cloud tree "$PROFILE" servers
