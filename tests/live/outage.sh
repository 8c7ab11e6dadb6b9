#!/usr/bin/env bash
# A token that is revoked, other credentials, a service that is down: what was read stays readable,
# health says since when and why, writes fail, and all is well again by itself. Contract section 4.
. "$(dirname "$0")/live.bash"
. "$(dirname "$0")/lab.bash"
lab_need

health() { [[ $(cat "${2:-$PROFILE}/health") == "$1 since "* ]]; }
# Somebody who reads once in a while: nothing is fetched for nobody.
read_until_ok() {
    cat "$1/servers/list.tsv" "$1/images/list.tsv" >"$CF_TMP/lists"
    health ok "$1"
}
# fails_so HEALTH WHY: what it says of itself, when somebody reads.
fails_so() {
    local word=$1 why=$2
    ok "health says $word" wait_until 30 turns "$word" "$why"
    like "$(cat "$PROFILE/health")" "^$word since 2[0-9T:.-]*Z: .*$why" "… since when and why"
}
turns() {
    cat "$SERVERS/list.tsv" "$IMAGES/list.tsv" >"$CF_TMP/lists"
    [[ $(cat "$PROFILE/health") =~ ^$1\ since\ .*$2 ]]
}
auths() { metric api_auth_total; }

live_pick
live_boot one
live_mount ttl=1 patience=1 deadline=10
N=$PROFILE
NORMAL=$MNT
S=$N/servers/by-id/$LIVE_ID
ok "the new server is there" test -d "$S"
osc image create --file /dev/null "$LIVE_PREFIX-image" -f value -c id >"$CF_TMP/made"
I=$N/images/by-id/$(grep -oE '^[0-9a-f-]{36}$' "$CF_TMP/made")
ok "the new image is there" wait_until 30 test -d "$I"

cf_section "a token that is revoked"
good=fake-$RANDOM$RANDOM
password=$good # the present one
project=$(osc token issue -f value -c project_id)
user=$(lab_api POST keystone_url/users "{\"user\":{\"name\":\"$LIVE_PREFIX\",\"domain_id\":\"default\",
    \"password\":\"$password\"}}" | jq -er .user.id)
role=$(lab_api GET 'keystone_url/roles?name=member' | jq -er '.roles[0].id')
lab_api PUT "keystone_url/projects/$project/users/$user/roles/$role"
# set_password PASSWORD: which revokes all tokens of the user, also where it is the same. Returns when
# no service takes an old one any more, and new ones are good: Keystone goes by whole seconds, and one
# that is given in the same second is revoked, too.
set_password() {
    old_token=$(own_token "$password")
    password=$1
    lab_api PATCH "keystone_url/users/$user" "{\"user\":{\"password\":\"$1\"}}" >/dev/null
    ok "the old token is refused" wait_until 20 old_token_is_refused
    ok "a new one is taken" wait_until 20 new_token_is_good
    lab_forget_tokens
}
# own_token PASSWORD: a token of the user's, from Keystone itself. No secret is an argument of a program.
own_token() {
    printf '{"auth":{"identity":{"methods":["password"],"password":{"user":{"id":"%s","password":"%s"}}}}}' \
        "$user" "$1" | curl -sS -o "$CF_TMP/token" -D - -H 'Content-Type: application/json' -d @- \
        "$keystone/auth/tokens" | tr -d '\r' | awk 'tolower($1) == "x-subject-token:" { print $2 }'
}
# token_says STATUS TOKEN: what Keystone answers to who asks with it.
token_says() {
    local status
    lab_forget_tokens
    status=$(printf 'X-Auth-Token: %s\nX-Subject-Token: %s\n' "$2" "$2" |
        curl -sS -o "$CF_TMP/token" -w '%{http_code}' -H @- "$keystone/auth/tokens")
    [ "$status" = "$1" ]
}
old_token_is_refused() { token_says 401 "$old_token"; }
new_token_is_good() { token_says 200 "$(own_token "$password")"; }
keystone=$(sed -n 's/^ *auth_url: //p' "$OS_CLIENT_CONFIG_FILE" | head -n 1)
(umask 077 && printf '%s\n' "clouds:" "  own:" "    auth:" \
    "      auth_url: $keystone" \
    "      username: $LIVE_PREFIX" "      password: $password" "      project_id: $project" \
    "      user_domain_id: default" >"$CF_TMP/clouds.yaml")
