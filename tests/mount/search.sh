#!/usr/bin/env bash
# search/TEXT/: the cloud's own search. What it finds on each cloud is in the contract test set; here
# is when it is asked and when not, and what becomes of what was found.
# shellcheck disable=SC2002,SC2010,SC2012,SC2016 # what ls prints is what is tested; inner shells
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/mount/cloud.bash
. "$(dirname "$0")/cloud.bash"
# shellcheck source=tests/contract/inspur.bash
. "$(dirname "$0")/../contract/inspur.bash"
cf_need jq curl python3

SEARCH="$LIST_SERVERS"
add() { sim POST /_sim/servers "$(make_server "$1" "$2")" >/dev/null; }
# The mount allows one search a second: finds TEXT [WORD…]: that is what is listed, by and by.
lists() { [ "$(ls "$1" | paste -sd ' ')" == "$2" ]; }
finds() { ok "search/$1 lists: $2" wait_until 5 lists "search/$1" "$2"; }

cf_start_sim --servers 20 --images 4
add s-1 shop-1
add s-2 shop-2
add s-3 'a/b'
add s-4 .hidden
cf_mount ttl=300 deadline=20 rate=0 page_size=100
cd "$PROFILE/servers"
find by-name >/dev/null

cf_section "what costs nothing"
forget_requests
ok "search is listed" bash -c 'ls | grep -qx search'
is "$(find search | wc -l)" 1 "find sees nothing in it"
grep -rs nothing-that-is-there search || true
ok "a text can be looked up" stat search/shop
ok "and entered" bash -c 'cd search/shop && pwd'
is "$(stat -c %A search/shop)" dr-xr-xr-x "it is a directory that is not written"
for text in .git .shop 'a~b' '%zz' '%41' '%' "$(printf 'x%.0s' {1..65})" $'\xff'; do
    cmd_fails_with "No such file" stat "search/$text"
done
ok "64 bytes are a text" stat "search/$(printf 'x%.0s' {1..64})"
cmd_fails_with "No such file" stat search/shop/.git
is "$(calls total)" 0 "nothing was asked"

cf_section "one call"
is "$(ls search/shop | paste -sd ' ')" "shop-1 shop-2" "a listing"
is "$(calls "$SEARCH")" 1 "asks once"
is "$(readlink search/shop/shop-1)" ../../by-id/s-1 "a link to the resource"
is "$(cat search/shop/shop-2/state)" running "through which its files are read"
is "$(ls -l search/shop | grep -c '\->')" 2 "ls -l"
cmd_fails_with "No such file" cat search/shop/other
cmd_fails_with "No such file" cat "search/shop/$(ls by-name | grep -v shop | head -n 1)/id"
is "$(find search/shop/ -type l | wc -l)" 2 "find"
is "$(calls total)" 1 "was all"
cmd_fails_with "Read-only" rm search/shop/shop-1
cmd_fails_with "Read-only" touch search/shop/new
cmd_fails_with "File exists" mkdir search/new
ok "a name that is looked up first" wait_until 5 test -e search/hop-1/shop-1
is "$(ls search/hop-1)" shop-1 "has its directory listed"
is "$(calls "$SEARCH")" 2 "for one call"
finds 'a%2Fb' 'a%2Fb'
is "$(readlink 'search/a%2Fb/a%2Fb')" ../../by-id/s-3 "the text is written as names are"
finds '%2Ehidden' '%2Ehidden'
is "$(requests '[.[].path | select(test("searchValue")) | sub(".*searchValue="; "")] | join(" ")')" \
    "shop hop-1 a%2Fb .hidden" "what the cloud was asked for"

cf_section "readers side by side"
fault latency "$SEARCH" '"ms":300'
forget_requests
{
    until ls search/20 2>/dev/null; do sleep 0.05; done # the mount's second
    for _ in {1..7}; do ls search/20; done
} >"$CF_TMP/many" &
wait_until 5 called "$SEARCH" 1 || fail "a search is under way"
is "$(for _ in {1..6}; do ls search/20 2>&1 & done | sort | uniq -c | awk '$1 % 6 { print }'; wait)" "" \
    "all see the same"
wait "$!" || fail "none is refused"
is "$(calls "$SEARCH")" 1 "and share one call"
ok "others are served meanwhile" bash -c 'cat by-id/s-1/state'
no_faults

