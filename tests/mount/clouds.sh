#!/usr/bin/env bash
# Three clouds under one mount: one tree, one script for all, as many requests as there are pages,
# and a profile with a wrong key that is the only one to suffer from it.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
cf_need jq curl

CLOUDS=(inspur qingcloud ucloudstack)
declare -A URL
declare -A SERVERS=([inspur]=101 [qingcloud]=250 [ucloudstack]=300)
declare -A IMAGES=([inspur]=100 [qingcloud]=101 [ucloudstack]=230)
declare -A LIST_SERVERS=(
    [inspur]="GET /v1/servers/{page}/{size}"
    [qingcloud]=DescribeInstances
    [ucloudstack]=DescribeVMInstance
)
declare -A LIST_IMAGES=(
    [inspur]="GET /v1/images"
    [qingcloud]=DescribeImages
    [ucloudstack]=DescribeImage
)

KEY=FAKEACCESSKEY
SECRET=fake-secret-for-tests

# start CLOUD [ARGUMENTS…]: a simulated one.
start() {
    cf_start_sim --dialect "$1" --access-key "$KEY" --secret-key "$SECRET" --transition 300 "${@:2}"
    # What ran stands still, all else runs: every server is in one of two states.
    sim POST /_sim/servers/touch '{"fraction":1}' >/dev/null
}

# profile NAME CLOUD [SECRET]: lines for the present simulator.
profile() {
    printf '[%s]\nprovider = %s\n' "$1" "$2"
    case $2 in
    inspur) printf '%s\n' "endpoint = $SIM_URL" "auth = token" "token = ${3:-$CF_TOKEN}" ;;
    qingcloud)
        printf '%s\n' "endpoint = $SIM_URL/iaas/" "zone = pek3a" "access_key = $KEY" \
            "secret_key = ${3:-$SECRET}"
        ;;
    ucloudstack)
        printf '%s\n' "endpoint = $SIM_URL/api" "region = cn" "public_key = $KEY" \
            "private_key = ${3:-$SECRET}"
        ;;
    esac
}

# at CLOUD: sim speaks to that one from now on.
at() { SIM_URL=${URL[$1]}; }

# requests CLOUD ROUTE|total
requests() {
    at "$1"
    sim GET /_sim/counters | jq --arg route "$2" 'if $route == "total" then .total else .by[$route] // 0 end'
}

forget_requests() {
    local cloud
    for cloud in "${CLOUDS[@]}"; do
        at "$cloud"
        sim DELETE /_sim/counters >/dev/null
    done
}

# running_there CLOUD: how many servers run, in the cloud's own words.
running_there() {
    at "$1"
    sim GET /_sim/servers |
        jq '[.[] | .State // .status | strings | ascii_downcase | select(. == "active" or . == "running")] | length'
}

health() { cut -d' ' -f1 "$MNT/$1/health"; }
is_well() { [ "$(health "$1")" == ok ]; }
entries() { find "$1" -mindepth 1 -maxdepth 1 | wc -l; }
first_stopped() { find "$MNT/$1/servers/by-state/stopped" -mindepth 1 | sort | sed -n 1p; }

umask 077
for cloud in "${CLOUDS[@]}"; do
    start "$cloud" --servers "${SERVERS[$cloud]}" --images "${IMAGES[$cloud]}"
    URL[$cloud]=$SIM_URL
    profile "$cloud" "$cloud" >>"$CF_TMP/config"
    profile "wrong-$cloud" "$cloud" fake-wrong-secret >>"$CF_TMP/config-wrong"
done
cat "$CF_TMP/config" >>"$CF_TMP/config-wrong"

cf_section "one tree"
forget_requests
cf_mount ttl=3600 rate=0
is "$(ls "$MNT")" "$(printf '%s\n' "${CLOUDS[@]}")" "a directory for each profile"
for cloud in "${CLOUDS[@]}"; do
    is "$(cat "$MNT/$cloud/provider")" "$cloud" "$cloud says which it is"
    is "$(entries "$MNT/$cloud/servers/by-id")" "${SERVERS[$cloud]}" "$cloud has its servers"
    is "$(entries "$MNT/$cloud/images/by-id")" "${IMAGES[$cloud]}" "$cloud has its images"
    ok "$cloud is well" wait_until 5 is_well "$cloud"
done
grep -l running "$MNT"/*/servers/by-id/*/state >"$CF_TMP/running"
for cloud in "${CLOUDS[@]}"; do
    is "$(grep -c "^$MNT/$cloud/" "$CF_TMP/running")" "$(running_there "$cloud")" \
        "grep -l running finds what runs in $cloud"
