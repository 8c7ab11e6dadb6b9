#!/usr/bin/env bash
# What walking costs: the pages of one listing, however many programs and processes walk.
# begins early
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/mount/tools/cloud.sh
. "$(dirname "$0")/tools/cloud.sh"
cf_need python3 jq curl rsync tar

SERVERS=1000 IMAGES=200
[ "$CF_MODE" == plain ] || SERVERS=200 IMAGES=100 # what is slow ten times over
PAGES=$(((SERVERS + 99) / 100 + (IMAGES + 99) / 100))

cf_start_sim --servers $SERVERS --images $IMAGES --hostile --latency 20 \
    --username joe --password secret
cf_config
sed -i 's/^auth = token/auth = iam/; s/^token = .*/username = joe\npassword = secret/' "$CF_TMP/config"
sed -i "\$a auth_url = $SIM_URL" "$CF_TMP/config"

walk_all() {
    cd "$1"
    tar cf - servers images | tar tf - >/dev/null
    find . -ls >/dev/null
    grep -r --exclude-dir=raw . servers/by-id >/dev/null
    cat servers/list.tsv images/list.jsonl servers/by-name/*/status >/dev/null
    rsync -a --exclude=/*/raw/ images/by-id/ "$CF_TMP/copy/"
    cp -r servers/by-zone "$CF_TMP/links"
    du -s . >/dev/null
}

cf_section "one after the other"
cf_mount ttl=3600
sim DELETE /_sim/requests >/dev/null
ok "tar, find, grep, cat, rsync, cp, du" walk_all "$PROFILE"
is "$(calls reads)" "$PAGES" "a call for each page"
is "$(calls auth)" 1 "one token"
is "$(calls changes)" 0 "no change"
is "$(calls total)" $((PAGES + 1)) "and nothing else"
is "$(calls "$LIST_SERVERS")" $((SERVERS / 100)) "each page of servers"
is "$(calls "$LIST_IMAGES")" $((IMAGES / 100)) "each page of images"
ok "the same again" walk_all "$PROFILE"
is "$(calls total)" $((PAGES + 1)) "costs nothing"
cf_umount

# --- ten processes on a fresh mount ---
cf_section "ten side by side"
sim DELETE /_sim/counters >/dev/null
cf_mount ttl=3600
pids=()
for i in 1 2 3 4 5 6 7 8 9 10; do
    case $((i % 5)) in
    0) find "$PROFILE" -ls ;;
    1) tar cf - --exclude=raw -C "$PROFILE" servers images ;;
    2) grep -r --exclude-dir=raw . "$PROFILE/servers/by-id" "$PROFILE/images/by-id" ;;
    3) ls -lR "$PROFILE" ;;
    4) cat "$PROFILE"/images/list.tsv "$PROFILE"/servers/by-id/*/id ;;
    esac >"$CF_TMP/out.$i" 2>"$CF_TMP/err.$i" &
    pids+=($!)
done
failed=
for i in 1 2 3 4 5 6 7 8 9 10; do
    wait "${pids[i - 1]}" || failed+=" $i: $(head -c 300 "$CF_TMP/err.$i")"
done
is "$failed" "" "all ten end well"
is "$(calls reads)" "$PAGES" "a call for each page, all together"
is "$(calls auth)" 1 "one token"
is "$(calls total)" $((PAGES + 1)) "and nothing else"
is "$(wc -l <"$CF_TMP/out.4")" "$((IMAGES + 1 + SERVERS))" "and they read everything"
