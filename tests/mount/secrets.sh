#!/usr/bin/env bash
# No secret shows anywhere: not in argv, mount table, logs, files of the mount, errors or a core.
# not under: tsan
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=cloud.bash
. "$(dirname "$0")/cloud.bash"
cf_need jq curl

secrets=(fake-token-of-secrets-test fake-password-of-test fake-client-secret-of-test
    fake-secret-key-of-test)
# shellcheck disable=SC2034 # the library's
CF_TOKEN=${secrets[0]}
cf_start_sim --servers 8 --images 4 --username fake-user --password "${secrets[1]}" \
    --client-id fake-client --client-secret "${secrets[2]}" \
    --access-key FAKEACCESSKEY --secret-key "${secrets[3]}"
plain_world 0
ulimit -c unlimited 2>/dev/null || true

(
    umask 077
    printf '%s\n' "${secrets[1]}" >"$CF_TMP/password"
    cat >"$CF_TMP/config" <<END
[plain]
provider = inspur
endpoint = $SIM_URL
token = ${secrets[0]}

[file]
provider = inspur
endpoint = $SIM_URL
auth = keycloak
auth_url = $SIM_URL
client_id = fake-client
client_secret_env = FAKE_CLIENT_SECRET
username = fake-user
password_file = password

[command]
provider = inspur
endpoint = $SIM_URL
auth = aksk
access_key = FAKEACCESSKEY
secret_key_command = echo ${secrets[3]}

[iam]
provider = inspur
endpoint = $SIM_URL
auth = iam
auth_url = $SIM_URL
username = fake-user
password_command = cat '$CF_TMP/password'
END
)
export FAKE_CLIENT_SECRET=${secrets[2]}
cf_mount ttl=300 rate=0 log_level=debug
PROFILE=$MNT/plain
for profile in plain file command iam; do
    ok "[$profile] works" wait_until 10 test -d "$MNT/$profile/servers/by-id"
    like "$(cat "$MNT/$profile/health")" '^ok ' "[$profile] is healthy"
done

# The tokens that were given out meanwhile are secrets too.
mapfile -t issued < <(requests 'map(.headers.Authorization // empty | sub("^Bearer "; "")) | unique[]')
at_most 3 "${#issued[@]}" "tokens were given out"
printf '%s\n' "${secrets[@]}" "${issued[@]}" fake-admin-pass fake-vnc-pass fake-user-data | sort -u \
    >"$CF_TMP/patterns"

# absent NAME FILE…: none of the secrets stands in them.
absent() {
    local name=$1 found
    shift
    found=$(cat -- "$@" 2>/dev/null | tr '\0' '\n' | grep -aFf "$CF_TMP/patterns" | head -n 3 || true)
    if [ -z "$found" ]; then pass "$name"; else fail "$name" "$found"; fi
}

cf_section "traffic"
id=$(find "$PROFILE/servers/by-id" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | head -n 1)
sim PATCH "/_sim/servers/$id" '{"adminPass":"fake-admin-pass","VNCPassword":"fake-vnc-pass",
    "user_data":"fake-user-data","metadata":{"graphics_passwd":"fake-vnc-pass"}}' >/dev/null
for profile in plain file command iam; do
    ok "[$profile] refreshes" put now "$MNT/$profile/refresh"
    ok "[$profile] changes something" put "tag-of-$profile" "$MNT/$profile/servers/by-id/$id/tags"
    put nonsense "$MNT/$profile/servers/by-id/$id/power" 2>/dev/null || true
    ok "[$profile] opens a console" put novnc "$MNT/$profile/servers/by-id/$(basename "$(readlink \
        "$(find "$MNT/$profile/servers/by-state/running" -type l | head -n 1)")")/console"
done
# A cloud that repeats what it was given.
fault code "POST /v1/servers/{id}/action" \
    "\"status\":400,\"code\":\"101.001002\",\"message\":\"bad token ${secrets[0]} of ${secrets[1]}\""
