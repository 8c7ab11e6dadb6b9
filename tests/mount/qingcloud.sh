#!/usr/bin/env bash
# QingCloud on a mount, what only this cloud has: signed queries and a clock, tags by id under their
# names, jobs, images that were deleted, one code for two kinds of refusal.
# not under: tsan
# shellcheck disable=SC2016 # what is quoted is JSON
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/mount/cloud.bash
. "$(dirname "$0")/cloud.bash"
cf_need jq curl

export CIRRUSFS_SIM_SECRET_KEY=fake-secret-key

# start SERVERS IMAGES [OPTION…]: a cloud, and a mount of it.
start() {
    local servers=$1 images=$2
    shift 2
    cf_start_sim --dialect qingcloud --access-key FAKEKEY --servers "$servers" \
        --images "$images" --transition 200 "$@"
    rm -f "$CF_TMP/q.conf"
    config q fake-secret-key
}

# config NAME SECRET_KEY [LINE]: adds a profile.
config() {
    (
        umask 077
        {
            printf '[%s]\nprovider = qingcloud\nendpoint = %s/iaas/\nzone = pek3a\n' "$1" "$SIM_URL"
            printf 'access_key = FAKEKEY\nsecret_key = %s\nallow_delete = true\n%s\n' "$2" "${3-}"
        } >>"$CF_TMP/q.conf"
    )
}

enter() {
    cf_mount -c "$CF_TMP/q.conf" -p q ttl=3600
    cd "$PROFILE" || exit 1
}

stop() {
    cd / && cf_umount
    cf_stop_sim "$SIM_PID"
}

# by_action ACTION: how often the cloud was asked for it since forget_requests.
by_action() { sim GET /_sim/counters | jq -r ".by[\"$1\"] // 0"; }

# actions: the changes since forget_requests, in their order.
actions() { requests 'map(.route) | map(select(startswith("Describe") | not)) | join(" ")'; }

# fresh COLLECTION JSON: a record of which these fields are known.
fresh() { sim POST "/_sim/$1" "$2" >/dev/null; }

# write FILE LINE…: in one write.
write() {
    local file=$1
    shift
    printf '%s\n' "$@" | cat >"$file"
}

start 249 99
fresh servers '{"instance_id":"i-a","instance_name":"alpha","status":"running",
    "transition_status":"","description":null,"graphics_passwd":"fake-screen"}'
fresh images '{"image_id":"img-a","image_name":"golden","status":"available",
    "transition_status":"","provider":"self","visibility":"private","os_family":"plan9",
    "processor_type":"32bit","owner":"usr-x","platform":"linux","size":3}'
fresh images '{"image_id":"img-s","image_name":"theirs","status":"available",
    "transition_status":"","provider":"system","visibility":"public","tags":[]}'
fresh images '{"image_id":"img-c","image_name":"once","status":"ceased","transition_status":"",
    "provider":"self","visibility":"private"}'
enter

cf_section pages
ok "the mount's own first listing is over" wait_until 20 says health '^ok'
forget_requests
refresh
is "$(by_action DescribeInstances)" 3 "250 servers are three pages"
is "$(by_action DescribeImages)" 2 "102 images are two"
is "$(find servers/by-id -mindepth 1 -maxdepth 1 | wc -l)" 250 "all servers"
is "$(find images/by-id -mindepth 1 -maxdepth 1 | wc -l)" 102 "all images, the system's and one's own"
is "$(calls total)" 5 "and nothing else was asked"

cf_section images
is "$(cat images/by-os/plan9/golden/id)" img-a "by-os"
is "$(cat images/by-owner/usr-x/golden/id)" img-a "by-owner"
ok "by-arch" test -e images/by-arch/32bit/golden
ok "by-visibility" test -e images/by-visibility/private/golden
ok "by-status" test -e images/by-status/available/golden
is "$(cat images/by-provider/self/golden/id)" img-a "by-provider"
is "$(cat images/by-id/img-a/provider images/by-id/img-s/provider | tr '\n' ' ')" "self system " \
    "provider"
is "$(cat images/by-id/img-a/size)" 3221225472 "the size in bytes"
is "$(stat -c %a images/by-id/img-a/name images/by-id/img-s/name images/by-id/img-s/tags |
    tr '\n' ' ')" "644 444 444 " "only one's own can be changed"
is "$(cat images/by-id/img-c/state)" deleted "a ceased one is deleted"
is "$(find images -name 'once*' | sort)" "images/by-state/deleted/once~img-c" "and in no other view"
put "new words" images/by-id/img-a/description
put silver images/by-id/img-a/name
is "$(sim GET /_sim/images/img-a | jq -r '.image_name + "|" + .description')" "silver|new words" \
    "a new name, a new description"
put mine images/by-id/img-a/tags
is "$(sim GET /_sim/images/img-a/tags | jq -c .)" '["mine"]' "tags of an image"
setting '{"image_tagging":false}'
cmd_fails_with "not supported" put other images/by-id/img-a/tags
setting '{"image_tagging":true}'
put img-a images/by-id/img-a/delete
ok "is deleted, and still listed" wait_until 20 reads images/by-id/img-a/state deleted
ok "where it belongs" test -e images/by-state/deleted/silver~img-a

