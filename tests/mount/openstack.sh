#!/usr/bin/env bash
# OpenStack on a mount, what only this cloud has: pages by marker, listings of changes, tags that
# change nothing, tokens, versions, locks, pages of HTML, cells that are down.
# begins early
# not under: tsan
# shellcheck disable=SC2016 # the administrator's words
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/mount/cloud.bash
. "$(dirname "$0")/cloud.bash"
cf_need jq curl
CF_DIALECT=openstack

# route ROUTE: how often it was called since forget_requests.
route() { sim GET /_sim/counters | jq --arg route "$1" '.by[$route] // 0'; }

# add ID [JSON], patch ID JSON: a server in the cloud.
add() {
    sim POST /_sim/servers "$(jq -cn --arg id "$1" --argjson more "${2:-{\}}" \
        '{id: $id, name: $id, status: "ACTIVE"} + $more')" >/dev/null
}
patch() { sim PATCH "/_sim/servers/$1" "$2" >/dev/null; }
add_image() {
    sim POST /_sim/images "$(jq -cn --arg id "$1" --argjson more "${2:-{\}}" \
        '{id: $id, name: $id} + $more')" >/dev/null
}

# fetched_after TIME: the listing that is shown is another one; for wait_until.
fetched_after() { [ "$(cat servers/fetched)" != "$1" ]; }

# in_tags ID TAG: for wait_until.
in_tags() { grep -qx "$2" "servers/by-id/$1/tags"; }

# not_there FILE: absent, or only to be read.
not_there() {
    if [ -e "$1" ]; then
        is "$(stat -c %a "$1")" 444 "${1##*/} can only be read"
    else
        pass "there is no ${1##*/}"
    fi
}

# mount_at VERSION [OPTION…]: a mount of the cloud as it is at compute version 2.VERSION.
mount_at() {
    local version=$1
    shift
    setting "{\"microversion\":$version}"
    forget_requests
    cf_mount -d "at-$version" ttl=300 patience=30 rate=0 "$@"
    cd "$PROFILE"
    ok "is healthy at 2.$version" wait_until 20 says health '^ok '
}
leave() {
    cd /
    cf_umount
}

cf_start_sim --servers 200 --images 100 --transition 200
cf_config
add one
add two
for n in {1..98}; do add "more-$n"; done
cf_mount ttl=1 max_stale=3600 patience=30 rate=0 page_size=100 allow_delete
cd "$PROFILE"
ok "is healthy" wait_until 20 says health '^ok '

cf_section pages
forget_requests
ok "a refresh" refresh
is "$(route servers.list)" 4 "300 servers, 100 a page: a full page is not the last one"
is "$(route images.list)" 2 "100 images likewise"
is "$(find servers/by-id -mindepth 1 -maxdepth 1 | wc -l)" 300 "all of them are there"

cf_section changes
forget_requests
fetched=$(cat servers/fetched)
begin_s=$SECONDS
ok "after the ttl there is another listing" wait_until 10 fetched_after "$fetched"
n=$(route servers.list)
at_most "$n" $((SECONDS - begin_s + 2)) "one call each, one a second"
at_most 1 "$n" "there was one"
is "$(requests 'map(select(.route == "servers.list" and (.path | contains("changes-since=") | not))) | length')" \
    0 "all of them ask for changes"
patch one '{"status":"SHUTOFF"}'
ok "a change shows" wait_until 10 reads servers/by-id/one/state stopped
add three
ok "a new one shows" wait_until 10 test -d servers/by-id/three
sim DELETE /_sim/servers/more-1 >/dev/null
ok "one that was deleted goes" wait_until 10 is_gone servers/by-id/more-1
is "$(requests 'map(select(.route == "servers.list" and (.path | contains("changes-since=") | not))) | length')" \
    0 "nothing else was asked for"
is "$(find servers/by-id -mindepth 1 -maxdepth 1 | wc -l)" 300 "all others are there"

