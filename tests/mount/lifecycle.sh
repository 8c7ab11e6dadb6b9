#!/usr/bin/env bash
# Mounting, unmounting, and what becomes of a mount whose daemon dies.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=cloud.bash
. "$(dirname "$0")/cloud.bash"
cf_need jq curl

cf_start_sim --servers 10 --images 3
cf_config
is_dead() { [[ $(ls "$MNT" 2>&1) == *"Transport endpoint is not connected"* ]]; }
n_servers() { find "$MNT/sim/servers/by-id" -mindepth 1 -maxdepth 1 | wc -l; }
# The daemons of this test that serve a mount point, by their argv.
daemons() {
    local file
    for file in /proc/[0-9]*/cmdline; do
        [[ $(tr '\0' ' ' <"$file") != *"cirrusfs mount "*"$1 " ]] || basename "${file%/cmdline}"
    done 2>/dev/null
}
# capture COMMAND…: sets OUTPUT and STATUS. A daemon that kept the pipe open would make it hang; so
# does valgrind, which keeps a copy of stderr.
capture() {
    STATUS=0
    if [ "$CF_MODE" == valgrind ]; then
        timeout $((20 * CF_SLOW)) "${CF_WRAP[@]}" "$@" >"$CF_TMP/captured" 2>&1 </dev/null || STATUS=$?
        OUTPUT=$(cat "$CF_TMP/captured")
    else
        OUTPUT=$(timeout $((20 * CF_SLOW)) "${CF_WRAP[@]}" "$@" 2>&1 </dev/null) || STATUS=$?
    fi
}
# attempt COMMAND…: the same with our program.
attempt() { capture "$CIRRUSFS" "$@"; }

cf_section "SIGTERM"
cf_mount ttl=300
is "$(n_servers)" 10 "the servers are there"
begin_us=${EPOCHREALTIME/./}
kill -TERM "$DAEMON_PID"
ok "the mount goes" wait_until 5 not_mounted
ok "the daemon ends" wait_until 5 cf_is_over "$DAEMON_PID"
at_most $(((${EPOCHREALTIME/./} - begin_us) / 1000)) $((1000 * CF_SLOW)) "within a second"
cf_umount

cf_section "SIGTERM with somebody inside"
cf_mount ttl=300
(cd "$MNT/sim/servers/by-id" && exec sleep 60) &
inside=$!
exec 7<"$MNT/sim/servers/list.tsv"
ok "somebody is inside" wait_until 5 test "/proc/$inside/cwd" -ef "$MNT/sim/servers/by-id"
begin_us=${EPOCHREALTIME/./}
kill -TERM "$DAEMON_PID"
ok "the mount goes" wait_until 5 not_mounted
ok "the daemon ends" wait_until 5 cf_is_over "$DAEMON_PID"
at_most $(((${EPOCHREALTIME/./} - begin_us) / 1000)) $((1000 * CF_SLOW)) "within a second"
cf_umount
exec 7<&-
kill "$inside"
wait "$inside" 2>/dev/null || true

for signal in INT HUP; do
    cf_section "SIG$signal"
    cf_mount ttl=300
    forget_requests
    kill "-$signal" "$DAEMON_PID"
    if [ "$signal" == INT ]; then
        ok "the daemon ends" wait_until 5 cf_is_over "$DAEMON_PID"
    else
        ok "everything is fetched anew" wait_until 5 called "GET /v1/servers/{page}/{size}" 1
        is "$(n_servers)" 10 "the mount stays"
    fi
    cf_umount
done

cf_section "a daemon that was killed"
cf_mount ttl=300
kill -KILL "$DAEMON_PID"
wait "$DAEMON_PID" 2>/dev/null || true
unset "CF_DAEMON_PIDS[$MNT]"
ok "what is left there is dead" wait_until 5 is_dead
attempt mount -c "$CF_TMP/config" -o "log=$CF_TMP/daemon-again.log" "$MNT"
is "$STATUS" 0 "mounting again on the same place works"
like "$OUTPUT" 'a daemon that is gone' "and says what was left there"
is "$(n_servers)" 10 "the servers are there"
is "$(awk -v mnt="$MNT" '$5 == mnt' /proc/self/mountinfo | wc -l)" 1 "nothing of the old one is left below"
kill -KILL "$(daemons "$MNT")"
ok "what is left there is dead" wait_until 5 is_dead
attempt umount "$MNT"
is "$STATUS" 0 "umount ends one whose daemon is gone"
ok "nothing is mounted" not_mounted