cf_section tags
write servers/by-id/i-a/tags zwei eins 测试
is "$(cat servers/by-id/i-a/tags)" "$(printf 'eins\nzwei\n测试')" "a set, sorted"
is "$(sim GET /_sim/servers/i-a/tags | jq -c sort)" '["eins","zwei","测试"]' "in the cloud too"
forget_requests
write servers/by-id/i-a/tags eins drei
is "$(actions)" "CreateTag AttachTags DetachTags" "only the difference is sent"
forget_requests
put drei servers/by-id/i-a/tags
is "$(actions)" DetachTags "what goes needs no more"
forget_requests
cmd_fails_with "name too long" put fifteen-letters servers/by-id/i-a/tags
is "$(actions)" "" "too long a tag is not even sent"
put "" servers/by-id/i-a/tags
is "$(sim GET /_sim/servers/i-a/tags | jq -c .)" '[]' "none"

cf_section "names and descriptions"
put "web 01+测试~*" servers/by-id/i-a/name
put "a=b&c:d" servers/by-id/i-a/description
is "$(sim GET /_sim/servers/i-a | jq -r '.instance_name + "|" + .description')" \
    "web 01+测试~*|a=b&c:d" "arrive as they are"
forget_requests
put "$(head -c 3900 /dev/zero | tr '\0' x)" servers/by-id/i-a/description
is "$(requests 'map(select(.route == "ModifyInstanceAttributes")) | last | .method')" POST \
    "a long one is a form"
put "" servers/by-id/i-a/description
is "$(sim GET /_sim/servers/i-a | jq -r .description)" "" "an empty one clears"

cf_section console
put vnc servers/by-id/i-a/console
like "$(head -1 servers/by-id/i-a/console_url)" '^vnc://[0-9.]+:[0-9]+$' "broker and port"
is "$(sed -n 2p servers/by-id/i-a/console_url)" fake-screen "the password behind it"
ok "nowhere else" test -z "$(grep -rF fake-screen servers/by-id/i-a/raw servers/by-id/i-a/raw.json \
    servers/list.jsonl journal.jsonl events.jsonl ../.cirrusfs/log "$DAEMON_LOG")"

cf_section power
cmd_fails_with "resource busy" put "of a running one" servers/by-id/i-a/capture
like "$(cat servers/by-id/i-a/last_error)" '^1400: ' "the cloud's words"
put off servers/by-id/i-a/power
is "$(requests 'map(.path) | map(select(contains("StopInstances") and contains("force=0"))) |
    length')" 1 "off asks the system on it to stop"
ok "stops" wait_until 20 reads servers/by-id/i-a/state stopped
write servers/by-id/i-a/capture "made here" "some words"
made=$(cat servers/by-id/i-a/captured)
is "$(sim GET "/_sim/images/$made" | jq -r '.image_name + "|" + .description')" \
    "made here|some words" "an image with its description"
ok "settles" wait_until 20 reads servers/by-id/i-a/state stopped
put on servers/by-id/i-a/power
ok "starts" wait_until 20 reads servers/by-id/i-a/state running
put reboot servers/by-id/i-a/power
ok "reboots" wait_until 20 reads servers/by-id/i-a/state running
sim PATCH /_sim/servers/i-a '{"$flags":{"foreign":true}}' >/dev/null
cmd_fails_with "Permission denied" put off servers/by-id/i-a/power
like "$(cat servers/by-id/i-a/last_error)" '^1400: ' "the same code, another meaning"
sim PATCH /_sim/servers/i-a '{"$flags":{"foreign":false}}' >/dev/null

cf_section jobs
sim POST /_sim/faults '{"kind":"job","match":"StopInstances","count":1}' >/dev/null
put "off hard" servers/by-id/i-a/power
ok "one that fails is told" wait_until 20 says servers/by-id/i-a/last_error 'StopInstances: job .* failed'
ok "and it runs on" wait_until 20 reads servers/by-id/i-a/state running

cf_section "too often"
sim POST /_sim/faults '{"kind":"code","match":"RestartInstances","code":"2500",
    "message":"QuotasExceeded, too many API requests","count":1}' >/dev/null
forget_requests
put reboot servers/by-id/i-a/power
is "$(by_action RestartInstances)" 2 "a change that was refused so goes again"
sim POST /_sim/faults '{"kind":"code","match":"RestartInstances","code":"5000",
    "message":"InternalError","count":1}' >/dev/null
ok "settles" wait_until 20 reads servers/by-id/i-a/state running
forget_requests
cmd_fails_with "Remote I/O error" put reboot servers/by-id/i-a/power
is "$(by_action RestartInstances)" 1 "another one never"

cf_section clock
cf_expect_log "clock here and the cloud's differ"
setting '{"clock_skew_s":7200}'
refresh
like "$(cat health)" '^ok' "is set right by the answer's Date"
stop

cf_section "a wrong key, a role"
start 3 1 --token fake.role.token
config bad fake-wrong
config role fake-secret-key "token = fake.role.token"
cf_expect_log 'ret_code 1200'
cf_mount -c "$CF_TMP/q.conf"
cmd_fails_with "Key was rejected" ls "$MNT/bad/servers/by-id"
like "$(cat "$MNT/bad/health")" '^unauthorized .*1200' "health says so"
is "$(find "$MNT/q/servers/by-id" -mindepth 1 -maxdepth 1 | wc -l)" 3 "another works"
is "$(find "$MNT/role/servers/by-id" -mindepth 1 -maxdepth 1 | wc -l)" 3 "with a role's token, too"
like "$(cat "$MNT/role/endpoint")" '/iam/$' "which has a path of its own"
ok "no secret is shown" test -z "$(grep -rF -e fake-wrong -e fake-secret -e fake.role \
    "$MNT/.cirrusfs" "$MNT"/*/*.jsonl "$DAEMON_LOG")"