cf_section "tags that somebody else changes"
old=$(sim GET /_sim/servers | jq -r '.[0].id') # changed years ago
tags=$(cat "servers/by-id/$old/tags")
sim PUT "/_sim/servers/$old/tags" '["theirs"]' >/dev/null
fetched=$(cat servers/fetched)
ok "the listing of changes" wait_until 10 fetched_after "$fetched"
is "$(cat "servers/by-id/$old/tags")" "$tags" "does not tell of them"
main=$MNT
cf_mount -d stale ttl=1 max_stale=3 patience=30 rate=0
cd "$PROFILE"
is "$(cat "servers/by-id/$old/tags")" theirs "a whole listing does"
sim PUT "/_sim/servers/$old/tags" '["ours"]' >/dev/null
ok "within max_stale there is one" wait_until 15 in_tags "$old" ours
cd /
cf_umount
MNT=$main PROFILE=$main/sim
cd "$PROFILE"
ok "a refresh that is asked for is one" refresh
is "$(cat "servers/by-id/$old/tags")" ours "and shows them"

cf_section tokens
sim POST /_sim/tokens/revoke '{}' >/dev/null
forget_requests
ok "a revoked one is renewed" put now servers/by-id/two/raw/refresh
is "$(route token)" 1 "once"
like "$(cat health)" '^ok ' "and nobody is told"

cf_section refusals
patch two '{"locked":true}'
ok "the lock shows" wait_until 10 reads servers/by-id/two/lock 1
write_fails_with "Device or resource busy" off servers/by-id/two/power
like "$(cat servers/by-id/two/last_error)" "Instance two is locked" "Nova's own words"
add_image kept '{"protected":true}'
# shellcheck disable=SC2016 # JSON
add_image used '{"$flags":{"failing":true}}'
ok "a refresh" refresh
write_fails_with "Device or resource busy" kept images/by-id/kept/delete
like "$(cat images/by-id/kept/last_error)" "Image kept is protected and cannot be deleted" "Glance's own words"
write_fails_with "Device or resource busy" used images/by-id/used/delete
like "$(cat images/by-id/used/last_error)" "because it is in use" "Glance's own words"
like_not "$(cat images/by-id/kept/last_error images/by-id/used/last_error)$(journal 'map(select(.kind == "action") | .message)')" "<[a-z/]" "without its HTML"
public=$(basename "$(find images/by-visibility/public -type l -printf '%l\n' -quit)")
theirs=images/by-id/$public
is "$(stat -c %a "$theirs/name") $(stat -c %a "$theirs/tags")" "444 444" "another project's image can only be read"
ok "it has no file to delete it" test ! -e "$theirs/delete"
theirs_is_kept() {
    sim GET "/_sim/images/$public" | jq -c '[.name, .description, (.tags | sort), .status]'
}
kept=$(theirs_is_kept)
# refused_by_cloud NAME CALLS COMMAND…: with Glance's own words, after so many calls that change.
refused_by_cloud() {
    local name="another project's image: $1" n=$2
    forget_requests
    cf_fails_with "Permission denied" "$name" "${@:3}"
    is "$(calls changes)" "$n" "$name: asked once"
    like "$(cat "$theirs/last_error")" "You do not own this image" "$name: Glance's own words"
    is "$(theirs_is_kept)" "$kept" "$name: it is as it was"
}
# over FILE VALUE: as an editor does it, whom the modes of files do not stop.
over() {
    printf '%s\n' "$2" >"$1.new"
    mv -f "$1.new" "$1"
}
refused_by_cloud "a name put over its own" 1 over "$theirs/name" mine
refused_by_cloud "tags put over its own" 1 over "$theirs/tags" mine
if [ "$EUID" -eq 0 ]; then
    refused_by_cloud "its name, written by root" 1 put mine "$theirs/name"
    refused_by_cloud "its tags, written by root" 1 put mine "$theirs/tags"
    forget_requests
    write_fails_with "Permission denied" mine "$theirs/owner"
    is "$(calls changes)" 0 "what no cloud changes is not asked for"
else
    skip "another project's image: written by root" "only root passes the mode"
fi
forget_requests
write_fails_with "Remote I/O error" "$public" images/delete
is "$(calls changes)" 1 "another project's image: deleting it is asked for once"
like "$(cat images/last_error)" "^${public}[[:space:]].*[[:space:]]Forbidden[[:space:]]You do not own" \
    "another project's image: what Glance says is told of the batch"
is "$(theirs_is_kept)" "$kept" "another project's image: it is still there"
own=$(cat images/by-id/kept/owner)
leave

