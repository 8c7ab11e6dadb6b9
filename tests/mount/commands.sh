#!/usr/bin/env bash
# The commands beside mount, umount and wait (contract section 8): demo, check, profiles, simulate,
# version, help; and the options that no other test uses.
# not under: tsan
# shellcheck disable=SC2016 # the inner shell's
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/mount/tools/cloud.sh
. "$(dirname "$0")/tools/cloud.sh"
cf_need python3 jq curl

# attempt ARGUMENTS…: sets OUTPUT (both streams) and STATUS.
attempt() {
    STATUS=0
    OUTPUT=$(timeout $((30 * CF_SLOW)) "${CF_WRAP[@]}" "$CIRRUSFS" "$@" 2>&1 </dev/null) || STATUS=$?
}

cf_start_sim --servers 3 --images 2
cf_config
cat >>"$CF_TMP/config" <<END
[second]
$(cf_profile_lines)
END

cf_section "version and help"
attempt version
is "$STATUS" 0 "version"
like "$OUTPUT" '^cirrusfs [0-9]+\.' "tells it"
attempt help
is "$STATUS" 0 "help"
for command in mount umount demo simulate check profiles wait version help; do
    like "$OUTPUT" "cirrusfs $command|^ *$command|
 *$command" "it has $command"
done

cf_section "profiles"
attempt profiles -c "$CF_TMP/config"
is "$STATUS" 0 "works"
is "$(grep -cE '^(sim|second)\b' <<<"$OUTPUT")" 2 "a line for each"
like_not "$OUTPUT" "$CF_TOKEN" "without a secret"
is "$(calls total)" 0 "no call is made"
CIRRUSFS_CONFIG=$CF_TMP/config attempt profiles
is "$(grep -cE '^(sim|second)\b' <<<"$OUTPUT")" 2 "CIRRUSFS_CONFIG names the file"

cf_section "check"
attempt check -c "$CF_TMP/config"
is "$STATUS" 0 "all is well"
for word in servers images; do
    like "$OUTPUT" "$word" "it has asked for the $word"
done
is "$(calls changes)" 0 "it changes nothing"
is "$(calls "$LIST_IMAGES")" 2 "one call a collection"
at_most "$(calls total)" 8 "and for the token, the clock and the name no more than two"
attempt check -c "$CF_TMP/config" second
is "$STATUS" 0 "one profile alone"
like_not "$OUTPUT" '(^|
)\[?sim\]?:' "says nothing of the other"
attempt check -c "$CF_TMP/config" nobody
is "$STATUS" 3 "one that there is not: exit status 3"
chmod 644 "$CF_TMP/config"
attempt check -c "$CF_TMP/config"
isnt "$STATUS" 0 "a file that others can read is a fault"
like "$OUTPUT" "chmod 600" "with what to do"
chmod 600 "$CF_TMP/config"

cf_section "a command for a secret"
cat >"$CF_TMP/slow-config" <<END
[slow]
provider = inspur
endpoint = $SIM_URL
auth = token
token_command = echo \$\$ >$CF_TMP/command.pid; sleep 600 | cat; echo $CF_TOKEN
END
chmod 600 "$CF_TMP/slow-config"
"${CF_WRAP[@]}" "$CIRRUSFS" check -c "$CF_TMP/slow-config" </dev/null >/dev/null 2>&1 &
checker=$!
# Shell, sleep and cat, and who watches over them.
command_runs() { [ -s "$CF_TMP/command.pid" ] && [ "$(pgrep -c -s "$(<"$CF_TMP/command.pid")")" -ge "$1" ]; }
command_is_over() { ! pgrep -s "$(<"$CF_TMP/command.pid")" >/dev/null; }
ok "runs in a session of its own" wait_until 30 command_runs 3
kill -KILL "$checker"
wait "$checker" 2>/dev/null || true
ok "all of it ends with the program that is killed" wait_until 30 command_is_over

cf_section "all profiles"
cf_mount ttl=3600
cd "$MNT"
is "$(ls)" $'second\nsim' "all when none is named"
cd /
cf_umount
cf_mount -p second ttl=3600
is "$(ls "$MNT")" second "the one that is named"
cf_umount

cf_section "options"
cf_mount ttl=3600 max_stale=240 patience=3 deadline=40 rate=50 burst=60 connections=3 page_size=50 tags=demand \
    tags_ttl=300 batch_limit=7 action_limit=9 raw=world umask=022 watch dry_run allow_delete
for option in max_stale=4min patience=3 deadline=40 rate=50 burst=60 connections=3 page_size=50 batch_limit=7 \
    action_limit=9 raw=world; do
    key=${option%=*} value=${option#*=}
    [ "$key" != max_stale ] || value='(4 ?min|240)'
    like "$(cat "$MNT/.cirrusfs/config")" "$key *= *$value" "$option is in force"
done
cf_umount
for option in "_netdev" "nofail" "x-systemd.automount" "x-anything=else"; do
    cf_mount ttl=3600 "$option"
    ok "$option is accepted" test -d "$PROFILE"
    cf_umount
done

cf_section "demo"
mkdir "$CF_TMP/demo"
HOME=$CF_TMP XDG_CONFIG_HOME=$CF_TMP/nothing "${CF_WRAP[@]}" "$CIRRUSFS" demo -f "$CF_TMP/demo" --servers 7 --images 2 \
    </dev/null >"$CF_TMP/daemon-demo.out" 2>"$CF_TMP/daemon-demo.err" &
CF_DAEMON_PIDS[$CF_TMP/demo]=$!
ok "a mount without a configuration" wait_until 30 cf_is_mounted "$CF_TMP/demo"
demo=$(find "$CF_TMP/demo" -mindepth 1 -maxdepth 1 -type d ! -name .cirrusfs)
is "$(find "$demo/servers/by-id" -mindepth 1 -maxdepth 1 | wc -l)" 7 "with its servers"
like "$(cat "$demo/endpoint")" '^http://(127\.0\.0\.1|localhost|\[::1\]):' "on loopback"
server=$(find "$demo/servers/by-state/running/" -type l | head -n 1)
ok "they can be switched" bash -c 'echo off >"$1/power"' - "$(realpath "$server")"
attempt umount "$CF_TMP/demo"
is "$STATUS" 0 "umount ends it"