OS_CLIENT_CONFIG_FILE=$CF_TMP/clouds.yaml OS_CLOUD=own live_mount -d revoked ttl=1 patience=1 deadline=10
R=$SERVERS/by-id/$LIVE_ID
# Nothing is under way when it is revoked: that would be refused, and come back with a token too early.
cat "$R/state" "$IMAGES/list.tsv" >"$CF_TMP/lists"
before=$(auths)
set_password "$good"
ok "a write goes through" write "$R/description" "after it"
is "$(($(auths) - before))" 1 "with one new token"
is "$(osc server show -f value -c description "$LIVE_ID")" "after it" "and is made"

cf_section "credentials that are good no more"
set_password "fake-other"
is "$(live_errno "$R/description" "not made")" EKEYREJECTED "a write: EKEYREJECTED"
fails_so unauthorized "servers|images"
is "$(cat "$R/state")" running "reads go on"
set_password "$good"
revoked=$PROFILE
revoked_mnt=$MNT
# A reader that stays: it is looked at again at the end.
{ while sleep 1; do cat "$R/state" || true; done; } >"$CF_TMP/reader" 2>&1 &
reader=$!

PROFILE=$N MNT=$NORMAL SERVERS=$N/servers IMAGES=$N/images
cf_section "glance down"
lab_stop glance
fails_so stale "images: .*([Rr]efused|connect)"
is "$(cat "$I/name")" "$LIVE_PREFIX-image" "images can be read"
is "$(live_errno "$I/name" "not made")" ECONNREFUSED "a write: ECONNREFUSED"
like "$(cat "$I/last_error")" . "last_error says why"
ok "servers can be changed" write "$S/description" "without images"

cf_section "nova down, too"
lab_stop nova
fails_so stale "servers: .*([Rr]efused|connect)"
is "$(cat "$S/state") $(cat "$S/description")" "running without images" "servers can be read"
is "$(live_errno "$S/power" off)" ECONNREFUSED "a write: ECONNREFUSED"
like "$(cat "$S/last_error")" . "last_error says why"
ok "they are there again" lab_start
ok "all is well by itself" wait_until 60 read_until_ok "$N"
ok "images can be changed" write "$I/name" "$LIVE_PREFIX-again"
ok "servers can be changed" write "$S/description" "again"

cf_section "keystone down"
lab_stop keystone
ok "its token is good for a while" write "$S/description" "by token"
lab_forget_tokens # now nova asks keystone
fails_so stale "(servers|images): .*([Rr]efused|connect|HTTP status 50)"
is "$(cat "$S/state")" running "reads go on"
like "$(live_errno "$S/description" "not made")" '^(ECONNREFUSED|EREMOTEIO)$' \
    "a write: ECONNREFUSED, or EREMOTEIO where nova says so itself"
status=0
cirrusfs mount -f -c "$CF_TMP/mnt.conf" -o deadline=3 live "$CF_TMP" >"$CF_TMP/second" 2>&1 || status=$?
is "$status" 5 "another mount: unreachable"
ok "it is there again" lab_start
ok "all is well by itself" wait_until 60 read_until_ok "$N"
ok "servers can be changed" write "$S/description" "at last"

cf_section "credentials that are good again"
ok "all is well by itself" wait_until 60 read_until_ok "$revoked"
kill "$reader"
wait "$reader" || true
is "$(sort -u "$CF_TMP/reader")" running "whoever read all the while was served"
cf_umount "$revoked_mnt"
lab_api DELETE "keystone_url/users/$user"
CF_SECTION=
