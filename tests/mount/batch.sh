#!/usr/bin/env bash
# servers/power, power.plan and last_error; images/delete (contract section 5, every refusal).
# begins early
# shellcheck disable=SC2016 # jq's
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=cloud.bash
. "$(dirname "$0")/cloud.bash"
cf_need jq curl python3

BATCH='POST /v1/servers/action'
SINGLE='POST /v1/servers/{id}/action'
LIST='GET /v1/servers/{page}/{size}'

# server NUMBER STATUS NAME [TAG]: with an id that ends in the number.
id_of() { printf '00000000-0000-4000-8000-%012d' "$1"; }
server() {
    sim POST /_sim/servers "$(jq -cn --arg id "$(id_of "$1")" --arg status "$2" --arg name "$3" \
        --arg zone "${4:-z1}" '{id: $id, status: $status, name: $name, task_state: null,
        availability_zone: $zone, created: "2024-01-01T00:00:00Z"}')" >/dev/null
}
state() { cat "$PROFILE/servers/by-id/$(id_of "$1")/state"; }
states() { for number in "$@"; do state "$number"; done | tr '\n' ' '; }
states_are() { read -ra numbers <<<"$1" && [ "$(states "${numbers[@]}")" == "$2" ]; }
members_are() { [ "$(find "by-state/$1" -name 'many-*' | wc -l)" -eq "$2" ]; }
# write TEXT [FILE]: one WRITE, newlines as in printf; sets STATUS and OUTPUT.
write() {
    STATUS=0
    OUTPUT=$(python3 - "${2:-$PROFILE/servers/power}" "$1" 2>&1 <<'END') || STATUS=$?
import errno, os, sys
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_TRUNC)
try:
    os.write(fd, sys.argv[2].encode().decode('unicode_escape').encode())
except OSError as error:
    print(errno.errorcode[error.errno])
    sys.exit(1)
END
}
# refused ERRNO TEXT NAME: and nothing is sent.
refused() {
    forget_requests
    write "$2"
    is "$STATUS $OUTPUT $(calls changes)" "1 $1 0" "$3"
}
plan() {
    write "$1" "$PROFILE/servers/power.plan"
    cut -f 2 "$PROFILE/servers/power.plan" | sort | tr '\n' ' '
}

cf_start_sim --servers 0 --images 4 --transition 100
for n in 1 2 3 4; do server $n ACTIVE web-$n; done
for n in 5 6; do server $n SHUTOFF db-$n z2; done
server 7 ACTIVE same
server 8 ACTIVE same
server 9 ACTIVE 'with space'
server 10 DELETED web-9
cf_mount ttl=3600 allow_delete
cd "$PROFILE/servers"

cf_section "the files"
is "$(stat -c %a power power.plan last_error ../images/delete)" $'200\n600\n444\n200' "their modes"
is "$(cat power.plan last_error | wc -c)" 0 "empty at first"
ok "images have no power" test ! -e ../images/power -a ! -e ../images/power.plan
ok "servers have no delete" test ! -e delete

cf_section "whom a target means"
is "$(plan 'off web-1\n')" "web-1 " "a unique name"
is "$(plan "off $(id_of 2)\\n")" "web-2 " "an id"
is "$(plan 'off by-id/'"$(id_of 2)"'\n')" "web-2 " "a path in by-id"
is "$(plan 'off by-name/web-3/\n')" "web-3 " "a path in by-name"
is "$(plan 'off ./by-state/running/web-3\n')" "web-3 " "a path in a view"
is "$(plan 'on by-state/stopped\n')" "db-5 db-6 " "one value of a view"
is "$(plan 'on by-zone/z2/\n')" "db-5 db-6 " "of another one"
is "$(plan 'off by-state/running/web-*\n')" "web-1 web-2 web-3 web-4 " "a glob in a value"
is "$(ls by-state/deleted)$(plan 'off web-*\n')" "web-9~$(id_of 10)web-1 web-2 web-3 web-4 " \
    "a deleted server is in no glob"
is "$(plan 'off web-[12]\n')" "web-1 web-2 " "a glob of names"
is "$(plan 'off by-name/web-?\n')" "web-1 web-2 web-3 web-4 " "a glob in by-name"
is "$(plan "off same~$(id_of 7)\\n")" "same " "a shared name with its id"
is "$(plan 'off with\\ space\n')" "with space " "a name with a space"
is "$(plan 'off web-1 web-2\non db-5\n\noff web-1 by-name/web-1\n')" "db-5 web-1 web-2 " \
    "several, and each once"
write 'off hard web-1 db-5\nreboot web-2\n' power.plan
is "$(cut -f 2- power.plan | sort)" "$(printf '%s\n' \
    $'db-5\tstopped\tnothing, it is so already' \
    $'web-1\trunning\toff hard, in one call with others' \
    $'web-2\trunning\treboot, in one call with others')" "the plan: id, name, state, the call"
