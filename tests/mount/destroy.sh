#!/usr/bin/env bash
# No recursive tool destroys: neither images nor tags nor the power of servers, with every permission
# given. Contract sections 1 and 3.
# begins early
# not under: tsan
# shellcheck disable=SC2016 # the inner shells'
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=cloud.bash
. "$(dirname "$0")/cloud.bash"
cf_need jq curl python3

cf_start_sim --servers 4 --images 4 --transition 60000
plain_world 1
setting '{"freeze":true}'
mapfile -t servers < <(sim GET /_sim/servers | jq -r '.[].id' | sort)
mapfile -t private < <(sim GET /_sim/images | jq -r '.[] | select(.visibility == "private") | .id' | sort)
one=${servers[0]} two=${servers[1]}
for id in "${servers[@]}"; do
    sim PUT "/_sim/servers/$id/tags" '["db","prod"]' >/dev/null
done
# cloud: all that could be harmed
cloud() {
    local id
    sim GET /_sim/servers | jq -c 'sort_by(.id) | .[] | [.id, .name, .status]'
    for id in "${servers[@]}"; do
        sim GET "/_sim/servers/$id/tags" | jq -c sort
    done
    sim GET /_sim/images | jq -c 'sort_by(.id) | .[] | [.id, .name, .description, .status]'
}
image_ids() { sim GET /_sim/images | jq -r '.[].id' | sort; }
by_route() { sim GET /_sim/counters | jq -r --arg r "$1" '[.by | to_entries[] | select(.key | test($r)) | .value] | add // 0'; }

# A backup, as the manual says: of a mount that is ro, where the files that only act are not there.
cf_mount -d ro ro ttl=600 rate=0
for id in "${servers[@]}"; do
    cat "$PROFILE/servers/by-id/$id/tags" >/dev/null
done
mkdir "$CF_TMP/backup"
cp -a "$PROFILE/." "$CF_TMP/backup"
is "$(find "$CF_TMP/backup/servers/by-id" -name power | wc -l)" 4 "there is a backup"
is "$(cat "$CF_TMP/backup/servers/by-id/$one/tags")" $'db\nprod' "with the tags"
cf_umount

cf_mount allow_delete ttl=600 tags_ttl=600 rate=0
for id in "${servers[@]}"; do
    cat "$PROFILE/servers/by-id/$id/tags" >/dev/null
done
ok "images can be deleted" test -e "$PROFILE/images/by-id/${private[0]}/delete"
before=$(cloud)
images=$(image_ids)
forget_requests

# harmless NAME COMMAND…: whatever it says, the cloud does not hear of it.
harmless() {
    local failed=$CF_FAILED
    cf_section "$1"
    timeout $((60 * CF_SLOW)) "${@:2}" >"$CF_TMP/out" 2>&1 </dev/null || true
    ok "it complains" test -s "$CF_TMP/out"
    is "$(calls changes)" 0 "no change call"
    is "$(cloud)" "$before" "the cloud is as it was"
    is "$(cat "$PROFILE/servers/by-id/$one/tags")" $'db\nprod' "so is the mount"
    cf_conform "$1" destroys "$([ "$CF_FAILED" -eq "$failed" ] && echo nothing || echo something)"
}
mkdir "$CF_TMP/empty" "$CF_TMP/trash"
harmless "rm -rf of a profile" rm -rf "$PROFILE"
harmless "rm -rf of the mount's files" bash -c 'rm -rf "$1"/* "$1"/.cirrusfs' - "$MNT"
harmless "rm -rf of one image" rm -rf "$PROFILE/images/by-id/${private[0]}"
harmless "find -delete" find "$PROFILE" -delete
harmless "find -exec rm" find "$PROFILE/images/by-id" -type f -exec rm -f '{}' +
harmless "shutil.rmtree" python3 -c 'import shutil, sys
shutil.rmtree(sys.argv[1], onerror=lambda f, p, e: print(e[1]))' "$PROFILE"
harmless "mv into a trash" mv "$PROFILE/servers/by-id/$one" "$PROFILE/images" "$CF_TMP/trash"
harmless "rename of a directory" mv -T "$PROFILE/images/by-id/${private[0]}" "$PROFILE/images/by-id/x"
if command -v busybox >/dev/null; then
    harmless "busybox rm -rf" busybox rm -rf "$PROFILE"