cf_section "a role that is given and taken"
mount_at 93
is "$(stat -c %a "$theirs/name")" 444 "another project's image can only be read"
# becomes true|false: the account an administrator, as its next token tells.
becomes() {
    setting "{\"admin\":$1}"
    sim POST /_sim/tokens/revoke '{}' >/dev/null
    ok "a refresh" refresh
}
becomes true
is "$(stat -c %a "$theirs/name")" 644 "an administrator can write it, though nothing of it has changed"
becomes false
is "$(stat -c %a "$theirs/name")" 444 "who is none any more cannot"
leave

cf_section "what the cloud lets be done all the same"
mount_at 93 # looks once: to it the image stays another project's
is "$(stat -c %a "$theirs/name")" 444 "it is another project's"
sim PATCH "/_sim/images/$public" "$(jq -n --arg owner "$own" '{owner: $owner}')" >/dev/null
ok "a name put over its own" over "$theirs/name" allowed
is "$(sim GET "/_sim/images/$public" | jq -r .name)" allowed "is so in the cloud"
is "$(cat "$theirs/name")" allowed "and is shown"
leave

cf_section "older versions"
for version in 1 18 25 46; do
    cf_section "2.$version"
    mount_at "$version"
    like "$(cat servers/by-id/three/vcpus) $(cat servers/by-id/three/ram_mb)" '^[1-9][0-9]* [1-9][0-9]+$' "vcpus and ram_mb"
    like "$(cat servers/by-id/three/flavor)" '^m1\.' "the flavour has its name"
    ok "a name can be changed" put "named-$version" servers/by-id/three/name
    is "$(sim GET /_sim/servers/three | jq -r .name)" "named-$version" "and is so in the cloud"
    if [ "$version" -lt 19 ]; then
        not_there servers/by-id/three/description
    else
        ok "a description can be written" put "words $version" servers/by-id/three/description
    fi
    if [ "$version" -lt 26 ]; then
        not_there servers/by-id/three/tags
    else
        ok "tags can be written" put "tag-$version" servers/by-id/three/tags
    fi
    ok "one list of flavours tells it" test "$(route flavors.list) $(route flavor.show)" = "1 0"
    ok "the images are listed" test "$(find images/by-id -mindepth 1 -maxdepth 1 | wc -l)" -ge 100
    ok "a console" put novnc servers/by-id/three/console
    like "$(cat servers/by-id/three/console_url)" '^http.*token' "has an address"
    ok "an image can be made" put "image-$version" servers/by-id/three/capture
    like "$(cat servers/by-id/three/captured)" '^[0-9a-f]{8}-' "its id is known"
    ok "it becomes available" wait_until 15 reads "images/by-id/$(cat servers/by-id/three/captured)/state" available
    leave
done

# down told|skipped: 40 servers of 300 are in a cell that does not answer; then it does again.
down() {
    local id dir=servers/by-id/more-2
    setting "{\"down_cells\":\"$1\"}"
    is "$(cat $dir/state)" running "it runs"
    for id in more-{2..41}; do patch "$id" '{"$flags":{"apart":true}}'; done
    refresh || true
    is "$(find servers/by-id -mindepth 1 -maxdepth 1 | wc -l)" "$n" "all of them are still there"
    [ "$1" = skipped ] || is "$(cat $dir/state)" unknown "nobody knows what it does"
    ok "it is looked at" put now "$dir/raw/refresh"
    is "$(cat $dir/state) $(cat $dir/name)" "unknown more-2" "nothing but its state is lost"
    like "$(cat $dir/vcpus) $(cat $dir/created)" '^[0-9]+ 20' "its size, its time"
    like "$(cat $dir/raw.json)" '"addresses"' "what was known stays"
    for id in more-{2..41}; do patch "$id" '{"$flags":{"apart":false}}'; done
    ok "a refresh" refresh
    is "$(cat $dir/state)" running "the cell is back, and it runs"
}

cf_section "a cell is down"
mount_at 93 page_size=100
n=$(find servers/by-id -mindepth 1 -maxdepth 1 | wc -l)
for kind in told skipped; do
    cf_section "a cell is down, $kind"
    down "$kind"
done
leave
