#!/usr/bin/env bash
# Tags of servers where the cloud's list has none: what is asked when, and what is written.
# shellcheck disable=SC2016 # the inner shells'
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=cloud.bash
. "$(dirname "$0")/cloud.bash"
cf_need jq curl

cf_start_sim --servers 20 --images 4
cf_mount ttl=300

TAGS="GET /v1/servers/{id}/tags"
mapfile -t all < <(find "$PROFILE/servers/by-id" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort)
is "${#all[@]}" 20 "all servers are there"
one=${all[0]}
dir=$PROFILE/servers/by-id/$one
set_tags() { sim PUT "/_sim/servers/$1/tags" "$2" >/dev/null; }
cloud_tags() { sim GET "/v1/servers/$1/tags" | jq -c '.data.tags | sort'; }
for id in "${all[@]}"; do
    set_tags "$id" '["web","prod"]'
done

cf_section "walkers"
forget_requests
like_not "$(ls "$dir")" '(^|[[:space:]])tags([[:space:]]|$)' "tags is not listed"
find "$PROFILE/servers" -type f >"$CF_TMP/found"
ok "find sees the files" grep -q /state "$CF_TMP/found"
is "$(grep -c 'by-id/[^/]*/tags' "$CF_TMP/found")" 0 "find does not see tags"
grep -rs no-such-text "$PROFILE/servers/by-id" || true
is "$(calls "$TAGS")" 0 "no call was made"

cf_section "by name"
is "$(cat "$dir/tags")" $'prod\nweb' "one a line, sorted"
is "$(calls "$TAGS")" 1 "one call"
is "$(calls total)" 1 "and no other"
is "$(cat "$dir/tags" "$dir/tags")" $'prod\nweb\nprod\nweb' "again"
is "$(stat -c %s "$dir/tags")" 9 "its size is exact"
like "$(ls "$dir")" '(^|[[:space:]])tags([[:space:]]|$)' "now it is listed"
is "$(calls "$TAGS")" 1 "tags are kept"
like_not "$(ls "$PROFILE/servers/by-id/${all[1]}")" '(^|[[:space:]])tags([[:space:]]|$)' "the neighbour's are not listed"
is "$(readlink "$PROFILE/servers/by-tag/web/"*)" "../../by-id/$one" "by-tag has what is known"
cat "$dir/state" >/dev/null
refresh
is "$(cat "$dir/tags")" $'prod\nweb' "a refresh forgets nothing"
is "$(calls "$TAGS")" 1 "and asks for no tags"
is "$(for _ in {1..8}; do cat "$PROFILE/servers/by-id/${all[2]}/tags" & done | wc -l; wait)" 16 "eight readers"
is "$(calls "$TAGS")" 2 "share one call"

cf_section "replacing"
forget_requests
ok "> is accepted" put db "$dir/tags"
is "$(cat "$dir/tags")" db "shows"
is "$(cloud_tags "$one")" '["db"]' "is so in the cloud"
is "$(calls changes)" 1 "one change"
is "$(last_change '.path | split("?")[0]')" "/v1/servers/$one/tags" "the path"
ok "by-tag has the new" test -e "$PROFILE/servers/by-tag/db/$(cat "$dir/name")"
ok "by-tag lacks the old" test ! -e "$PROFILE/servers/by-tag/web/$(cat "$dir/name")"
ok "several lines" put $'zeta\nalpha\nalpha\n中文' "$dir/tags"
is "$(cat "$dir/tags")" $'alpha\nzeta\n中文' "sorted, once each"
is "$(cloud_tags "$one")" '["alpha","zeta","中文"]' "is so in the cloud"
ok "a write for each line" bash -c '{ echo one; echo two; echo three; } >"$1"' - "$dir/tags"
is "$(cloud_tags "$one")" '["one","three","two"]' "is one set in the end"
ok "tee" bash -c 'printf "b\na" | tee "$1" >/dev/null' - "$dir/tags"
is "$(cloud_tags "$one")" '["a","b"]' "a missing last newline is fine"

