#!/usr/bin/env bash
# “reboot hard” on the clouds that have no such call: a forced stop and a start, whoever is killed in
# between; and jobs that fail.
# begins early
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=cloud.bash
. "$(dirname "$0")/cloud.bash"
cf_need jq curl

FAKE_KEY=fake-access-key
FAKE_SECRET=fake-secret-key-for-tests

# What differs between the two clouds.
declare -A forced=([qingcloud]=StopInstances [ucloudstack]=PoweroffVMInstance)
declare -A start=([qingcloud]=StartInstances [ucloudstack]=StartVMInstance)
declare -A running=([qingcloud]='{"status":"running","transition_status":""}'
    [ucloudstack]='{"State":"Running"}')
declare -A full=([qingcloud]='"code":"5200","message":"no resources here"'
    [ucloudstack]='"code":"1019","message":"no resources here"')
declare -A settings=([qingcloud]="zone = pek3a
access_key = $FAKE_KEY
secret_key = $FAKE_SECRET"
    [ucloudstack]="region = cn
public_key = $FAKE_KEY
private_key = $FAKE_SECRET")

# begin_cloud DIALECT: all servers run, and the clock stands still.
begin_cloud() {
    local id
    CLOUD=$1
    cf_start_sim --dialect "$1" --access-key "$FAKE_KEY" --secret-key "$FAKE_SECRET" \
        --servers 9 --images 3 --transition 60000
    setting '{"freeze":true}'
    mapfile -t all < <(sim GET /_sim/servers | jq -r '.[] | .instance_id // .VMID')
    for id in "${all[@]}"; do
        sim PATCH "/_sim/servers/$id" "${running[$1]}" >/dev/null
    done
    CONFIG=$CF_TMP/$1.config
    (
        umask 077
        printf '[%s]\nprovider = %s\nendpoint = %s/iaas/\nrate = 0\nttl = 300\n%s\n' \
            "$1" "$1" "$SIM_URL" "${settings[$1]}" >"$CONFIG"
    )
    STATE=$XDG_STATE_HOME/cirrusfs/$1.composed
}

mount_cloud() { cf_mount -c "$CONFIG" -p "$CLOUD" "$@"; }

# changes: the names of the change calls since forget_requests, in their order.
changes() {
    requests "map(select(.route as \$route | [\"${forced[$CLOUD]}\", \"${start[$CLOUD]}\"] | index(\$route)))
        | map(.route) | join(\" \")"
}
sent() { [ "$(changes)" == "$1" ]; }

dir_of() { echo "$PROFILE/servers/by-id/$1"; }
gone() { ! [ -e "$1" ]; }

# kill_daemon: as the kernel does it when there is no memory left.
kill_daemon() {
    kill -KILL "$DAEMON_PID"
    wait "$DAEMON_PID" 2>/dev/null || true
    unset "CF_DAEMON_PIDS[$MNT]"
    fusermount3 -uz "$MNT"
}

# A writer that is over before anything but the first call is.
write_and_go() { bash -c 'echo "reboot hard" >"$1"' - "$1/power"; }

for dialect in qingcloud ucloudstack; do
    begin_cloud "$dialect"
    mount_cloud
    first=${forced[$dialect]}
    second=${start[$dialect]}

    cf_section "$dialect, reboot hard"
    dir=$(dir_of "${all[0]}")
    like "$(cat "$dir/power_choices")" 'reboot hard' "is a choice"
    forget_requests
    ok "is accepted" write_and_go "$dir"
    is "$(changes)" "$first" "the forced stop was sent, and nothing else"
    [ "$dialect" != qingcloud ] ||
        like "$(requests 'map(select(.route == "StopInstances")) | last | .path + .body')" 'force=1' \
            "it is a forced one"
    is "$(cat "$dir/state" "$dir/power")" $'rebooting\nchanging' "reads rebooting"
    is "$(cat "$dir/task")" "reboot hard: stopping" "task says what is done"
    ok "is written down" grep -qx 'step=wait' "$STATE"
    is "$(stat -c %a "$STATE" "${STATE%/*}" | tr '\n' ' ')" '600 700 ' "for nobody else"
    like_not "$(cat "$STATE")" "$FAKE_SECRET" "without a secret"
    ok "another refresh changes nothing" refresh
    is "$(cat "$dir/state")" rebooting "it still reads rebooting"
    is "$(cat "$dir/last_error")" "" "there is no error"
    write_fails_with "Device or resource busy" on "$dir/power"
    like "$(cat "$dir/last_error")" 'reboot hard is under way' "last_error says why"
    is "$(changes)" "$first" "nothing else was sent"
    advance 60000
    ok "it is started when it has stopped" wait_until 20 sent "$first $second"
    is "$(cat "$dir/state")" rebooting "and reads rebooting"
    ok "task says so" wait_until 10 reads "$dir/task" "reboot hard: starting"
    advance 60000
    ok "until it runs" wait_until 20 reads "$dir/state" running
    ok "nothing is written down any more" wait_until 10 gone "$STATE"
    is "$(changes)" "$first $second" "each call was sent once"
    is "$(journal 'map(select(.kind == "action")) | map(.new + " " + .result) | join(", ")')" \
        "reboot hard ok, on failed, reboot hard ok" "the journal has both calls"

    cf_section "$dialect, a start that is refused"
    cf_expect_log 'stopped, not started again'
    dir=$(dir_of "${all[1]}")
    forget_requests
    ok "reboot hard is accepted" write_and_go "$dir"
    fault code "$second" "${full[$dialect]}"
    advance 60000
    ok "last_error has the cloud's words" wait_until 20 says "$dir/last_error" 'no resources here'
    like "$(cat "$dir/last_error")" 'stopped, not started again' "and what that means"
    is "$(cat "$dir/state")" stopped "it reads stopped"
    like "$(cat "$PROFILE/health")" "server ${all[1]}: stopped, not started again" "health says it"
    is "$(stat -c %s "$PROFILE/health")" "$(wc -c <"$PROFILE/health")" "health's size is right"
    like "$(events 'map(select(.event == "action")) | last | .new')" '^failed: .*no resources' \
        "so do the events"
    ok "by-problem has it" test -e "$PROFILE/servers/by-problem/action/$(cat "$dir/name")"
    ok "it stays written down" grep -qx 'step=left' "$STATE"
    cf_umount
    mount_cloud
    dir=$(dir_of "${all[1]}")
    ok "the next mount says so too" wait_until 10 says "$dir/last_error" 'stopped, not started again'
    like "$(cat "$PROFILE/health")" 'no resources here' "also in health"
    is "$(changes)" "$first $second" "and sends nothing"
    no_faults
    ok "on is accepted" put on "$dir/power"
    like_not "$(cat "$PROFILE/health")" 'not started' "that settles it"
    ok "nothing is written down any more" wait_until 10 gone "$STATE"
    advance 60000
    ok "it runs" wait_until 20 reads "$dir/state" running

    cf_section "$dialect, kill -9 while it stops"
    dir=$(dir_of "${all[2]}")
    forget_requests
    ok "reboot hard is accepted" write_and_go "$dir"
    wait_until 10 grep -qx 'step=wait' "$STATE"
    kill_daemon
    mount_cloud
    dir=$(dir_of "${all[2]}")
    ok "the next mount goes on" wait_until 20 reads "$dir/state" rebooting
    is "$(changes)" "$first" "and does not stop it again"
    advance 60000
    ok "it is started" wait_until 20 sent "$first $second"
    advance 60000
    ok "it runs" wait_until 20 reads "$dir/state" running
    ok "nothing is written down any more" wait_until 10 gone "$STATE"

    cf_section "$dialect, kill -9, and it has stopped and was started by then"
    dir=$(dir_of "${all[3]}")
    forget_requests
    ok "reboot hard is accepted" write_and_go "$dir"
    advance 60000
    ok "it is started" wait_until 20 sent "$first $second"
    ok "that is written down" wait_until 10 grep -qx 'step=up' "$STATE"
    kill_daemon
    advance 60000
    mount_cloud
    dir=$(dir_of "${all[3]}")
    ok "the next mount finds it running" wait_until 20 gone "$STATE"
    is "$(cat "$dir/state")" running "and shows it"
    is "$(changes)" "$first $second" "nothing was sent again"

    cf_section "$dialect, SIGTERM while it stops"
    dir=$(dir_of "${all[4]}")
    forget_requests
    ok "reboot hard is accepted" write_and_go "$dir"
    kill -TERM "$DAEMON_PID"
    ok "it is unmounted" wait_until 5 not_mounted
    ok "the daemon stays" kill -0 "$DAEMON_PID"
    advance 60000
    ok "until the server is started" wait_until 20 sent "$first $second"
    ok "then it ends" wait_until 20 cf_is_over "$DAEMON_PID"
    cf_umount
    advance 60000

    cf_section "$dialect, unmounted while it stops"
    mount_cloud
    ok "nothing is left of that" wait_until 20 gone "$STATE"
    dir=$(dir_of "${all[5]}")
    ok "it runs" wait_until 20 reads "$dir/state" running
    forget_requests
    ok "reboot hard is accepted" write_and_go "$dir"
    ok "umount does not wait" "$CIRRUSFS" umount "$MNT"
    ok "it is unmounted" not_mounted
    ok "the daemon stays" kill -0 "$DAEMON_PID"
    # The same profile is mounted again meanwhile: what is cared for is not taken.
    former=$DAEMON_PID
    unset "CF_DAEMON_PIDS[$MNT]"
    mount_cloud
    advance 60000
    ok "the server is started" wait_until 20 sent "$first $second"
    ok "the daemon ends" wait_until 20 cf_is_over "$former"
    wait "$former" 2>/dev/null
    advance 60000
    dir=$(dir_of "${all[5]}")
    ok "it runs" wait_until 20 reads "$dir/state" running
    is "$(changes)" "$first $second" "each call was sent once"

    cf_section "$dialect, a second signal"
    cf_expect_log 'the next mount of this profile goes on'
    dir=$(dir_of "${all[6]}")
    forget_requests
    ok "reboot hard is accepted" write_and_go "$dir"
    kill -TERM "$DAEMON_PID"
    ok "it is unmounted" wait_until 5 not_mounted
    ok "the daemon waits" wait_until 10 grep -q 'started again before the daemon ends' "$DAEMON_LOG"
    kill -TERM "$DAEMON_PID"
    ok "it ends at once" wait_until 10 cf_is_over "$DAEMON_PID"
    wait "$DAEMON_PID" 2>/dev/null || true
    unset "CF_DAEMON_PIDS[$MNT]"
    is "$(changes)" "$first" "the server is not started yet"
    mount_cloud
    advance 60000
    ok "the next mount starts it" wait_until 20 sent "$first $second"
    advance 60000
    ok "it runs" wait_until 20 reads "$(dir_of "${all[6]}")/state" running

    cf_section "$dialect, reboot hard of one that is stopped"
    dir=$(dir_of "${all[7]}")
    ok "off is accepted" put off "$dir/power"
    advance 60000
    ok "it is off" wait_until 20 reads "$dir/state" stopped
    forget_requests
    ok "reboot hard is accepted" write_and_go "$dir"
    is "$(changes)" "$first $second" "the stop is refused, the start is not"
    is "$(cat "$dir/state")" starting "it is only started"
    advance 60000
    ok "it runs" wait_until 20 reads "$dir/state" running

    cf_section "$dialect, dry_run"
    cf_umount
    mount_cloud dry_run
    forget_requests
    ok "reboot hard is accepted" write_and_go "$(dir_of "${all[8]}")"
    is "$(changes)" "" "nothing was sent"
    ok "nothing is written down" test ! -e "$STATE"
    cf_umount
    cf_stop_sim "$SIM_PID"
done

cf_section "a job that fails"
begin_cloud qingcloud
mount_cloud
dir=$(dir_of "${all[0]}")
fault job StopInstances
forget_requests
ok "off is accepted" put off "$dir/power"
is "$(cat "$dir/state")" stopping "it reads stopping"
advance 60000
ok "last_error tells of it" wait_until 20 says "$dir/last_error" .
ok "it is not stopping any more" wait_until 20 reads "$dir/state" running
is "$(journal 'map(select(.kind == "job")) | last | .action + " " + .new + " " + .result')" \
    "power off failed" "so does the journal"
like "$(journal 'map(select(.kind == "job")) | last | .job')" '^j-' "with the job's name"
like "$(events 'map(select(.event == "action")) | last | .new')" '^failed: ' "so do the events"
isnt "$(calls DescribeJobs)" 0 "the job was asked after"
