#!/usr/bin/env bash
# Ways to authenticate, tokens that are renewed, and mounts that fail: message and exit status.
# not under: tsan
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=cloud.bash
. "$(dirname "$0")/cloud.bash"
cf_need jq curl

credentials=(--username fake-user --password fake-password-1 --client-id fake-client
    --client-secret fake-client-secret-2 --access-key FAKEACCESSKEY --secret-key fake-secret-key-3)
cf_start_sim --servers 5 --images 2 "${credentials[@]}"

# config NAME LINE…: $CF_TMP/NAME, with a profile [sim] on the present simulator.
config() {
    local name=$1
    shift
    (
        umask 077
        printf '%s\n' '[sim]' 'provider = inspur' "endpoint = $SIM_URL" "$@" >"$CF_TMP/$name"
    )
}
KEYCLOAK=("auth = keycloak" "client_id = fake-client" "client_secret = fake-client-secret-2")
LOGIN=("username = fake-user" "password = fake-password-1")

# attempt ARGUMENTS…: a mount that ought to fail; sets OUTPUT and STATUS.
attempt() {
    STATUS=0
    mkdir -p "$CF_TMP/failing"
    OUTPUT=$(timeout 20 "${CF_WRAP[@]}" "$CIRRUSFS" mount -f "$@" 2>&1 </dev/null) || STATUS=$?
    ! cf_is_mounted "$CF_TMP/failing" || fail "nothing stays mounted"
}
n_servers() { find "$PROFILE/servers/by-id" -mindepth 1 -maxdepth 1 | wc -l; }
grants() { requests 'map(select(.route == "POST keycloak") | .body | split("&")[] | select(startswith("grant_type=")))
    | join(" ")'; }

cf_section "keycloak, password"
config keycloak "${KEYCLOAK[@]}" "auth_url = $SIM_URL" "${LOGIN[@]}"
forget_requests
cf_mount -c "$CF_TMP/keycloak" ttl=300
is "$(n_servers)" 5 "the servers are there"
is "$(calls auth)" 1 "one token call"
is "$(requests 'map(select(.route == "POST keycloak")) | first | .path')" \
    /auth/realms/picp/protocol/openid-connect/token "its path"
is "$(grants)" grant_type=password "its grant"
like "$(requests 'map(select(.method == "GET")) | first | .headers.Authorization')" '^Bearer simaccess\.' \
    "the token is sent"
one=$(find "$PROFILE/servers/by-id" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | head -n 1)
ok "a change works" put some-tag "$PROFILE/servers/by-id/$one/tags"
is "$(calls auth)" 1 "no other token call"

cf_section "a revoked token"
forget_requests
sim POST /_sim/tokens/revoke >/dev/null
ok "a refresh" refresh
is "$(calls auth)" 1 "renews it exactly once"
like "$(cat "$PROFILE/health")" '^ok ' "health is ok"
ok "a refresh" refresh
is "$(calls auth)" 1 "the new one is kept"
sim POST /_sim/tokens/revoke >/dev/null
forget_requests
ok "a change" put other-tag "$PROFILE/servers/by-id/$one/tags"
is "$(calls auth)" 1 "renews it exactly once"
is "$(sim GET "/v1/servers/$one/tags" | jq -c .data.tags)" '["other-tag"]' "and is done"
is "$(requests 'map(select(.status == 401)) | length')" 1 "one call was refused"
no_faults
sim POST /_sim/tokens/revoke '{"refresh":true}' >/dev/null
forget_requests
ok "a refresh when the refresh token is void too" refresh
is "$(grants)" "grant_type=refresh_token grant_type=password" "takes the password again"
forget_requests
fault status "GET /v1/servers/{page}/{size}" '"status":401'
write_fails_with "Key was rejected by service" now "$PROFILE/refresh"
is "$(calls auth)" 1 "what stays refused is renewed once"
is "$(calls "GET /v1/servers/{page}/{size}")" 2 "and asked twice"
like "$(cat "$PROFILE/health")" '^unauthorized since .+: .+' "health says why"
is "$(wc -l <"$PROFILE/servers/by-id/$one/name")" 1 "reads go on"
no_faults
ok "it recovers without remounting" refresh
like "$(cat "$PROFILE/health")" '^ok ' "health is ok"
cf_umount

cf_section "keycloak, client credentials"
config client "${KEYCLOAK[@]}" "auth_url = $SIM_URL"
forget_requests
cf_mount -c "$CF_TMP/client" ttl=300
is "$(n_servers)" 5 "the servers are there"
is "$(grants)" grant_type=client_credentials "its grant"
cf_umount

cf_section "iam"
config iam "auth = iam" "auth_url = $SIM_URL" "${LOGIN[@]}"
forget_requests
cf_mount -c "$CF_TMP/iam" ttl=300
is "$(n_servers)" 5 "the servers are there"
is "$(requests 'map(select(.route == "POST /auth/v1/token") | .body | fromjson | [.username, .password]) | first | @csv')" \
    '"fake-user","fake-password-1"' "its body"
sim POST /_sim/tokens/revoke >/dev/null
ok "after the token was revoked" refresh
is "$(calls auth)" 2 "there was one more token call"
cf_umount

cf_section "aksk"
config aksk "auth = aksk" "access_key = FAKEACCESSKEY" "secret_key = fake-secret-key-3"
forget_requests
cf_mount -c "$CF_TMP/aksk" ttl=300
is "$(n_servers)" 5 "the servers are there"
is "$(requests 'map(select(.method == "GET")) | first | .headers | [."x-secret-id", ."x-sign-algorithm"] | @csv')" \
    '"FAKEACCESSKEY","sha256"' "its headers"
like "$(requests 'map(select(.method == "GET")) | first | .headers."x-time"')" '^[0-9]{13}$' "its time"
is "$(requests 'map(.headers.Authorization // empty) | length')" 0 "no token is sent"
ok "a change with parameters" put $'web\n中文 tag' "$PROFILE/servers/by-id/$one/tags"
is "$(cat "$PROFILE/servers/by-id/$one/tags")" $'web\n中文 tag' "is done"
ok "a change with a body" put hello "$PROFILE/images/by-id/$(ids available images | head -n 1)/description" ||
    true
is "$(calls auth)" 0 "no token call"
cf_umount
for algorithm in md5 sha1; do
    config "$algorithm" "auth = aksk" "access_key = FAKEACCESSKEY" "secret_key = fake-secret-key-3" \
        "sign_algorithm = $algorithm"
    cf_mount -c "$CF_TMP/$algorithm" ttl=300
    is "$(n_servers)" 5 "$algorithm does as well"
    cf_umount
done

cf_section "token"
config token "auth = token" "token = $CF_TOKEN"
cf_mount -c "$CF_TMP/token" ttl=300
is "$(n_servers)" 5 "the servers are there"
cf_umount

cf_section "renewal"
first_sim=$SIM_URL
cf_start_sim --servers 3 --images 1 --token-life 2 "${credentials[@]}"
config renew "${KEYCLOAK[@]}" "auth_url = $SIM_URL" "${LOGIN[@]}"
cf_mount -c "$CF_TMP/renew" ttl=100ms watch rate=0
ok "the token is renewed while the mount is in use" wait_until 10 called auth 3
is "$(requests 'map(select(.status == 401)) | length')" 0 "before it has expired"
like "$(grants)" '^grant_type=password grant_type=refresh_token' "with the refresh token"
cf_umount

cf_section "wrong password"
second_sim=$SIM_URL
SIM_URL=$first_sim
config wrong "${KEYCLOAK[@]}" "auth_url = $SIM_URL" "username = fake-user" "password = fake-wrong-password"
attempt -c "$CF_TMP/wrong" "$CF_TMP/failing"
is "$STATUS" 4 "exit status 4"
like "$OUTPUT" '\[sim\].*Invalid user credentials' "the message has the profile and the cloud's words"
like_not "$OUTPUT" 'fake-wrong-password|fake-client-secret-2' "and no secret"
config wrong "auth = aksk" "access_key = FAKEACCESSKEY" "secret_key = fake-wrong-key"
attempt -c "$CF_TMP/wrong" "$CF_TMP/failing"
is "$STATUS" 4 "wrong secret key: exit status 4"
config wrong "token = fake-token-of-nobody"
attempt -c "$CF_TMP/wrong" "$CF_TMP/failing"
is "$STATUS" 4 "wrong token: exit status 4"
attempt -c "$CF_TMP/wrong"
is "$STATUS" 2 "usage: exit status 2"

cf_section "nobody listens"
cf_stop_sim "$SIM_PID" # the second one
config nobody "token = $CF_TOKEN"
sed -i "s|^endpoint = .*|endpoint = $second_sim|" "$CF_TMP/nobody"
attempt -c "$CF_TMP/nobody" -o deadline=3 "$CF_TMP/failing"
is "$STATUS" 5 "exit status 5"
like "$OUTPUT" '\[sim\].*127\.0\.0\.1' "the message says where"
sed -i 's|^endpoint = .*|endpoint = http://nonexistent.invalid|' "$CF_TMP/nobody"
attempt -c "$CF_TMP/nobody" -o deadline=3 "$CF_TMP/failing"
is "$STATUS" 5 "no such host: exit status 5"
like "$OUTPUT" 'nonexistent\.invalid' "the message has the name"

cf_section "configuration"
config bad "token = $CF_TOKEN" "tll = 3"
attempt -c "$CF_TMP/bad" "$CF_TMP/failing"
is "$STATUS" 3 "an unknown key: exit status 3"
like "$OUTPUT" "$CF_TMP/bad:5: .*‘tll’.*‘ttl’" "its line, and what may be meant"
attempt -c "$CF_TMP/missing" "$CF_TMP/failing"
is "$STATUS" 3 "no such file: exit status 3"
attempt -c "$CF_TMP/token" nobody-has-this-profile "$CF_TMP/failing"
is "$STATUS" 3 "no such profile: exit status 3"
like "$OUTPUT" 'nobody-has-this-profile' "the message has the name"
attempt -c "$CF_TMP/token" -o frobnicate "$CF_TMP/failing"
is "$STATUS" 3 "an unknown option: exit status 3"
config bad "auth = keycloak" "auth_url = $SIM_URL" "client_id = x"
attempt -c "$CF_TMP/bad" "$CF_TMP/failing"
is "$STATUS" 3 "missing credentials: exit status 3"

cf_section "usage"
attempt
is "$STATUS" 2 "no mount point: exit status 2"
attempt --frobnicate "$CF_TMP/failing"
is "$STATUS" 2 "an unknown flag: exit status 2"
STATUS=0
cirrusfs frobnicate 2>/dev/null || STATUS=$?
is "$STATUS" 2 "an unknown command: exit status 2"

cf_section "one good profile and a bad one"
config two "token = $CF_TOKEN"
printf '%s\n' '[bad]' 'provider = inspur' "endpoint = $SIM_URL" 'token = fake-token-of-nobody' >>"$CF_TMP/two"
cf_mount -c "$CF_TMP/two" ttl=300
is "$(n_servers)" 5 "the good one works"
like "$(cat "$PROFILE/health")" '^ok ' "its health is ok"
like "$(cat "$MNT/bad/health")" '^unauthorized since .+: .+' "the bad one's health says why"
cmd_fails_with "Key was rejected by service" ls "$MNT/bad/servers/by-id"
at_most "$(quiet_ms cat "$PROFILE/servers/by-id/$one/state")" $((500 * CF_SLOW)) "the good one is undisturbed"
ok "a refresh of the good one" refresh
like "$(cat "$CF_TMP/daemon-$CF_DAEMON_N.err")" '\[bad\]' "mounting warned of it"
cf_umount

cf_section "offline_ok"
config offline "token = $CF_TOKEN"
sed -i "s|^endpoint = .*|endpoint = $second_sim|" "$CF_TMP/offline"
cf_mount -c "$CF_TMP/offline" offline_ok deadline=2
ok "mounted; health says why" wait_until 5 says "$PROFILE/health" '^unreachable since .+: .+'
cmd_fails_with "Connection refused" ls "$PROFILE/servers/by-id"
cf_start_sim --servers 4 --images 1 --port "${second_sim##*:}"
is_there() { ls "$PROFILE/servers/by-id" && says "$PROFILE/health" '^ok '; }
ok "it is there when the cloud is" wait_until 15 is_there
is "$(n_servers)" 4 "with its servers"
