#!/usr/bin/env bash
# What OpenStack offers beyond the other clouds: pause, suspend and shelve, locks, metadata as files,
# faults, the console's output; and that the other clouds have none of it.
# not under: tsan
CF_DIALECT=openstack
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/mount/cloud.bash
. "$(dirname "$0")/cloud.bash"
cf_need jq curl ed

# server ID JSON: one of which these fields are known.
server() {
    sim POST /_sim/servers "$(jq -cn --arg id "$1" --argjson more "$2" \
        '{id: $id, name: $id, status: "ACTIVE", "OS-EXT-STS:task_state": null,
          "OS-EXT-STS:vm_state": "active", metadata: {}} + $more')" >/dev/null
}
# its FIELD OF ID: what the cloud has, beside the mount.
its() { sim GET "/_sim/servers/$2" | jq -r "$1"; }
# sent ROUTE: how often the cloud was asked for it since forget_requests.
sent() { sim GET /_sim/counters | jq -r ".by[\"$1\"] // 0"; }
# names DIRECTORY: what stands in it, in order, on one line; count DIRECTORY: how much.
names() { find "$1" -mindepth 1 -printf '%f ' | tr ' ' '\n' | sort | xargs; }
count() { find "$1" -mindepth 1 | wc -l; }
# exact FILE: its size and what it holds agree.
exact() { [ "$(stat -c %s "$1")" = "$(wc -c <"$1")" ]; }

cf_start_sim --servers 3 --images 1 --transition 100
server s-a '{}'
server s-b '{}'
server s-m '{"metadata":{"role":"web","tier":"one","note":"two\nlines","db_password":"fake-pw"}}'
server s-e '{"status":"ERROR","OS-EXT-STS:vm_state":"error",
    "fault":{"code":500,"created":"2026-01-01T00:00:00Z","message":"No valid host was found. ",
             "details":"Traceback\n  of it"}}'
cf_mount ttl=3600
cd "$PROFILE/servers"
A=by-id/s-a B=by-id/s-b M=by-id/s-m E=by-id/s-e

cf_section power
settles() { wait_until 20 reads "$A/state" "$1"; }
for step in "pause paused paused" "unpause running on" "suspend suspended suspended" \
    "resume running on" "shelve stopped off" "unshelve running on"; do
    read -r verb state power <<<"$step"
    ok "$verb is accepted" put "$verb" $A/power
    is "$(cat $A/power)" changing "$verb: power is changing at once"
    ok "$verb: it becomes $state" settles "$state"
    is "$(cat $A/power)" "$power" "$verb: power reads $power"
    forget_requests
    ok "$verb once more does no harm" put "$verb" $A/power
    is "$(calls changes)" 0 "$verb once more sends nothing"
done
is "$(tr '\n' ' ' <$A/power_choices)" "[on] off reboot reboot hard pause suspend shelve " \
    "the choices of one that runs"
put pause $A/power
is "$(tr '\n' ' ' <$A/power_choices)" "reboot hard " "while it goes there only what may break in"
settles paused
is "$(tr '\n' ' ' <$A/power_choices)" "reboot hard [pause] unpause shelve " "of a paused one"
write_fails_with "Device or resource busy" suspend $A/power
like "$(cat $A/last_error)" "Cannot 'suspend' instance .*vm_state paused" "in the cloud's words"
write_fails_with "Operation not supported" "off hard" $A/power
write_fails_with "Invalid argument" freeze $A/power
like "$(cat $A/last_error)" "pause, unpause, suspend, resume, shelve or unshelve" \
    "and says what there is"
put unpause $A/power
settles running
put shelve $A/power
settles stopped
is "$(tr '\n' ' ' <$A/power_choices)" "[shelve] unshelve " "of a shelved one"
is "$(cat $A/status)" SHELVED_OFFLOADED "its status says so"
write_fails_with "Device or resource busy" on $A/power
put unshelve $A/power
settles running

