#!/usr/bin/env bash
# cirrusfs wait (contract section 7): one path or many, until they show a value.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/mount/tools/cloud.sh
. "$(dirname "$0")/tools/cloud.sh"
cf_need python3 jq curl

A=aaaaaaaa-0000-4000-8000-000000000001
B=bbbbbbbb-0000-4000-8000-000000000002
LIST='GET /v1/servers/{page}/{size}'

# begin ARGUMENTS…: waits in the background.
begin() {
    "${CF_WRAP[@]}" "$CIRRUSFS" wait "$@" </dev/null >"$CF_TMP/wait.out" 2>"$CF_TMP/wait.err" &
    waiter=$!
}
# attempt ARGUMENTS…: sets OUTPUT and STATUS.
attempt() {
    STATUS=0
    OUTPUT=$(timeout $((60 * CF_SLOW)) "${CF_WRAP[@]}" "$CIRRUSFS" wait "$@" 2>&1 </dev/null) || STATUS=$?
}
# ends NAME STATUS: the one in the background.
ends() {
    local status=0
    wait_until 30 cf_is_over "$waiter" || kill "$waiter"
    wait "$waiter" || status=$?
    is "$status" "$2" "$1"
}
# polled N: the one in the background sleeps in epoll_wait(2), with at least so many files of the
# mount open.
polled() {
    local call
    # The shell itself reads it: it may look at its children everywhere.
    read -r call _ <"/proc/$waiter/syscall"
    case $(uname -m)-$call in
    x86_64-232 | x86_64-281 | aarch64-22) ;; # epoll_wait, epoll_pwait
    *) return 1 ;;
    esac
    [ "$(find "/proc/$waiter/fd" -lname "$MNT/*" | wc -l)" -ge "$1" ]
}

cf_start_sim --servers 120 --images 2 --transition 1000
server $A ACTIVE alpha
server $B SHUTOFF beta
cf_mount ttl=3600
cd "$PROFILE"
dir=servers/by-id

cf_section "at once"
ls $dir >/dev/null
change servers $A '{"status":"PAUSED"}'
is "$(cat $dir/$A/state)" running "the mount does not know yet"
attempt $dir/$A/state paused
is "$STATUS $OUTPUT" "0 " "what was fetched before is not believed"
is "$(cat $dir/$A/state)" paused "now it knows"
attempt $dir/$A/status ACTIVE PAUSED
is "$STATUS $OUTPUT" "0 " "one of several values is enough"
attempt servers/alpha/power paused
is "$STATUS $OUTPUT" "0 " "a shorthand, and power"
image=$(find images/by-id -mindepth 1 -maxdepth 1 -printf '%f\n' | head -n 1)
attempt "images/by-id/$image/state" "$(cat "images/by-id/$image/state")"
is "$STATUS $OUTPUT" "0 " "an image"

cf_section "an action"
echo on >$dir/$B/power
begin $dir/$B/state running
ends "a server that starts" 0
is "$(cat $dir/$B/state)" running "it runs"
echo off >$dir/$B/power
begin $dir/$B/power off
ends "a server that stops" 0

cf_section "many"
before=$(calls "$LIST")
mapfile -t all < <(find $dir -mindepth 1 -maxdepth 1 -printf "$dir/%f/state\n")
is ${#all[@]} 122 "so many"
for path in "${all[@]}"; do
    change servers "$(basename "$(dirname "$path")")" '{"status":"ACTIVE","task_state":null}'
done
attempt "${all[@]}" running
is "$STATUS $OUTPUT" "0 " "all of them"
is $(($(calls "$LIST") - before)) 2 "one listing, of two pages, for all"
change servers $B '{"status":"SHUTOFF"}'
begin "${all[@]}" stopped
ok "all but one are waited for" wait_until 20 polled 121
for path in "${all[@]}"; do
    change servers "$(basename "$(dirname "$path")")" '{"status":"SHUTOFF"}'
done
echo 1 >refresh
ends "all of them, by one refresh" 0

cf_section "it does not come"
begin $dir/$A/state running
ok "it waits" wait_until 20 polled 1
change servers $A '{"status":"ERROR"}'
echo 1 >refresh
ends "a server that goes to error" 3
like "$(cat "$CF_TMP/wait.err")" "by-id/$A/state: the resource went to error" "and says which"
attempt $dir/$A/state error
is "$STATUS" 0 "unless that is what is waited for"
begin $dir/$A/status $dir/$B/status ACTIVE
ok "it waits for the other one" wait_until 20 polled 1
sim DELETE /_sim/servers/$B >/dev/null
echo 1 >refresh
ends "one went to error, one is gone" 3
like "$(cat "$CF_TMP/wait.err")" "by-id/$B/status: (the resource is gone|there is no such resource)" "and says that too"
attempt $dir/$B/state running
is "$STATUS" 4 "one that is gone already"
attempt --timeout 60 $dir/$A/state running
is "$STATUS" 3 "one in error, with a time"
change servers $A '{"status":"ACTIVE"}'
attempt --timeout $((CF_SLOW))s $dir/$A/state stopped
is "$STATUS" 124 "the time is over"
like "$OUTPUT" "by-id/$A/state is still running" "and says what is there"
fault hang '*' -1
attempt -t $((CF_SLOW))s $dir/$A/state stopped
is "$STATUS" 124 "also when the cloud hangs"
no_faults

cf_section "on a terminal"
STATUS=0
OUTPUT=$("$TOOLS/type.py" $((20 * CF_SLOW)) 'wait:0 of 2, [0-9]+ s; .*: running' -- "${CF_WRAP[@]}" "$CIRRUSFS" wait \
    --timeout "$((CF_SLOW))s" "$dir/$A/state" "$dir/$A/power" stopped) || STATUS=$?
is "$STATUS" 124 "the time is over"
like "$OUTPUT" "0 of 2, .* s; .*state: running" "a progress line"

# All of them are looked at, also what comes last and does not stay.
cf_section "very many"
change servers $A '{"status":"ACTIVE","task_state":null}'
C=cccccccc-0000-4000-8000-000000000003
server $C ACTIVE gamma
echo 1 >refresh
mapfile -t many < <(yes "$dir/$A/state" | head -n 3000)
open_files() { find "/proc/$waiter/fd" -lname "$MNT/*" | wc -l; }
last_is_seen() { [ "$(open_files)" -eq 3000 ]; }
if [ "$(ulimit -Hn)" = unlimited ] || [ "$(ulimit -Hn)" -ge 8192 ]; then
    begin -t $((60 * CF_SLOW)) "${many[@]}" "$dir/$C/state" paused
    ok "all are waited for" wait_until 30 polled 3001
    change servers $C '{"status":"PAUSED"}'
    echo 1 >refresh
    ok "the last one is seen" wait_until 30 last_is_seen
    change servers $C '{"status":"ACTIVE"}'
    echo 1 >refresh
    change servers $A '{"status":"PAUSED"}'
    echo 1 >refresh
    ends "so it need not be there at the end" 0
else
    skip "all are waited for" "not so many files may be open"
fi
begin_few() (
    ulimit -n 40
    begin "$@"
    wait "$waiter"
)
change servers $A '{"status":"ACTIVE"}'
echo 1 >refresh
STATUS=0
begin_few "${many[@]:0:100}" "$dir/$C/state" running || STATUS=$?
is "$STATUS" 0 "with more than may be open, some at a time"

cf_section "usage"
attempt $dir/$A/state
is "$STATUS" 2 "no value"
attempt $dir/$A/name alpha
is "$STATUS" 2 "a file that does not tell of changes"
like "$OUTPUT" "only status, state and power" "the message says so"
attempt /proc/self/status x
is "$STATUS" 2 "a file elsewhere"
like "$OUTPUT" "not in a mount of cirrusfs" "the message says so"
attempt --timeout soon $dir/$A/state running
is "$STATUS" 2 "a time that is none"
cd /
cf_umount

cf_section "without anybody else"
cf_mount ttl=1
cd "$PROFILE"
begin -t 60 $dir/$A/state paused
ok "it waits" wait_until 20 polled 1
change servers $A '{"status":"PAUSED"}'
ends "the collection is fetched at its ttl" 0
cd /
cf_umount