cf_section "adding"
ok ">> is accepted" bash -c 'echo c >>"$1"' - "$dir/tags"
is "$(cat "$dir/tags")" $'a\nb\nc' "shows"
is "$(cloud_tags "$one")" '["a","b","c"]' "is so in the cloud"
ok "what is there already" bash -c 'echo a >>"$1"' - "$dir/tags"
is "$(cloud_tags "$one")" '["a","b","c"]' "stays once"
fresh=${all[3]}
forget_requests
ok "to tags that nobody read" bash -c 'echo new >>"$1"' - "$PROFILE/servers/by-id/$fresh/tags"
is "$(cloud_tags "$fresh")" '["new","prod","web"]' "keeps the others"
set_tags "$one" '["a","b","c","theirs"]'
ok "after somebody else's change" bash -c 'echo mine >>"$1"' - "$dir/tags"
is "$(cloud_tags "$one")" '["a","b","c","mine","theirs"]' "undoes nothing"

cf_section "clearing"
ok ": > tags" bash -c ': >"$1"' - "$dir/tags"
is "$(cloud_tags "$one")" '["a","b","c","mine","theirs"]' "truncation alone means nothing"
ok "an empty line" put "" "$dir/tags"
is "$(cat "$dir/tags")" "" "shows nothing"
is "$(cloud_tags "$one")" '[]' "is so in the cloud"
ok "the file is still there" test -f "$dir/tags"

cf_section "changed meanwhile"
put seen "$dir/tags"
is "$(cat "$dir/tags")" seen "what the writer saw"
set_tags "$one" '["by-somebody-else"]'
forget_requests
write_fails_with "Stale file handle" mine "$dir/tags"
is "$(calls changes)" 0 "nothing was sent"
is "$(cloud_tags "$one")" '["by-somebody-else"]' "the other's change stays"
is "$(cat "$dir/tags")" by-somebody-else "now it shows"
like "$(cat "$dir/last_error")" '.' "last_error says why"
ok "a second try is accepted" put mine "$dir/tags"
is "$(cloud_tags "$one")" '["mine"]' "and done"

cf_section "what is refused"
forget_requests
write_fails_with "Invalid argument" a,b "$dir/tags"
like "$(cat "$dir/last_error")" 'comma' "last_error says why"
printf 'a\0b\n' >"$CF_TMP/nul"
cmd_fails_with "Invalid argument" dd if="$CF_TMP/nul" of="$dir/tags" conv=notrunc status=none
cmd_fails_with "Invalid argument" dd if=/dev/zero of="$dir/tags" bs=1 seek=700 count=1 conv=notrunc status=none
is "$(calls changes)" 0 "nothing was sent"
is "$(cloud_tags "$one")" '["mine"]' "nothing changed"
cf_umount

cf_section "tags_ttl"
cf_mount ttl=300 tags_ttl=300ms
dir=$PROFILE/servers/by-id/${all[4]}
is "$(cat "$dir/tags")" $'prod\nweb' "read"
set_tags "${all[4]}" '["later"]'
ok "asked for again after it" wait_until 5 reads "$dir/tags" later
cf_umount

cf_section "sweep"
for id in "${all[@]}"; do
    set_tags "$id" '["swept"]'
done
forget_requests
cf_mount ttl=300 rate=0 tags=sweep
tagged() { [ "$(find "$PROFILE/servers/by-tag/swept" -type l 2>/dev/null | wc -l)" -eq "$1" ]; }
ok "by-tag is complete in the end" wait_until 10 tagged 20
ok "health says how far" says "$PROFILE/health" 'tags of 20 of 20 servers'
is "$(calls "$TAGS")" 20 "one call a server"
find "$PROFILE/servers/by-id" -name tags -exec cat {} + >"$CF_TMP/tags"
is "$(grep -c swept "$CF_TMP/tags")" 20 "all are listed and read"
is "$(calls "$TAGS")" 20 "without another call"