cf_section batch
put "pause s-a s-b" power.plan
is "$(cut -f4 power.plan | sort -u)" "pause, in a call of its own" "the plan"
ok "several are paused" put "pause s-a s-b" power
ok "one is" settles paused
ok "and the other" wait_until 20 reads $B/state paused
put "unpause s-a s-b" power.plan
ok "and go on" put "unpause s-a s-b" power
settles running
wait_until 20 reads $B/state running

cf_section lock
is "$(cat $A/lock)" 0 "not locked"
is "$(stat -c %a $A/lock $A/locked_reason | tr '\n' ' ')" "644 644 " "both can be written"
is "$(wc -c <$A/locked_reason)" 0 "no reason"
ok "locks" put 1 $A/lock
is "$(cat $A/lock)" 1 "and shows it at once"
is "$(its .locked s-a)" true "the cloud has it"
write_fails_with "Device or resource busy" off $A/power
like "$(cat $A/last_error)" "is locked" "in the cloud's words"
write_fails_with "Device or resource busy" new $A/metadata/k
ok "and leaves no file behind" test ! -e $A/metadata/k
is "$(ls $A/metadata)" "" "nor in the listing"
write_fails_with "Device or resource busy" "because" $A/locked_reason
like "$(cat $A/last_error)" "keeps its reason" "a lock keeps its reason"
ok "unlocks" put 0 $A/lock
is "$(cat $A/lock)" 0 "not locked any more"
ok "with a reason" put "it is mine" $A/locked_reason
is "$(cat $A/lock) $(cat $A/locked_reason)" "1 it is mine" "both show it at once"
is "$(its .locked_reason s-a)" "it is mine" "the cloud has it"
forget_requests
ok "the same reason once more" put "it is mine" $A/locked_reason
is "$(calls changes)" 0 "sends nothing"
put 0 $A/lock
is "$(cat $A/lock)$(cat $A/locked_reason)" 0 "unlocked there is no reason"
is "$(its .locked_reason s-a)" null "nor in the cloud"
write_fails_with "Invalid argument" yes $A/lock
write_fails_with "Argument list too long" "$(printf 'r%.0s' {1..256})" $A/locked_reason
forget_requests
for file in name description capture; do
    write_fails_with "Argument list too long" "$(printf 'n%.0s' {1..256})" $A/$file
done
is "$(calls changes)" 0 "what is too long is not sent"
ok "255 characters are a name" put "$(printf 'ü%.0s' {1..255})" $A/name
ok "the former one again" put s-a $A/name

cf_section metadata
is "$(names $M/metadata)" "db_password note role tier" "a file for each key"
is "$(stat -c %a $M/metadata $M/metadata/role | tr '\n' ' ')" "755 644 " "modes"
is "$(cat $M/metadata/role)" web "its value"
is "$(cat $M/metadata/note)" $'two\nlines' "of two lines"
ok "sizes are exact" exact $M/metadata/note
is "$(ls $A/metadata)" "" "none is an empty directory"
echo db >$M/metadata/role
is "$(cat $M/metadata/role)" db "a change shows at once"
is "$(its .metadata.role s-m)" db "and is in the cloud"
ok "its size is exact" exact $M/metadata/role
echo >$M/metadata/tier
ok "an empty line takes a key away" test ! -e $M/metadata/tier
is "$(its .metadata.tier s-m)" null "also from the cloud"
echo fresh >$M/metadata/new.key
is "$(cat $M/metadata/new.key)" fresh "what is made is a key"
is "$(its '.metadata["new.key"]' s-m)" fresh "also in the cloud"
is "$(names $M/metadata)" "db_password new.key note role" "and in the listing, once"
echo "with blanks" >"$M/metadata/my key"
is "$(its '.metadata["my key"]' s-m)" "with blanks" "a key with a blank"
echo hidden >$M/metadata/%2Edot
is "$(its '.metadata[".dot"]' s-m)" hidden "a name that is encoded"
longest=$(printf 'k%.0s' {1..255})
echo long >"$M/metadata/$longest"
is "$(its ".metadata[\"$longest\"]" s-m)" long "a key of 255 characters"
echo >"$M/metadata/$longest"
printf 'v%.0s' {1..255} >$M/metadata/role
is "$(its '.metadata.role | length' s-m)" 255 "a value of 255 characters"
write_fails_with "Argument list too long" "$(printf 'v%.0s' {1..256})" $M/metadata/role
{ echo one; echo two; } >$M/metadata/role
is "$(cat $M/metadata/role)" $'one\ntwo' "further writes continue the value"
echo three >>$M/metadata/role
is "$(its .metadata.role s-m)" $'one\ntwo\nthree' "and what is appended stands behind it"

