#!/usr/bin/env bash
# What Nova has and the other clouds have not, through the mount: pause, suspend, shelve, locks,
# metadata, faults, the console's output. After each action every attribute is what the openstack
# command says.
. "$(dirname "$0")/live.bash"

live_pick
live_boot one --property role=web --property tier=one
id=$LIVE_ID
live_mount ttl=60
S=$SERVERS/by-id/$id
ok "the new server is there" test -d "$S"

after() { live_same servers "$id" "after $1"; }
after "its making"

cf_section "power"
while read -r verb state power status; do
    ok "$verb" write "$S/power" "$verb"
    like "$(cat "$S/state")" "^(stopping|starting|$state)\$" "$verb: it shows at once"
    ok "$verb: it becomes $state" wait_until 90 reads "$S/state" "$state"
    is "$(cat "$S/power")" "$power" "$verb: power reads $power"
    after "$verb"
    like "$(told .status)" "^($status)\$" "$verb: the command says so"
    ok "$verb once more does no harm" write "$S/power" "$verb"
    case $state in
    paused) is "$(sed -n 's/^\[\(.*\)\]$/\1/p' "$S/power_choices")" pause "the present choice" ;;
    suspended) is "$(sed -n 's/^\[\(.*\)\]$/\1/p' "$S/power_choices")" suspend "the present choice" ;;
    esac
    [ "$verb" != pause ] ||
        refused "$S/power" suspend EBUSY "vm_state paused" "suspending a paused server"
done <<'STEPS'
pause paused paused PAUSED
unpause running on ACTIVE
suspend suspended suspended SUSPENDED
resume running on ACTIVE
shelve stopped off SHELVED|SHELVED_OFFLOADED
unshelve running on ACTIVE
STEPS

cf_section "lock"
ok "lock" write "$S/lock" 1
is "$(cat "$S/lock")" 1 "it shows at once"
after "lock"
is "$(told .locked)" true "the command says so"
if [[ $(osc server list --all-projects --limit 1 -f value -c ID) =~ ^[0-9a-f-]{36}$ ]]; then
    skip "a locked server" "an administrator is not stopped by a lock"
else
    refused "$S/power" off EBUSY "locked" "stopping a locked server"
    is "$(live_errno "$S/metadata/role" db)" EBUSY "metadata of a locked server: EBUSY"
    like "$(cat "$S/last_error")" "locked" "metadata of a locked server: the cloud's own words"
    after "refusals"
fi
ok "unlock" write "$S/lock" 0
is "$(cat "$S/lock")" 0 "it shows at once, too"
after "unlock"
is "$(told .locked)" false "the command says so, too"
ok "lock with a reason" write "$S/locked_reason" "mine: ü"
is "$(cat "$S/lock") $(cat "$S/locked_reason")" "1 mine: ü" "both show at once"
after "lock with a reason"
is "$(told .locked_reason)" "mine: ü" "the command says the reason"
is "$(live_errno "$S/locked_reason" "another")" EBUSY "another reason: EBUSY"
ok "the same one does no harm" write "$S/locked_reason" "mine: ü"
ok "unlock again" write "$S/lock" 0
after "unlock again"
is "$(told .locked_reason)" null "the reason is gone, too"

cf_section "metadata"
is "$(find "$S/metadata" -type f -printf '%f\n' | sort | xargs)" "role tier" "a file for each key"
is "$(cat "$S/metadata/role")" web "its value"
ok "change" write "$S/metadata/role" "db ü"
after "a change"
is "$(told .properties.role)" "db ü" "the command says so"
ok "make" write "$S/metadata/my.new key" "a=b"
after "a new key"
is "$(told '.properties["my.new key"]')" "a=b" "the command has the new one"
ok "sed -i" sed -i 's/db/DB/' "$S/metadata/role"
after "sed -i"
is "$(told .properties.role)" "DB ü" "the command has what sed made of it"
ok "take away" write "$S/metadata/tier" ""
after "taking away"
is "$(told '.properties | keys | join(",")')" "my.new key,role" "one went, and nothing else came"
ok "its file is gone" test ! -e "$S/metadata/tier"
osc server set --property role=theirs "$id"
is "$(live_errno "$S/metadata/role" ours)" ESTALE "changed meanwhile: ESTALE"
is "$(cat "$S/metadata/role")" theirs "what is there is shown"
is "$(live_errno "$S/metadata/role" "$(printf 'v%.0s' {1..256})")" E2BIG "256 characters: E2BIG"
ok "255 are taken" write "$S/metadata/role" "$(printf 'v%.0s' {1..255})"
after "255 characters"
touch "$S/metadata/later"
tell servers "$id"
is "$(told '.properties | keys | join(",")')" "my.new key,role" "a file that is not written is no key"
rm "$S/metadata/later"

cf_section "console.log"
is "$(wc -c <"$S/console.log")" 0 "empty before"
ok "fetch" write "$S/console.log" fetch
osc console log show "$id" >"$CF_TMP/console"
is "$(tail -c 65536 "$S/console.log")" "$(cat "$CF_TMP/console")" "what the command shows"
after "fetching the console's output"

cf_section "fault"
ok "none of a server that runs" test ! -e "$S/fault"
# Not one that another test has made and takes away; refusals.sh looks at its own.
failed=$(osc server list --status ERROR -f value -c ID -c Name |
    awk 'length($1) == 36 && $2 !~ /^cirrusfs-live-/ && !n++ { print $1 }')
if [ -z "$failed" ]; then
    skip "the fault of a server in error" "there is none in error"
else
    osc server show -f json "$failed" >"$CF_TMP/failed"
    is "$(head -n 1 "$SERVERS/by-id/$failed/fault")" \
        "$(jq -r '.fault | "\(.code): \(.message)"' "$CF_TMP/failed" | sed 's/ *$//')" \
        "the command says the same"
fi