done

# pages_are_asked WHAT: since the requests were forgotten, each page once and nothing else.
pages_are_asked() {
    local cloud server_pages image_pages
    for cloud in "${CLOUDS[@]}"; do
        server_pages=$(((SERVERS[$cloud] + 99) / 100))
        image_pages=$(((IMAGES[$cloud] + 99) / 100))
        is "$(requests "$cloud" "${LIST_SERVERS[$cloud]}")" "$server_pages" "$1: server pages of $cloud"
        is "$(requests "$cloud" "${LIST_IMAGES[$cloud]}")" "$image_pages" "$1: image pages of $cloud"
        is "$(requests "$cloud" total)" $((server_pages + image_pages)) "$1: no more requests to $cloud"
    done
}

cf_section "requests"
pages_are_asked "the first look"
forget_requests
find "$MNT" -path "$MNT/.cirrusfs" -prune -o -name refresh -prune -o -print >/dev/null
grep -rhs running "$MNT"/*/servers/by-state >/dev/null || true
cat "$MNT"/*/*/list.tsv "$MNT"/*/servers/by-id/*/power >/dev/null
for cloud in "${CLOUDS[@]}"; do
    is "$(requests "$cloud" total)" 0 "none within the ttl to $cloud"
done
for cloud in "${CLOUDS[@]}"; do
    echo 1 >"$MNT/$cloud/refresh"
done
pages_are_asked "a refresh"

# act_on PROFILE: what a script does to a stopped server, in the same words on every cloud.
act_on() {
    local dir image
    dir=$MNT/$1/servers/by-id/$(cat "$(first_stopped "$1")/id")
    ok "$1: capture" bash -c "echo golden >'$dir/capture'"
    image=$MNT/$1/images/by-id/$(cat "$dir/captured")
    ok "$1: the image becomes available" wait_until 20 reads "$image/state" available
    is "$(cat "$image/name")" golden "$1: the image has its name"
    # It may still be held for the copy.
    ok "$1: on" wait_until 20 bash -c "echo on >'$dir/power'"
    ok "$1: it runs" wait_until 20 reads "$dir/state" running
    ok "$1: reboot" bash -c "echo reboot >'$dir/power'"
    ok "$1: it runs again" wait_until 20 reads "$dir/state" running
    ok "$1: off" bash -c "echo off >'$dir/power'"
    ok "$1: it stands still" wait_until 20 reads "$dir/state" stopped
    is "$(cat "$dir/last_error")" "" "$1: no error is left"
}

cf_section "one script"
for cloud in "${CLOUDS[@]}"; do
    act_on "$cloud"
done
cf_umount

cf_section "a wrong key"
for cloud in "${CLOUDS[@]}"; do
    at "$cloud"
    sim POST /_sim/clock '{"advance_ms":60000}' >/dev/null
done
cf_mount -c "$CF_TMP/config-wrong" ttl=3600 rate=0
for cloud in "${CLOUDS[@]}"; do
    is "$(health "wrong-$cloud")" unauthorized "wrong-$cloud says so"
    cmd_fails_with "Key was rejected" ls "$MNT/wrong-$cloud/servers/by-id"
    is "$(entries "$MNT/$cloud/servers/by-id")" "${SERVERS[$cloud]}" "$cloud has its servers beside it"
    is "$(entries "$MNT/$cloud/images/by-id")" $((IMAGES[$cloud] + 1)) "$cloud has its images beside it"
    ok "$cloud is well beside it" wait_until 5 is_well "$cloud"
    like_not "$(cat "$MNT/wrong-$cloud/health" "$DAEMON_LOG")" fake-wrong-secret "the secret is not told"
done
forget_requests
for cloud in "${CLOUDS[@]}"; do
    dir=$MNT/$cloud/servers/by-id/$(cat "$(first_stopped "$cloud")/id")
    ok "$cloud: on" bash -c "echo on >'$dir/power'"
    ok "$cloud: it runs" wait_until 20 reads "$dir/state" running
done
cf_umount

cf_section "the first generation of UCloudStack"
start ucloudstack --api-version 1 --servers 130 --images 12
{ profile first ucloudstack && echo "dialect = 1"; } >"$CF_TMP/config-first"
cf_mount -c "$CF_TMP/config-first" rate=0
is "$(entries "$MNT/first/servers/by-id")" 130 "its servers"
is "$(entries "$MNT/first/images/by-id")" 12 "its images"
act_on first
