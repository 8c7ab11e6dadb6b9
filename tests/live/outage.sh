#!/usr/bin/env bash
# A token that is revoked, other credentials, a service that is down: what was read stays readable,
# health says since when and why, writes fail, and all is well again by itself. Contract section 4.
# Of the services with the user of OS_CLOUD and with an ordinary one, side by side; the credentials
# are those of another ordinary one.
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

# as USER COMMAND…: in that user's mount.
as() {
    CF_SECTION="$section: $1: "
    MNT=$CF_TMP/$1
    PROFILE=$MNT/live SERVERS=$MNT/live/servers IMAGES=$MNT/live/images
    S=$SERVERS/by-id/$server
    I=$IMAGES/by-id/$image
    "${@:2}"
}
# each COMMAND…: as both users.
each() {
    as user "$@"
    as member "$@"
    CF_SECTION="$section: "
}
section() {
    section=$1
    cf_section "$1"
}
# Who reads all the while, in all mounts: what came of it is looked at in the end.
read_on() {
    local name
    while sleep 0.5; do
        for name in user member revoked; do
            cat "$CF_TMP/$name/live/servers/by-id/$server/state" \
                "$CF_TMP/$name/live/images/by-id/$image/status" || true
        done
    done
}

live_pick
live_boot one
server=$LIVE_ID
osc image create --file /dev/null "$LIVE_PREFIX-image" -f value -c id >"$CF_TMP/made"
image=$(grep -oE '^[0-9a-f-]{36}$' "$CF_TMP/made")
project=$(osc token issue -f value -c project_id)
keystone=$(sed -n 's/^ *auth_url: //p' "$OS_CLIENT_CONFIG_FILE" | head -n 1)
role=$(lab_api GET 'keystone_url/roles?name=member' | jq -er '.roles[0].id')
# make_user NAME PASSWORD: an ordinary one, who may do in the project what its members may. Prints
# its id.
make_user() {
    local id
    id=$(lab_api POST keystone_url/users "{\"user\":{\"name\":\"$LIVE_PREFIX-$1\",
        \"domain_id\":\"default\",\"password\":\"$2\"}}" | jq -er .user.id)
    lab_api PUT "keystone_url/projects/$project/users/$id/roles/$role" >/dev/null
    (umask 077 && printf '%s\n' "  $1:" "    auth:" "      auth_url: $keystone" \
        "      username: $LIVE_PREFIX-$1" "      password: $2" "      project_id: $project" \
        "      user_domain_id: default" >>"$CF_TMP/clouds.yaml")
    echo "$id"
}
# mount_as NAME
mount_as() {
    OS_CLIENT_CONFIG_FILE=$CF_TMP/clouds.yaml OS_CLOUD=$1 live_mount -d "$1" "${options[@]}"
}
options=(ttl=1 patience=1 deadline=$((10 * CF_SLOW)))
good=fake-$RANDOM$RANDOM
password=$good # the present one
(umask 077 && echo "clouds:" >"$CF_TMP/clouds.yaml")
member_id=$(make_user member "$good")
revoked_id=$(make_user revoked "$good")
live_mount -d user "${options[@]}"
mount_as member
mount_as revoked
revoked=$PROFILE
R=$SERVERS/by-id/$server
for mounted in user member revoked; do
    ok "$mounted: the new server is there" test -d "$CF_TMP/$mounted/live/servers/by-id/$server"
    ok "$mounted: the new image is there" test -d "$CF_TMP/$mounted/live/images/by-id/$image"
done

