#!/usr/bin/env bash
# poll(2) and epoll on status, state and power (contract section 7): the first look at a descriptor
# reports, later ones when the value changed; while somebody waits the collection is refreshed.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/mount/tools/cloud.sh
. "$(dirname "$0")/tools/cloud.sh"
cf_need python3 jq curl

A=aaaaaaaa-0000-4000-8000-000000000001
B=bbbbbbbb-0000-4000-8000-000000000002
LIST='GET /v1/servers/{page}/{size}'

polls() { python3 "$TOOLS/polls.py" "$@"; }
# begin COMMAND…: polls in the background; its output is in $CF_TMP/polls.
begin() {
    rm -f "$CF_TMP/polls"
    polls "$@" >"$CF_TMP/polls" 2>&1 &
    poller=$!
}
said() { [ "$(cat "$CF_TMP/polls" 2>/dev/null)" == "$1" ]; }
waiters() { metric_plain cirrusfs_poll_waiters; }
metric_plain() { awk -v name="$1" '$1 == name { print $2 }' <(cf_fresh_stats); }
# finish SECONDS: it ends by then.
finish() {
    wait_until "$1" cf_is_over "$poller" || kill "$poller"
    wait "$poller"
}

cf_start_sim --servers 3 --images 2 --transition 1200
server $A ACTIVE alpha
server $B SHUTOFF beta
cf_mount ttl=3600
cd "$PROFILE"

cf_section "the first look"
dir=servers/by-id/$A
is "$(polls first $dir/status $dir/state $dir/power $dir/name $dir/id raw.json 2>&1 | head -n 5)" \
    "status IN|PRI|OUT|ERR IN|OUT
state IN|PRI|OUT|ERR IN|OUT
power IN|PRI|OUT|ERR IN|OUT
name IN|OUT IN|OUT
id IN|OUT IN|OUT" "reports on status, state and power, once; other files are ordinary ones"
image=$(find images/by-id -mindepth 1 -maxdepth 1 -printf '%f\n' | head -n 1)
is "$(polls first "images/by-id/$image/state" events.jsonl)" \
    $'state IN|PRI|OUT|ERR IN|OUT\nevents.jsonl IN|OUT IN|OUT' "of images too"

cf_section "a change from outside"
begin wait $dir/status 30
ok "it waits" wait_until 10 said $'PRI|ERR\nbefore ACTIVE'
ok "and is counted" wait_until 10 test "$(waiters)" -ge 1
change servers $A '{"status":"PAUSED"}'
echo 1 >refresh
finish 10
is "$(cat "$CF_TMP/polls")" $'PRI|ERR\nbefore ACTIVE\nPRI|ERR PAUSED\nnothing' \
    "wakes it, it reads what is new, and there is no further report"
begin epoll $dir/status 30
ok "epoll waits" wait_until 10 said $'1 0\nbefore PAUSED'
change servers $A '{"status":"ACTIVE"}'
echo 1 >refresh
finish 10
is "$(cat "$CF_TMP/polls")" $'1 0\nbefore PAUSED\n1 ACTIVE 0' "epoll is woken likewise"
begin wait $dir/status 30
ok "it waits" wait_until 10 said $'PRI|ERR\nbefore ACTIVE'
change servers $B '{"status":"PAUSED"}'
change servers $A '{"name":"other"}'
echo 1 >refresh
ok "another server's change and another file's wake nobody" never 1 cf_is_over "$poller"
change servers $A '{"status":"SHUTOFF"}'
echo 1 >refresh
finish 10
is "$(tail -n 2 "$CF_TMP/polls")" $'PRI|ERR SHUTOFF\nnothing' "its own does"
change servers $B '{"status":"SHUTOFF"}'
echo 1 >refresh

cf_section "between two looks"
exec 5<$dir/state
python3 - "$PROFILE" <<'END' >"$CF_TMP/between"
import os, select, sys
os.chdir(sys.argv[1])
def look():
    poll = select.poll()
    poll.register(5, select.POLLPRI)
    return bool(poll.poll(0))
print(look(), look())
open('servers/by-id/aaaaaaaa-0000-4000-8000-000000000001/power', 'w').write('on\n')
print(look(), os.pread(5, 100, 0).decode().strip(), look())
END
exec 5<&-
is "$(cat "$CF_TMP/between")" $'True False\nTrue starting False' "a change while nobody waits is not lost"

cf_section "an action, step by step"
ok "it runs" wait_until 10 reads $dir/state running
begin order $dir/state 4 60
ok "somebody watches" wait_until 10 said running
echo off >$dir/power
# By the one who watches: on a busy machine it would else sleep through it.
ok "stopped" wait_until 10 said $'running\nstopping\nstopped'
echo on >$dir/power
finish 20
is "$(tr '\n' ' ' <"$CF_TMP/polls")" "running stopping stopped starting running " "every state in order"

cf_section "a server that is gone"
begin wait servers/by-id/$B/state 30
ok "it waits" wait_until 10 said $'PRI|ERR\nbefore stopped'
sim DELETE /_sim/servers/$B >/dev/null
echo 1 >refresh
finish 10 || true
like "$(cat "$CF_TMP/polls")" 'No such device' "whoever waits is woken, and learns it when reading"

cf_section "more descriptors than are kept"
if [ "$(ulimit -Hn)" = unlimited ] || [ "$(ulimit -Hn)" -ge 16700 ]; then
    is "$(polls many $dir/state 16600)" "16600 16600" "those that are forgotten are changed again, none hangs"
else
    skip "those that are forgotten are changed again, none hangs" "not so many files may be open"
fi
is "$(polls many $dir/state 100)" "100 0" "those that are kept are not"
cd /
cf_umount

cf_section "somebody waits"
cf_mount ttl=1
cd "$PROFILE"
cat $dir/state >/dev/null
begin wait $dir/state 60
ok "it waits" wait_until 10 said $'PRI|ERR\nbefore running'
sim DELETE /_sim/counters >/dev/null
ok "the servers are fetched at their ttl" wait_until 20 calls_route "$LIST" 3
is "$(calls 'GET /v1/images')" 0 "the images are not"
change servers $A '{"status":"ERROR"}'
finish 20
is "$(sed -n 3p "$CF_TMP/polls")" "PRI|ERR error" "a change shows without anybody who looks"
cd /
cf_umount