cf_section "one a second"
# Texts that nobody has searched for, as fast as it goes.
python3 - "$CF_TMP/rate" <<'END'
import os, sys, time
begin = time.monotonic()
found = refused = 0
for i in range(40):
    try:
        os.listdir(f"search/rate-{i}")
        found += 1
    except OSError as error:
        assert error.errno == 11, error
        refused += 1
print(found, refused, int(time.monotonic() - begin) + 1, file=open(sys.argv[1], "w"))
END
read -r found refused seconds <"$CF_TMP/rate"
at_most "$found" "$seconds" "no more than one a second is answered"
is "$(calls "$SEARCH")" $((found + 1)) "the others sent nothing"
is "$((found + refused))" 40 "they are EAGAIN"
is "$(ls search/shop | wc -l)" 2 "what is known is served all the while"

cf_section "what was found goes on changing"
forget_requests
sim DELETE /_sim/servers/s-1 >/dev/null
sim PATCH /_sim/servers/s-2 '{"name":"shop-two"}' >/dev/null
refresh
is "$(calls "$SEARCH")" 1 "a refresh"
is "$(ls search/shop)" shop-two "takes out what is gone, and renames"
ok "the new name is there" test -e search/shop/shop-two/state
ok "the old names are not" bash -c '! [ -L search/shop/shop-1 ] && ! [ -L search/shop/shop-2 ]'
add s-5 shop-two
refresh
is "$(ls search/shop)" 'shop-two~s-2' "a name that is shared now"
is "$(requests '[.[].path | select(test("searchValue"))] | length')" 0 "and nothing was searched for"

cf_section "newer than the listing"
add s-6 fresh-1
forget_requests
ok "it is found" wait_until 5 test -e search/fresh/fresh-1/state
is "$(readlink search/fresh/fresh-1)" ../../by-id/s-6 "and its directory is there"
is "$(calls "$SEARCH")" 2 "for a search and a listing"

cf_section "a refusal"
fault code "$SEARCH" '"status":403,"code":"101.001999","message":"no such right"'
ok "is the listing's errno" wait_until 5 bash -c 'ls search/refused 2>&1 | grep -q "Permission denied\|Remote I/O"'
is "$(cat search/refused/shop-two/id 2>&1 | sed 's/.*: //' || true)" \
    "$(ls search/refused 2>&1 | sed 's/.*: //' || true)" "and that of a name in it"
no_faults
finds refused ""
like "$(tail -n 5 "$PROFILE/journal.jsonl")" '101.001999' "the journal has the cloud's words"

cf_section "who waits can be killed"
fault hang "$SEARCH"
forget_requests
# Within the mount's second it is refused at once: then again.
hanging=
search_hangs() {
    if [ -z "$hanging" ] || cf_is_over "$hanging"; then
        ls search/hanging >/dev/null 2>&1 &
        hanging=$!
    fi
    called "$SEARCH" 1
}
wait_until 5 search_hangs || fail "a search is under way"
ok "others are served" cat by-id/s-2/state
kill "$hanging"
ok "it ends" wait_until 5 cf_is_over "$hanging"
no_faults

cf_section "many texts"
python3 -c 'import os
for i in range(1500): os.stat(f"search/many-{i}")'
is "$(ls search/many-1499 search/many-0 >/dev/null 2>&1; ls -d search/many-0)" search/many-0 "are found again"
is "$(ls search/shop)" 'shop-two~s-2' "what was found is kept for its ttl"
ok "the mount is well" says "$PROFILE/health" '^ok '
cd /
cf_umount

cf_section "the ttl"
cf_mount ttl=1 deadline=20 rate=0 page_size=100
cd "$PROFILE/servers"
is "$(ls search/shop | wc -l)" 2 "found"
add s-7 shop-7
finds shop 'shop-7 shop-two~s-2 shop-two~s-5'
sim DELETE /_sim/servers/s-7 >/dev/null
finds shop 'shop-two~s-2 shop-two~s-5'
cd /
cf_umount

cf_section "a cloud without"
CF_DIALECT=ucloudstack
cf_start_sim --api-version 1 --servers 3 --images 2
cf_config 'dialect = 1'
cf_mount ttl=300
ok "its servers are there" wait_until 10 test -d "$PROFILE/servers/by-id"
cmd_fails_with "No such file" stat "$PROFILE/servers/search"
like_not "$(ls "$PROFILE/servers")" '(^|[[:space:]])search([[:space:]]|$)' "search is not listed"