is "$(stat -c %s power.plan)" "$(wc -c <power.plan)" "with its size"
is "$(calls changes)" 0 "nothing was sent for all that"

cf_section "what is refused"
refused EINVAL 'off web-1' "no newline at the end"
refused EINVAL 'off web-1\noff web-' "a stream that is cut"
refused EINVAL 'off web-1\nfly web-2\n' "an unknown verb, behind a good line"
refused EINVAL 'off\n' "a verb without a target"
refused EINVAL 'off nobody web-1\n' "a name that nobody has"
refused EINVAL 'off same\n' "a name that two have"
refused EINVAL 'off by-state/running/nobody-*\n' "a glob that matches nothing"
refused EINVAL 'off by-state/paused\n' "a value without members"
for view in by-tag by-state by-state/ . by-id ./ by-id/ by-name 'by-state/*' 'by-*/running'; do
    refused EINVAL "off $view\\n" "a view itself: $view"
done
refused EINVAL 'off /web-1\n' "an absolute path"
refused EINVAL 'off ../images\n' "a path out of servers"
refused EINVAL 'off by-id/'"$(id_of 1)"'/power\n' "a path below a server"
refused EINVAL 'off web-1\non web-1\n' "two verbs for one server"
refused EINVAL '\n' "no line with a target"
refused EINVAL 'off web-1\x00\n' "a NUL byte"
refused EINVAL 'expect 2\noff web-1\n' "expect more"
refused EINVAL 'expect 1\noff web-*\n' "expect less"
refused EINVAL 'off web-1\nexpect 1\n' "expect on another line"
refused EINVAL 'expect some\noff web-1\n' "expect no number"
like "$(cat last_error)" 'line 1: expect takes one number' "last_error says why"
is "$(journal 'map(select(.kind == "batch")) | last | [.action, .result, .error] | @csv')" \
    '"power","failed","invalid"' "so does the journal"