cf_section "what is not written yet"
forget_requests
touch $M/metadata/later
is "$(calls changes)" 0 "a file that is made sends nothing"
is "$(its .metadata.later s-m)" null "and is no key"
is "$(find $M/metadata -name later | wc -l)" 1 "it is listed"
is "$(stat -c %s $M/metadata/later)" 0 "and empty"
rm $M/metadata/later
ok "it can be removed" test ! -e $M/metadata/later
touch $M/metadata/later
echo now >$M/metadata/later
is "$(its .metadata.later s-m)" now "written it is a key"
cmd_fails_with "Operation not permitted" rm -f $M/metadata/later
rm -rf $M/metadata 2>/dev/null || true
is "$(count $M/metadata)" 7 "rm -rf takes nothing away"
cmd_fails_with "Operation not permitted" mkdir $M/metadata/dir
cmd_fails_with "Operation not permitted" ln -s x $M/metadata/link

cf_section secrets
is "$(cat $M/metadata/db_password)" "***" "a secret is not shown"
write_fails_with "Invalid argument" "***" $M/metadata/db_password
echo fake-new >$M/metadata/db_password
is "$(its .metadata.db_password s-m)" fake-new "but can be set"
is "$(cat $M/metadata/db_password)" "***" "and still is not shown"
is "$(grep -rc fake-new list.tsv ../events.jsonl ../journal.jsonl | cut -d: -f2 | tr '\n' ' ')" \
    "0 0 0 " "nor told anywhere"

cf_section tools
sed -i 's/w/W/' $M/metadata/later
is "$(its .metadata.later s-m)" noW "sed -i"
sed -i.bak 's/W/w/' $M/metadata/later
is "$(its .metadata.later s-m) $(its '.metadata["later.bak"]' s-m)" "now null" "sed -i.bak"
is "$(cat $M/metadata/later.bak)" noW "whose copy is here only"
rm $M/metadata/later.bak
printf '%s\n' '1s/now/then/' w q | ed -s $M/metadata/later >/dev/null
is "$(its .metadata.later s-m)" "then" "ed"
echo copied >"$CF_TMP/value"
cp "$CF_TMP/value" $M/metadata/later
cp "$CF_TMP/value" $M/metadata/copy
is "$(its .metadata.later s-m) $(its .metadata.copy s-m)" "copied copied" "cp, over a key and to a new one"
cp -p "$CF_TMP/value" $M/metadata/kept
is "$(its .metadata.kept s-m)" copied "cp -p"
tar -C $M -cf "$CF_TMP/meta.tar" metadata
mkdir -p "$CF_TMP/out" && tar -C "$CF_TMP/out" -xf "$CF_TMP/meta.tar"
ok "tar takes them all" diff -r $M/metadata "$CF_TMP/out/metadata"
is "$(grep -rl copied $M/metadata | wc -l)" 3 "grep -r"
is "$(find $M/metadata -type f -size +0 | wc -l)" 9 "find"
# by PROGRAM VALUE COMMAND…: what it wrote is the key's value.
by() {
    command -v "$1" >/dev/null || { skip "$1" "there is none here" && return; }
    echo copied >$M/metadata/copy
    "${@:3}" >/dev/null 2>&1 || true
    is "$(its .metadata.copy s-m)" "$2" "$1"
}
echo replaced >"$CF_TMP/copy"
by vim edited vim -es -u NONE -c '%s/copied/edited/' -c wq $M/metadata/copy
by perl edited perl -pi -e 's/copied/edited/' $M/metadata/copy
by rsync replaced rsync "$CF_TMP/copy" $M/metadata/
is "$(its '.metadata | keys | length' s-m)" 9 "and none left anything behind"
is "$(count $M/metadata)" 9 "here neither"