fi
if command -v gio >/dev/null; then
    harmless "gio trash" gio trash "$PROFILE/images/by-id/${private[0]}/name" "$PROFILE/servers/by-id/$one"
else
    cf_absent "gio trash" "there is no gio here"
fi
if command -v rsync >/dev/null; then
    harmless "rsync --delete of nothing" rsync -a --delete "$CF_TMP/empty/" "$PROFILE/"
    harmless "rsync --delete --inplace of nothing" rsync -a --delete --inplace --force "$CF_TMP/empty/" "$PROFILE/images/"
fi
if command -v git >/dev/null; then
    cf_section "git"
    git init -q --bare "$CF_TMP/git"
    gitc() { git --git-dir="$CF_TMP/git" --work-tree="$PROFILE/servers/by-id/$one" "$@"; }
    harmless "git clean -fdx" gitc clean -fdx
fi

cf_section "truncating everything"
find "$PROFILE/" -type f -perm -u+w -exec truncate -s 0 '{}' + >"$CF_TMP/out" 2>&1 || true
find "$PROFILE/" -type f -exec cp /dev/null '{}' \; >"$CF_TMP/out" 2>&1 || true
is "$(calls changes)" 0 "no change call"
is "$(cloud)" "$before" "the cloud is as it was"

command -v rsync >/dev/null || exit 0

# What was changed after the backup: two servers' power and one's tags, an image's name.
sim PATCH "/_sim/servers/$two" '{"status":"SHUTOFF"}' >/dev/null
sim PUT "/_sim/servers/$two/tags" '["db","newer","prod"]' >/dev/null
sim PATCH "/_sim/images/${private[0]}" '{"name":"newer-name"}' >/dev/null
echo >"$PROFILE/servers/by-id/$one/tags"
refresh
old_name=$(cat "$CF_TMP/backup/images/by-id/${private[0]}/name")
: >"$CF_TMP/backup/servers/by-id/${servers[2]}/tags" # as of a server that had none then
forget_requests

cf_section "a restored backup"
timeout $((120 * CF_SLOW)) rsync -a "$CF_TMP/backup/" "$PROFILE/" >"$CF_TMP/out" 2>&1 || true
is "$(image_ids)" "$images" "no image is gone"
is "$(by_route '^DELETE|/action')" 0 "nothing was deleted, started or stopped"
is "$(sim GET "/_sim/servers/$two" | jq -r .status)" SHUTOFF "a server that was stopped since stays so"
is "$(sim GET "/_sim/images/${private[0]}" | jq -r .name)" "$old_name" "a name is what it was then"
is "$(sim GET "/_sim/servers/${servers[2]}/tags" | jq -c sort)" '["db","prod"]' "an empty file takes no tags away"
is "$(find "$PROFILE/servers/by-id" "$PROFILE/images/by-id" -name '.*' | wc -l)" 0 "no temporary file is left"
at_most "$(calls changes)" 4 "not more change calls than files that differed"
timeout $((120 * CF_SLOW)) rsync -a "$CF_TMP/backup/" "$PROFILE/" >"$CF_TMP/out" 2>&1 || true
is "$(by_route '^DELETE|/action')" 0 "again: nothing was deleted, started or stopped"
is "$(image_ids)" "$images" "no image is gone"

# These write, to power too, as anybody may. action_limit bounds what they start, stop and rename.
cf_section "a backup restored in place"
cf_umount
cf_mount allow_delete action_limit=1 ttl=600 rate=0
sim PATCH "/_sim/servers/${servers[3]}" '{"status":"SHUTOFF"}' >/dev/null
refresh
forget_requests
timeout $((120 * CF_SLOW)) rsync -a --inplace "$CF_TMP/backup/" "$PROFILE/" >"$CF_TMP/out" 2>&1 || true
ok "rsync complains" test -s "$CF_TMP/out"
timeout $((120 * CF_SLOW)) cp -a "$CF_TMP/backup/." "$PROFILE/" >"$CF_TMP/out" 2>&1 || true
like "$(cat "$CF_TMP/out")" 'Disk quota exceeded' "cp is told of the limit"
is "$(image_ids)" "$images" "no image is gone"
is "$(by_route ^DELETE)" 0 "nothing was deleted"
at_most "$(by_route /action)" 1 "not more than action_limit is started or stopped"
is "$(sim GET "/_sim/servers/${servers[2]}/tags" | jq -c sort)" '["db","prod"]' "an empty file takes no tags away"