cf_section "umount"
cf_mount ttl=300
attempt umount "$MNT"
is "$STATUS $OUTPUT" "0 " "ends a mount, without a word"
ok "nothing is mounted" not_mounted
ok "the daemon ends" wait_until 5 cf_is_over "$DAEMON_PID"
cf_umount
cf_mount ttl=300
(cd "$MNT/sim/servers" && exec sleep 60) &
inside=$!
ok "somebody is inside" wait_until 5 test "/proc/$inside/cwd" -ef "$MNT/sim/servers"
attempt umount "$MNT"
is "$STATUS" 0 "ends a mount that is in use"
ok "nothing is mounted" not_mounted
kill "$inside"
wait "$inside" 2>/dev/null || true
ok "the daemon ends when nobody is left" wait_until 5 cf_is_over "$DAEMON_PID"
cf_umount
attempt umount "$MNT"
is "$STATUS" 1 "nothing to unmount: exit status 1"
like "$OUTPUT" "$MNT is not a mount of cirrusfs" "the message says so"
attempt umount "$CF_TMP/missing"
is "$STATUS" 1 "no such directory: exit status 1"
like "$OUTPUT" "$CF_TMP/missing: No such file or directory" "the message says so"

cf_section "no place to mount on"
attempt mount -f -c "$CF_TMP/config" "$CF_TMP/missing"
is "$STATUS" 1 "missing: exit status 1"
like "$OUTPUT" "$CF_TMP/missing.*No such file or directory" "the message says so"
echo content >"$CF_TMP/file"
attempt mount -f -c "$CF_TMP/config" "$CF_TMP/file"
is "$STATUS" 1 "a file: exit status 1"
like "$OUTPUT" "$CF_TMP/file.*not a directory" "the message says so"
is "$(cat "$CF_TMP/file")" content "the file is untouched"
cf_mount ttl=300
attempt mount -f -c "$CF_TMP/config" "$MNT"
is "$STATUS" 1 "taken: exit status 1"
like "$OUTPUT" "$MNT is mounted already" "the message says so"
is "$(n_servers)" 10 "the mount that was there goes on"
cf_umount

cf_section "as a daemon"
fault latency "GET /v1/servers/{page}/{size}" '"ms":300'
begin_us=${EPOCHREALTIME/./}
attempt mount -c "$CF_TMP/config" -o "log=$CF_TMP/daemon-own.log" "$MNT"
took_ms=$(((${EPOCHREALTIME/./} - begin_us) / 1000))
is "$STATUS $OUTPUT" "0 " "it returns, without a word, and keeps no pipe open"
at_most 300 "$took_ms" "not before the first call was answered"
no_faults
is "$(n_servers)" 10 "everything is there when it has returned"
pid=$(daemons "$MNT")
like "$pid" '^[0-9]+$' "there is one daemon"
is "$(readlink "/proc/$pid/cwd")" / "it keeps no directory busy"
is "$(readlink "/proc/$pid/fd/0" "/proc/$pid/fd/1" "/proc/$pid/fd/2" | sort -u)" /dev/null "nor a terminal"
isnt "$(awk '{ print $6 }' "/proc/$pid/stat")" "$(awk '{ print $6 }' /proc/self/stat)" "it has a session of its own"
attempt umount "$MNT"
is "$STATUS" 0 "umount ends it"
ok "the daemon ends" wait_until 5 is_gone "/proc/$pid"

cf_section "as mount(8) does it"
ln -s "$CIRRUSFS" "$CF_TMP/mount.fuse.cirrusfs"
capture "$CF_TMP/mount.fuse.cirrusfs" sim "$MNT" -n \
    -o "rw,_netdev,nofail,x-systemd.automount,config=$CF_TMP/config,ttl=5,log=$CF_TMP/daemon-helper.log"
is "$STATUS $OUTPUT" "0 " "returns, without a word"
is "$(n_servers)" 10 "everything is there"
like "$(awk -v mnt="$MNT" '$5 == mnt' /proc/self/mountinfo)" ' - fuse\.cirrusfs sim ' "the mount table has type and name"
like "$(cat "$MNT/.cirrusfs/config")" '(^|[[:space:]])ttl ?= ?5($|[[:space:]])' "the options hold"
attempt umount "$MNT"
is "$STATUS" 0 "umount ends it"

cf_section "as a daemon that fails"
cf_stop_sim "$SIM_PID"
attempt mount -c "$CF_TMP/config" -o deadline=3 "$MNT"
is "$STATUS" 5 "the exit status is the first call's"
like "$OUTPUT" '\[sim\]' "and its message is heard"
ok "nothing is mounted" not_mounted
is "$(daemons "$MNT")" "" "nothing runs on"