section "a token that is revoked"
# set_password PASSWORD: which revokes all tokens of the user, also where it is the same. Returns when
# no service takes an old one any more, and new ones are good: Keystone goes by whole seconds, and one
# that is given in the same second is revoked, too.
set_password() {
    old_token=$(own_token "$password")
    password=$1
    lab_api PATCH "keystone_url/users/$revoked_id" "{\"user\":{\"password\":\"$1\"}}" >/dev/null
    ok "the old token is refused" wait_until 20 old_token_is_refused
    ok "a new one is taken" wait_until 20 new_token_is_good
    lab_forget_tokens
}
# own_token PASSWORD: a token of the user's, from Keystone itself. No secret is an argument of a program.
own_token() {
    printf '{"auth":{"identity":{"methods":["password"],"password":{"user":{"id":"%s","password":"%s"}}}}}' \
        "$revoked_id" "$1" | curl -sS -o "$CF_TMP/token" -D - -H 'Content-Type: application/json' -d @- \
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
# Nothing is under way when it is revoked: that would be refused, and come back with a token too early.
cat "$R/state" "$IMAGES/list.tsv" >"$CF_TMP/lists"
before=$(auths)
set_password "$good"
ok "a write goes through" write "$R/description" "after it"
is "$(($(auths) - before))" 1 "with one new token"
is "$(osc server show -f value -c description "$server")" "after it" "and is made"

section "credentials that are good no more"
read_on >"$CF_TMP/reader" 2>&1 &
reader=$!
set_password "fake-other"
is "$(live_errno "$R/description" "not made")" EKEYREJECTED "a write: EKEYREJECTED"
fails_so unauthorized "servers|images"
is "$(cat "$R/state")" running "reads go on"
set_password "$good"

section "glance down"
images_fail() {
    fails_so stale "images: .*([Rr]efused|connect)"
    is "$(cat "$I/name")" "$LIVE_PREFIX-image" "images can be read"
    is "$(live_errno "$I/name" "not made")" ECONNREFUSED "a write: ECONNREFUSED"
    like "$(cat "$I/last_error")" . "last_error says why"
    ok "servers can be changed" write "$S/description" "without images"
}
lab_stop glance
each images_fail

section "nova down, too"
servers_fail() {
    fails_so stale "servers: .*([Rr]efused|connect)"
    is "$(cat "$S/state") $(cat "$S/description")" "running without images" "servers can be read"
    is "$(live_errno "$S/power" off)" ECONNREFUSED "a write: ECONNREFUSED"
    like "$(cat "$S/last_error")" . "last_error says why"
}
all_recovers() {
    ok "all is well by itself" wait_until 60 read_until_ok "$PROFILE"
    ok "images can be changed" write "$I/name" "$LIVE_PREFIX-image again"
    ok "servers can be changed" write "$S/description" "again"
}
lab_stop nova
each servers_fail
ok "they are there again" lab_start
each all_recovers

section "keystone down"
token_lasts() { ok "its token is good for a while" write "$S/description" "by token"; }
tokens_fail() {
    fails_so stale "(servers|images): .*([Rr]efused|connect|HTTP status 50)"
    is "$(cat "$S/state")" running "reads go on"
    like "$(live_errno "$S/description" "not made")" '^(ECONNREFUSED|EREMOTEIO)$' \
        "a write: ECONNREFUSED, or EREMOTEIO where nova says so itself"
}
lab_stop keystone
each token_lasts
lab_forget_tokens # now nova asks keystone
each tokens_fail
# Where nothing else is: it covers what is there until it is given up.
mkdir "$CF_TMP/second"
status=0
cirrusfs mount -f -c "$CF_TMP/user.conf" -o deadline=3 live "$CF_TMP/second" \
    >"$CF_TMP/second.out" 2>&1 || status=$?
is "$status" 5 "another mount: unreachable"
ok "it is there again" lab_start
each all_recovers

section "credentials that are good again"
ok "all is well by itself" wait_until 60 read_until_ok "$revoked"
kill "$reader"
wait "$reader" || true
is "$(sort -u "$CF_TMP/reader" | xargs)" "active running" "whoever read all the while was served"
as revoked cf_umount
lab_api DELETE "keystone_url/users/$revoked_id"
as member cf_umount
lab_api DELETE "keystone_url/users/$member_id"
CF_SECTION=