STATUS=0
OUTPUT=$(python3 -c 'import os
os.write(os.open("power", os.O_WRONLY), b"off web-1\n" * 14000)' 2>&1) || STATUS=$?
like "$STATUS $OUTPUT" '^1 .*Argument list too long' "more than 128 KiB"
printf 'off web-1\noff web-2' >"$CF_TMP/cut"
STATUS=0
python3 - "$CF_TMP/cut" <<'END' >"$CF_TMP/cut.out" || STATUS=$?
import os, sys
fd = os.open('power', os.O_WRONLY)
for part in open(sys.argv[1], 'rb').read(), b'\noff web-3\n':
    try:
        os.write(fd, part)
        print('done')
    except OSError as error:
        print(error.errno)
    os.lseek(fd, len(part), os.SEEK_SET)
END
is "$(tr '\n' ' ' <"$CF_TMP/cut.out")" "22 22 " "what follows a piece that was cut is not taken either"
is "$(calls changes)" 0 "nothing was sent"
is "$(states 1 2 3 4 5 6 7)" "running running running running stopped stopped running " "all as before"

cf_section "one call for many"
forget_requests
write 'expect 4\noff web-*\n'
is "$STATUS $OUTPUT" "0 " "four servers are stopped"
is "$(calls "$BATCH") $(calls changes)" "1 1" "by one call"
is "$(calls "$LIST")" 1 "behind one listing"
is "$(requests 'map(select(.method == "POST")) | last | .body | fromjson | .["os-stop"].servers | length')" \
    4 "that names them"
ok "they stop" wait_until 10 states_are "1 2 3 4" "stopped stopped stopped stopped "
is "$(wc -c <last_error)" 0 "last_error is empty"
is "$(journal 'map(select(.kind == "action" and .new == "off")) | map(.id[-1:]) | sort | join(" ")')" \
    "1 2 3 4" "the journal has a line for each"
is "$(events 'map(select(.event == "action")) | map(.id[-1:]) | sort | join(" ")')" "1 2 3 4" \
    "so have the events"
is "$(journal 'map(select(.kind == "action" and .new == "off")) | map(.old) | unique | join(" ")')" on \
    "with what it was before"
is "$(events 'map(select(.event == "action")) | map([.old, .new] | join(" ")) | unique | join(", ")')" \
    "on off" "and what it is to be"
forget_requests
write 'off web-* db-5\n'
is "$STATUS $(calls changes)" "0 0" "asking for what is so already sends nothing"
write 'on by-state/stopped/web-*\nreboot hard same~'"$(id_of 7)"' same~'"$(id_of 8)"'\n'
is "$STATUS $(calls changes)" "0 2" "two verbs, two calls"
ok "they run" wait_until 10 states_are "1 2 3 4 7 8" "running running running running running running "

cf_section "some fail"
forget_requests
write 'reboot web-1 db-5 web-2\n'
is "$STATUS $OUTPUT" "1 EREMOTEIO" "the write fails"
like "$(cat last_error)" "^$(id_of 5)"$'\tdb-5\t[0-9.]*001012\t' "a line for the one that failed"
is "$(wc -l <last_error)" 1 "and for no other"
is "$(calls "$BATCH") $(calls "$SINGLE")" "1 1" "whose state does not fit is asked for singly"
ok "the others are done" wait_until 10 states_are "1 2" "running running "
is "$(wc -l <"by-id/$(id_of 5)/last_error")" 1 "its own last_error has it too"
# The cloud knows better than the listing: one of them is not running.
fault code "$BATCH" '"status":400,"code":"001012","message":"one is in the wrong state"'
forget_requests
write 'off web-1 web-2 web-3\n'
is "$STATUS" 0 "a group that is spoilt by one member is done singly"
is "$(calls "$BATCH") $(calls "$SINGLE")" "1 3" "after one try"
no_faults
ok "all are stopped" wait_until 10 states_are "1 2 3" "stopped stopped stopped "
fault status "$BATCH" '"status":502'
forget_requests
write 'on web-1 web-2 web-3\n'
is "$STATUS $OUTPUT" "1 EREMOTEIO" "an unclear failure"
is "$(calls "$BATCH") $(calls "$SINGLE")" "1 0" "is not tried again"
is "$(wc -l <last_error)" 3 "and told for each"
no_faults
fault reset "$SINGLE"
fault reset "$BATCH"
forget_requests
write 'on web-1\noff web-4\n'
is "$STATUS $OUTPUT" "1 EREMOTEIO" "the cloud goes away"
no_faults

cf_section "limits"
for n in $(seq 100 359); do server "$n" ACTIVE "many-$n"; done
refused E2BIG 'off many-*\n' "more than batch_limit without expect"
like "$(cat last_error)" 'expect 260' "last_error says how it is meant"
forget_requests
write 'expect 260\noff many-*\n'
is "$STATUS $OUTPUT $(calls changes)" "0  3" "260 servers by three calls"
ok "all stop" wait_until 20 members_are stopped 260
printf 'expect 260\n' >"$CF_TMP/lines"
for n in $(seq 100 359); do echo "on $(id_of "$n")"; done >>"$CF_TMP/lines"
forget_requests
ok "a list of ids from a file" cp "$CF_TMP/lines" power
is "$(calls changes)" 3 "by three calls"

cf_section "delete"
cd "$PROFILE/images"
for n in 1 2 3; do
    sim POST /_sim/images "$(jq -cn --arg id "$(id_of $((600 + n)))" '{id: $id, name: "old", status: "active",
        visibility: "private", protected: false, created_at: "2024-01-01T00:00:00.000+0000"}')" >/dev/null
done
delete() { write "$1" "$PROFILE/images/delete"; }
forget_requests
delete "old\\n"
is "$STATUS $OUTPUT $(calls changes)" "1 EINVAL 0" "a name is refused"
delete "$(id_of 601) $(id_of 602)\\n"
is "$STATUS $OUTPUT $(calls changes)" "1 EINVAL 0" "two in a line are refused"
delete "$(id_of 601)"
is "$STATUS $OUTPUT $(calls changes)" "1 EINVAL 0" "no newline"
delete "expect 1\\n$(id_of 601)\\n$(id_of 602)\\n"
is "$STATUS $OUTPUT $(calls changes)" "1 EINVAL 0" "one more than expected"
is "$(find by-id -mindepth 1 -maxdepth 1 -name '*0000060?' | wc -l)" 3 "they are there"
delete "$(id_of 601)\\n$(id_of 602)\\n"
is "$STATUS $OUTPUT $(calls changes)" "0  1" "two images by one call"
ok "they go" wait_until 10 is_gone "by-id/$(id_of 601)"
ok "both" wait_until 10 is_gone "by-id/$(id_of 602)"
ok "the others stay" test -d "by-id/$(id_of 603)"
cd /
cf_umount

cf_section "without leave"
cf_mount ttl=3600
ok "no delete without allow_delete" test ! -e "$PROFILE/images/delete"
cf_umount
cf_mount ttl=3600 ro
ok "nothing of it with ro" test ! -e "$PROFILE/servers/power" -a ! -e "$PROFILE/servers/power.plan"
cf_umount
cf_mount ttl=3600 dry_run
forget_requests
write 'off web-4 same~'"$(id_of 7)"'\n'
is "$STATUS $(calls changes)" "0 0" "dry_run sends nothing"
is "$(journal 'map(select(.result == "dry_run")) | length')" 2 "and journals each"
cf_umount
