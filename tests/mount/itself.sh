#!/usr/bin/env bash
# The tests themselves: one that is ended in the middle, by a signal or by a failure, leaves no mount, no
# process and no file behind; neither does a whole run of them.
#
# not under: asan tsan
# shellcheck disable=SC2016 # the inner shell's
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
cf_need awk

top=$(cd "$(dirname "$0")/../.." && pwd)
INNER=$CF_TMP/inner
mkdir "$INNER" "$CF_TMP/logs"

# In the middle of it: a cloud, a mount, somebody inside and a reader at work.
cat >"$CF_TMP/middle.sh" <<END
. "$top/tests/lib.sh"
cf_start_sim --servers 3
cf_mount ttl=600
cf_mount -d second ttl=600
cd "\$PROFILE/servers"
exec 7<list.tsv
tail -f list.tsv >/dev/null &
mkdir "\$CF_TMP/more" && : >"\$CF_TMP/more/file"
pass "begun"
case \$1 in
loop) while :; do sleep 0.1; done ;;
wait) sleep 1000 ;;
fail) false ;;
exit) exit 3 ;;
esac
END

mounts_below() { awk -v dir="$1/" 'index($5, dir) == 1 { print $5 }' /proc/self/mountinfo; }
# marked MARK: the processes that have it in their environment.
marked() { grep -lzxF "CF_MARK=$1" /proc/[0-9]*/environ 2>/dev/null || true; }
nothing_is_left() {
    is "$(mounts_below "$INNER")" "" "no mount is left"
    is "$(marked "$CF_TMP")" "" "no process is left"
    is "$(find "$INNER" -xdev -mindepth 1)" "" "no file is left"
}
begun() { grep -q '^ok - begun' "$CF_TMP/out"; }
begin() {
    rm -f "$CF_TMP/out"
    CF_MARK=$CF_TMP TMPDIR=$INNER CF_TEST_LOGS=$CF_TMP/logs setsid "$@" </dev/null >"$CF_TMP/out" 2>&1 &
    inner=$!
}
ends_with() {
    local status=0
    wait_until 30 cf_is_over "$inner" || kill -KILL "$inner"
    wait "$inner" || status=$?
    is "$status" "$1" "its exit status"
}

# A shell waits for its command before it looks at a signal. timeout(1) and a terminal tell them all.
for what in TERM:loop: TERM:wait:- HUP:wait:-; do
    IFS=: read -r signal how group <<<"$what"
    cf_section "a test that gets SIG$signal${group:+, as do its children}"
    begin bash "$CF_TMP/middle.sh" "$how"
    ok "it is in the middle" wait_until 30 begun
    is "$(mounts_below "$INNER" | wc -l)" 2 "two mounts"
    kill -s "$signal" -- "$group$inner"
    ends_with 143
    nothing_is_left
done

for how in fail:1 exit:3; do
    cf_section "a test that ends by ${how%:*}"
    begin bash "$CF_TMP/middle.sh" "${how%:*}"
    ends_with "${how#*:}"
    ok "it was in the middle" begun
    nothing_is_left
done

cf_section "a run that gets SIGTERM"
begin bash "$top/tests/run" --built "$(dirname "$CIRRUSFS")" --mount lifecycle poll
is_mounted_below() { [ "$(mounts_below "$INNER" | wc -l)" -ge 2 ]; }
ok "two tests are at work" wait_until 30 is_mounted_below
kill "$inner"
ends_with 143
nothing_is_left
