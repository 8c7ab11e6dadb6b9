#!/usr/bin/env bash
# A first listing that takes long is read while it comes: names at once, everything else when it is
# whole, and an error when the rest does not come.
# shellcheck disable=SC2119 # cf_stop_sim takes the simulator at hand
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/mount/tools/cloud.sh
. "$(dirname "$0")/tools/cloud.sh"
cf_need python3 jq curl perl

# has N: by-id has so many. is_gone PATH; both for wait_until.
has() { [ "$(find servers/by-id -mindepth 1 -maxdepth 1 | wc -l)" -eq "$1" ]; }
is_gone() { ! [ -e "$1" ]; }

# listed N [FILE]: so many lines are in the file that the background listing writes.
listed() { [ "$(wc -l <"$CF_TMP/${2-listed}")" -eq "$1" ]; }

# ends_well PID NAME
ends_well() { if wait "$1"; then pass "$2"; else fail "$2" "$(cat "$CF_TMP"/*.err)"; fi; }

# list DIR [FILE]: tells each entry as soon as it comes, with its inode number, in the background. The
# file is emptied before that: what a former listing has left is not taken for this one's.
list() {
    : >"$CF_TMP/${2-listed}"
    python3 -c '
import os, sys
for entry in os.scandir(sys.argv[1]):
    print(entry.name, entry.inode(), flush=True)' "$1" >"$CF_TMP/${2-listed}" 2>"$CF_TMP/list.err" &
}

# numbers DIR: what stat says of the entries.
numbers() { stat -c '%n %i' "$1"/* | sed 's,.*/,,' | sort; }

# comes ROUTE: the listing of a mount whose cloud stops to answer after the first page.
comes() {
    local route=$1 lister waiter second names times
    : >"$CF_TMP/names"
    : >"$CF_TMP/by-name"
    fault hang "$route" -1 'after: 1'
    cf_mount ttl=3600 deadline=60 rate=0
    cd "$PROFILE"
    list servers/by-id
    lister=$!
    ok "the names of the first page are there" wait_until 20 listed 100
    like "$(cat health)" '^loading' "health says that the rest is on its way"
    (cd servers/by-id && cut -d ' ' -f 1 "$CF_TMP/listed" | sed 's,$,/name,' | xargs -r grep -c .) \
        >"$CF_TMP/names" &
    waiter=$!
    ls servers/by-name >"$CF_TMP/by-name" &
    names=$!
    ok "who wants more waits: another view" never 0.5 test -s "$CF_TMP/by-name"
    ok "a file" test ! -s "$CF_TMP/names"
    ok "and so does who lists on" kill -0 "$lister"
    list servers/by-id again
    second=$!
    ok "a second reader sees them, too" wait_until 20 listed 100 again
    times=$(stat -c '%F %z' servers servers/by-id)
    like "$times" ^directory "the directory itself can be looked at"
    no_faults
    ends_well "$lister" "the listing ends well"
    ends_well "$second" "the second one, too"
    ends_well "$names" "and by-name"
    ends_well "$waiter" "and what was read of each"
    is "$(wc -l <"$CF_TMP/names")" 100 "it is there of each"
    is "$(sort "$CF_TMP/again")" "$(sort "$CF_TMP/listed")" "both have listed the same"
    is "$(cut -d ' ' -f 1 "$CF_TMP/listed" | sort)" "$(ids servers | sort)" "every server once, no other"
    is "$(sort "$CF_TMP/listed")" "$(numbers servers/by-id)" "under the inode numbers that they keep"
    is "$(stat -c '%F %z' servers servers/by-id)" "$times" "the directories' times have not changed"
    is "$(wc -l <"$CF_TMP/by-name")" "$(find servers/by-name -type l | wc -l)" "by-name was listed whole"
    [ "$CF_DIALECT" != inspur ] || ok "the tree is right" cloud tree "$PROFILE" servers
    cd /
    cf_umount
}

cf_start_sim --servers 950
cf_section "pages by number"
comes "$LIST_SERVERS"

cf_section "the rest does not come"
fault hang "$LIST_SERVERS" -1 'after: 1'
cf_mount ttl=3600 deadline=$((4 + 2 * CF_SLOW)) rate=0
cd "$PROFILE"
mkfifo "$CF_TMP/go"
# It reads on after the error, when it is told to.
# shellcheck disable=SC2016 # perl's
perl -e '
    $| = 1;
    opendir my $dir, $ARGV[0] or die "$!\n";
    1 while defined readdir $dir;
    print "$!\n";
    open my $go, "<", $ARGV[1] or die "$!\n";
    <$go>;
    $! = 0;
    1 while defined readdir $dir;
    print "$!\n";' servers/by-id "$CF_TMP/go" >"$CF_TMP/perl" &
reader=$!
status=0
ls -U servers/by-id >"$CF_TMP/listed" 2>"$CF_TMP/list.err" || status=$?
is "$status" 2 "ls says that it did not see all"
ok "it shows what came" listed 100
like "$(cat "$CF_TMP/list.err")" "reading directory .*: Connection timed out" "and why there is no more"
like "$(cat health)" '^unreachable' "health says so"
cmd_fails_with "Connection timed out" ls servers
# What was shown is not believed any more: one of them goes, the others get other numbers.
gone=$(sort "$CF_TMP/listed" | head -n 1)
sim DELETE "/_sim/servers/$gone" >/dev/null
no_faults
ok "when the cloud answers again all are there" wait_until 30 has 949
ok "but one that is gone" test ! -e "servers/by-id/$gone"
is "$(find servers/by-id -mindepth 1 -maxdepth 1 -exec stat -c %n {}/status \; | wc -l)" 949 \
    "each can be looked at"
echo go >"$CF_TMP/go"
ends_well "$reader" "the reader that waits ends"
is "$(paste -sd, "$CF_TMP/perl")" "Connection timed out,Stale file handle" \
    "who reads on behind the error is not led into another listing"
ok "the tree is right" cloud tree "$PROFILE" servers
cd /
cf_umount

cf_section "who waits for more can be ended"
fault hang "$LIST_SERVERS" -1 'after: 1'
cf_mount ttl=3600 deadline=60 rate=0
list "$PROFILE/servers/by-id"
lister=$!
ok "a program waits for more" wait_until 20 listed 100
kill -KILL "$lister"
ok "it can be killed" wait_until 5 is_gone "/proc/$lister/fd/0"
wait "$lister" || true
list "$PROFILE/servers/by-id"
lister=$!
ok "another one waits" wait_until 20 listed 100
kill -TERM "$DAEMON_PID"
ok "the mount can be ended" wait_until 20 is_gone "/proc/$DAEMON_PID"
status=0
wait "$lister" || status=$?
ok "which the program is told" test "$status" -ne 0
no_faults
cd /
cf_umount
cf_stop_sim

cf_section "pages by marker"
CF_DIALECT=openstack
cf_start_sim --servers 950 --max-page 100
cf_config
comes servers.list