# with_time N: so many a minute, for the minutes since the mount began.
with_time() { echo $(($1 * (1 + (SECONDS - begun) / 60))); }

cf_section "edit_views"
cf_umount
for id in "${servers[@]}"; do
    sim PUT "/_sim/servers/$id/tags" '["a","b","c","db","e","prod"]' >/dev/null
done
cf_mount allow_delete edit_views ttl=600 tags_ttl=600 rate=0
begun=$SECONDS
for id in "${servers[@]}"; do
    cat "$PROFILE/servers/by-id/$id/tags" >/dev/null
done
is "$(find "$PROFILE/servers/by-tag" -type l | wc -l)" 24 "there are links to remove"
before=$(sim GET /_sim/servers | jq -c 'sort_by(.id) | map([.id, .name, .status])')
forget_requests
run() { timeout $((60 * CF_SLOW)) "$@" >"$CF_TMP/out" 2>&1 </dev/null || true; }
run rm -rf "$PROFILE/servers/by-tag"
is "$(by_route /tags)" "$((2 * $(calls changes)))" "tags are all that rm -rf changes, each after a look"
at_most "$(calls changes)" "$(with_time 10)" "ten a minute"
run rm -rf "$PROFILE"
run find "$PROFILE" -delete
run python3 -c 'import shutil, sys; shutil.rmtree(sys.argv[1], ignore_errors=True)' "$PROFILE"
run rsync -a --delete "$CF_TMP/empty/" "$PROFILE/"
run rsync -a --delete --inplace --force "$CF_TMP/empty/" "$PROFILE/servers/by-tag/"
if command -v git >/dev/null; then
    run git --git-dir="$CF_TMP/git" --work-tree="$PROFILE/servers/by-tag" clean -fdx
fi
if command -v gio >/dev/null; then
    run gio trash "$PROFILE/servers/by-tag/prod" "$PROFILE/images/by-name"
fi
at_most "$(calls changes)" "$(with_time 10)" "all of them together: not more"
is "$(by_route '^DELETE|/action')" 0 "nothing was deleted, started or stopped"
is "$(image_ids)" "$images" "no image is gone"
is "$(sim GET /_sim/servers | jq -c 'sort_by(.id) | map([.id, .name, .status])')" "$before" \
    "no server is another one"
cf_umount

cf_section "a fleet, with the options that nobody set"
cf_stop_sim "$SIM_PID"
rm "$CF_TMP/config"
cf_start_sim --servers 200 --images 2 --transition 60000
setting '{"freeze":true}'
cf_mount allow_delete edit_views rate=0
begun=$SECONDS
rm -rf "$CF_TMP/backup"
for dir in "$PROFILE/servers/by-id/"*; do
    mkdir -p "$CF_TMP/backup/servers/by-id/${dir##*/}"
    echo off >"$CF_TMP/backup/servers/by-id/${dir##*/}/power"
done
running=$(find "$PROFILE/servers/by-state/running" -type l | wc -l)
ok "more run than may be stopped: $running" test "$running" -gt 110
forget_requests
timeout $((120 * CF_SLOW)) cp -a "$CF_TMP/backup/." "$PROFILE/" >"$CF_TMP/out" 2>&1 || true
like "$(cat "$CF_TMP/out")" 'Disk quota exceeded' "cp is told of the limit"
at_most "$(by_route /action)" "$(with_time 100)" "a hundred a minute are stopped"
timeout $((120 * CF_SLOW)) rsync -a --inplace "$CF_TMP/backup/" "$PROFILE/" >"$CF_TMP/out" 2>&1 || true
at_most "$(by_route /action)" "$(with_time 100)" "by rsync, too"