cf_section "changed meanwhile"
sim PATCH /_sim/servers/s-m '{"metadata":{"role":"theirs"}}' >/dev/null
write_fails_with "Stale file handle" mine $M/metadata/role
is "$(its .metadata.role s-m)" theirs "nothing was written"
is "$(cat $M/metadata/role)" theirs "and what is there is shown"
ok "then it is taken" put mine $M/metadata/role
sim PATCH /_sim/servers/s-m '{"metadata":{}}' >/dev/null
write_fails_with "Stale file handle" again $M/metadata/role
ok "a key that is gone is gone" test ! -e $M/metadata/role
sim PATCH /_sim/servers/s-m '{"metadata":{"other":"theirs"}}' >/dev/null
refresh
is "$(ls $M/metadata)" other "a refresh shows what came"

cf_section fault
is "$(cat $E/fault)" $'500: No valid host was found.\nTraceback\n  of it' "what went wrong"
ok "not there where nothing did" test ! -e $A/fault
is "$(stat -c %a $E/fault)" 444 "read only"

cf_section console.log
is "$(stat -c '%a %s' $A/console.log)" "600 0" "empty before"
write_fails_with "Invalid argument" please $A/console.log
echo fetch >$A/console.log
ok "something is there after fetch" test -s $A/console.log
ok "its size is exact" exact $A/console.log
sim POST /_sim/settings '{"console_lines":20000}' >/dev/null
echo fetch >$A/console.log
is "$(stat -c %s $A/console.log)" 65536 "the last 64 KiB of much"
sim POST /_sim/faults '{"match":"server.action.os-getConsoleOutput","kind":"status","status":409,
    "body":"{\"conflictingRequest\":{\"code\":409,\"message\":\"Instance s-a is not ready\"}}"}' >/dev/null
write_fails_with "Device or resource busy" fetch $A/console.log
like "$(cat $A/last_error)" "is not ready" "in the cloud's words"
is "$(stat -c %s $A/console.log)" 65536 "what was there stays"

cf_section "an older cloud"
cd / && cf_umount
sim POST /_sim/settings '{"microversion":8}' >/dev/null
cf_mount ttl=3600
cd "$PROFILE/servers"
ok "no lock before 2.9" test ! -e $A/lock
ok "nor a reason" test ! -e $A/locked_reason
ok "but metadata" test -d $A/metadata
cd / && cf_umount
sim POST /_sim/settings '{"microversion":72}' >/dev/null
cf_mount ro
cd "$PROFILE/servers"
ok "a lock from 2.9" test -e $A/lock
ok "no reason before 2.73" test ! -e $A/locked_reason
is "$(stat -c %a $A/lock $M/metadata $M/metadata/other $A/console.log | tr '\n' ' ')" \
    "444 555 444 400 " "all of it read only on a mount with ro"
cmd_fails_with "Read-only file system" touch $M/metadata/x

cf_section "another cloud"
cd / && cf_umount
cf_stop_sim "$SIM_PID"
CF_DIALECT=inspur
cf_start_sim --servers 1 --images 1
cf_config
cf_mount ttl=3600
cd "$PROFILE/servers"
S=by-id/$(ls by-id)
for name in lock locked_reason metadata fault console.log; do
    ok "no $name" test ! -e "$S/$name"
done
like_not "$(ls "$S")" "lock|metadata|fault|console.log" "nor in a listing"
write_fails_with "Operation not supported" pause "$S/power"
like_not "$(cat "$S/power_choices")" "pause|suspend|shelve" "nor among the choices"
write_fails_with "Operation not supported" "pause $(basename "$S")" power