write_fails_with "Invalid argument" reboot "$PROFILE/servers/by-id/$id/power"
like "$(cat "$PROFILE/servers/by-id/$id/last_error")" '^101\.001002: bad token \*+ of \*+' \
    "the words are shown without it"
no_faults
fault status "GET /v1/servers/{page}/{size}" \
    "\"status\":500,\"body\":\"{\\\"trace\\\":\\\"Bearer ${secrets[0]}\\\"}\""
write_fails_with "Remote I/O error" now "$PROFILE/refresh"
no_faults
sim POST /_sim/tokens/revoke >/dev/null
ok "a renewed token" put now "$MNT/file/refresh"
requests 'map(.headers.Authorization // empty | sub("^Bearer "; "")) | unique[]' >>"$CF_TMP/patterns"
sort -u -o "$CF_TMP/patterns" "$CF_TMP/patterns"

cf_section "nowhere"
absent "in the mount table" /proc/self/mountinfo "/proc/$DAEMON_PID/mountinfo"
absent "in argv" "/proc/$DAEMON_PID/cmdline"
absent "in the log" "$DAEMON_LOG" "$CF_TMP/daemon-$CF_DAEMON_N.out" "$CF_TMP/daemon-$CF_DAEMON_N.err"
absent "in .cirrusfs" "$MNT/.cirrusfs"/*
for profile in plain file command iam; do
    absent "in the journal of [$profile]" "$MNT/$profile/journal.jsonl"
    absent "in the events of [$profile]" "$MNT/$profile/events.jsonl"
    absent "in the health of [$profile]" "$MNT/$profile/health"
    absent "in the lists of [$profile]" "$MNT/$profile"/*/list.tsv "$MNT/$profile"/*/list.jsonl
done
find "$MNT" -type f -perm -0400 -exec cat {} + >"$CF_TMP/everything" 2>/dev/null
ok "everything was read" test "$(wc -c <"$CF_TMP/everything")" -gt 50000
absent "in any file of the mount" "$CF_TMP/everything"
find "$MNT" >"$CF_TMP/names" 2>/dev/null
absent "in any name" "$CF_TMP/names"
like "$(cat "$MNT/.cirrusfs/config")" 'token ?= ?\*\*\*' "config shows that there is one"
is "$(jq -r '.adminPass, .VNCPassword, .user_data, .metadata.graphics_passwd' \
    "$PROFILE/servers/by-id/$id/raw.json" | tr '\n' ' ')" '*** *** *** *** ' "raw.json masks what is secret"
is "$(cat "$PROFILE/servers/by-id/$id/raw/adminPass")" '***' "so does raw/"
is "$(jq -r "select(.id == \"$id\") | .raw.adminPass" "$PROFILE/servers/list.jsonl")" '***' "so does list.jsonl"

cf_section "other users"
is "$(find "$PROFILE/servers/by-id/$id" -maxdepth 1 \( -name raw.json -o -name raw -o -name console_url \) -printf '%f %m\n' |
    sort | tr '\n' ' ')" 'console_url 400 raw 500 raw.json 400 ' "may not read raw"
is "$(stat -L -c %a "$PROFILE/servers/list.jsonl")" 400 "nor list.jsonl"

cf_section "no core"
is "$(awk '/^Max core file size/ { print $5, $6 }' "/proc/$DAEMON_PID/limits")" "0 0" "the limit is 0"
if command -v setpriv >/dev/null && [ "$(id -u)" -eq 0 ]; then
    # A process that may not be dumped is shown as root's, whoever runs it.
    mkdir "$CF_TMP/nobody"
    chmod 711 "$CF_TMP" # what is above it must let others through, too
    (umask 077; printf '[x]\nprovider = inspur\nendpoint = %s\ntoken_command = exec sleep 30\n' "$SIM_URL" \
        >"$CF_TMP/nobody/config")
    chown -R 65534:65534 "$CF_TMP/nobody"
    setpriv --reuid 65534 --regid 65534 --clear-groups "$CIRRUSFS" mount -f -c "$CF_TMP/nobody/config" \
        "$CF_TMP/nobody" </dev/null >/dev/null 2>&1 &
    other=$!
    not_dumpable() { [ "$(stat -c %u "/proc/$other/environ")" -eq 0 ] &&
        [ "$(awk '/^Uid:/ { print $2 }' "/proc/$other/status")" -eq 65534 ]; }
    if [ -x "$CIRRUSFS" ] && wait_until 20 not_dumpable; then
        pass "the memory can be read by root only"
    elif ! setpriv --reuid 65534 --regid 65534 --clear-groups test -x "$CIRRUSFS"; then
        skip "the memory can be read by root only" "another user cannot reach the program"
    else
        fail "the memory can be read by root only"
    fi
    command=$(pgrep -P "$other") || true
    kill "$other" "${command:-$other}" 2>/dev/null || true
    wait "$other" 2>/dev/null || true
    chmod 700 "$CF_TMP"
else
    skip "the memory can be read by root only" "needs root and setpriv"
fi
cf_umount

cf_section "what others can read is refused"
mkdir "$CF_TMP/failing"
# attempt ARGUMENTS…: sets OUTPUT and STATUS.
attempt() {
    STATUS=0
    OUTPUT=$(timeout 20 "${CF_WRAP[@]}" "$CIRRUSFS" mount -f "$@" "$CF_TMP/failing" 2>&1 </dev/null) || STATUS=$?
}
chmod 644 "$CF_TMP/config"
attempt -c "$CF_TMP/config"
is "$STATUS" 3 "a config that others can read: exit status 3"
like "$OUTPUT" "chmod 600 .*$CF_TMP/config" "the message has the chmod that mends it"
chmod 600 "$CF_TMP/config"
chmod 640 "$CF_TMP/password"
attempt -c "$CF_TMP/config" file
is "$STATUS" 3 "a secret's file that others can read: exit status 3"
like "$OUTPUT" "chmod 600 .*$CF_TMP/password" "the message has the chmod that mends it"
chmod 600 "$CF_TMP/password"
FAKE_CLIENT_SECRET='' attempt -c "$CF_TMP/config" file
is "$STATUS" 3 "an empty variable: exit status 3"
like "$OUTPUT" FAKE_CLIENT_SECRET "the message has its name"

cf_section "error texts of mounts that fail"
endpoint=$SIM_URL
# with LINE…: a configuration of these lines; sets OUTPUT and STATUS.
with() {
    (umask 077; printf '%s\n' '[x]' 'provider = inspur' "endpoint = $endpoint" "$@" >"$CF_TMP/bad")
    attempt -c "$CF_TMP/bad"
}
# told NAME STATUS: that OUTPUT tells no secret.
told() {
    is "$STATUS" "$2" "$1: exit status $2"
    printf '%s\n' "$OUTPUT" >"$CF_TMP/output"
    absent "$1: the message tells no secret" "$CF_TMP/output"
}
echo fake-other-secret >>"$CF_TMP/patterns"
with "token = fake-other-secret" "tokn = fake-other-secret"
told "an unknown key" 3
with "token fake-other-secret"
told "a line without =" 3
with "token = fake-other-secret with blanks"
told "a token with blanks" 3
with "token_command = echo fake-other-secret; echo fake-other-secret is wrong >&2; exit 1"
told "a command that fails" 3
with "token = fake-other-secret"
told "a token that is refused" 4
with "auth = keycloak" "auth_url = $SIM_URL" "client_id = fake-client" "username = fake-user" \
    "password = fake-other-secret"
told "a password that is refused" 4
endpoint=http://nonexistent.invalid
with "token = x" "proxy = http://user:fake-other-secret@127.0.0.1:1"
endpoint=$SIM_URL
told "a proxy that does not answer" 5
attempt -c "$CF_TMP/config" -o token=fake-other-secret
told "a secret in -o" 3
