# shellcheck shell=bash
# One set of cases for every cloud: what the operations of the cross-provider table do through the
# files, and what goes over the wire for them. Sourced by tests/mount/contract-NAME.sh:
#
#   CF_DIALECT=NAME
#   . "$(dirname "$0")/../contract/cases.bash"
#   run_contract
#
# A cloud is a file NAME.bash beside this one, written by hand from its documents and knowing
# nothing of the provider: how its records look, the WIRE of each operation ("-": it has no such
# call; then the file is not there, or cannot be written and the word is not among the choices), and
# each row of its states with the portable word. A case is named "OPERATION × CLOUD".
CONTRACT=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lib.sh
. "$CONTRACT/../lib.sh"
# shellcheck source=tests/mount/cloud.bash
. "$CONTRACT/../mount/cloud.bash"
# shellcheck source=/dev/null
. "$CONTRACT/$CF_DIALECT.bash"
cf_need jq curl python3

N_SERVERS=250
N_IMAGES=120

# --- words ---------------------------------------------------------------------------------------

cell() { cf_section "$1 × $CF_DIALECT"; }

# add_server ID NAME [JSON], add_image ID NAME [JSON]: in the cloud; shown after the next refresh.
add_server() { sim POST /_sim/servers "$(make_server "$@")" >/dev/null; }
add_image() { sim POST /_sim/images "$(make_image "$@")" >/dev/null; }

# changes [--all]: what reached the cloud since forget_requests, as the WIRE has it.
changes() {
    sim GET /_sim/requests | python3 "$CONTRACT/wire.py" "$STYLE" "$@" | awk '
        { printf "%s%s", (NR > 1 ? "; " : ""), $0 }'
}

# route_calls ROUTE: how often it was called, whatever its name looks like.
route_calls() { sim GET /_sim/counters | jq --arg route "$1" '.by[$route] // 0'; }

# wire_is OPERATION ID [--all]: it went over the wire so.
wire_is() {
    local expected=${WIRE[$1]//@/$2} actual
    actual=$(changes "${@:3}")
    # shellcheck disable=SC2053 # a pattern
    if [[ $actual == $expected ]]; then
        pass "the wire: ${WIRE[$1]}"
    else
        fail "the wire: ${WIRE[$1]}" "got:      $actual" "expected: $expected"
    fi
}

# has OPERATION: whether this cloud has such a call.
has() { [ "${WIRE[$1]}" != - ]; }

# settle: what the cloud was about to do is done, and shows.
settle() {
    advance 60000
    refresh
}

# not_writable FILE VALUE: absent, or read-only; and nothing is sent.
not_writable() {
    forget_requests
    if ! [ -e "$1" ]; then
        pass "the file is not there"
    else
        is "$(stat -c %A "$1" | tr -d r-)" "" "the mode says that it cannot be written"
        if put "$2" "$1" 2>/dev/null; then
            fail "a write fails"
        else
            pass "a write fails"
        fi
    fi
    is "$(changes)" "" "nothing was sent"
}

# --- operations ----------------------------------------------------------------------------------

case_authenticate() {
    cell authenticate
    cf_expect_log '\[wrong\]|wrong:'
    (
        umask 077
        {
            echo "[sim]"
            cf_profile_lines
            echo "[wrong]"
            cf_profile_lines fake-wrong-secret
        } >"$CF_TMP/config"
    )
    cf_mount ttl=300 rate=0 patience=30 page_size=100 allow_delete
    ok "the right key works" wait_until 10 says "$PROFILE/health" '^ok '
    is "$(cat "$PROFILE/provider")" "$CF_DIALECT" "provider"
    ok "a wrong key is told in health" wait_until 10 says "$MNT/wrong/health" '^unauthorized '
    write_fails_with "Key was rejected by service" now "$MNT/wrong/refresh"
    ok "a listing with it fails as well" bash -c '! ls "$1" 2>/dev/null' ls "$MNT/wrong/servers/by-id"
    like "$(cat "$PROFILE/health")" '^ok ' "the other profile is not disturbed"
}

# calls of one refresh, and of any walk after it.
case_lists() {
    cell "list servers"
    ok "the mount's own first listing is over" wait_until 20 says "$PROFILE/health" '^ok '
    forget_requests
    ok "a refresh" refresh
    is "$(route_calls "$LIST_SERVERS")" 3 "paging: 250 servers are ceil(250/100) calls"
    is "$(find "$PROFILE/servers/by-id" -mindepth 1 -maxdepth 1 | wc -l)" "$N_SERVERS" "all of them are there"
    is "$(sim GET /_sim/servers | jq -r ".[].$SERVER_ID" | sort)" \
        "$(find "$PROFILE/servers/by-id" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort)" "by their ids"
    cell "list images"
    is "$(route_calls "$LIST_IMAGES")" "$IMAGE_CALLS" "paging: 120 images"
    is "$(find "$PROFILE/images/by-id" -mindepth 1 -maxdepth 1 | wc -l)" "$N_IMAGES" "all of them are there"
    cell "list servers"
    forget_requests
    find "$PROFILE/servers" "$PROFILE/images" >/dev/null 2>&1 || true
    grep -l running "$PROFILE"/servers/by-id/*/state >/dev/null || true
    is "$(calls total)" 0 "walking within the ttl costs nothing"
}

# The cloud's own search: all its pages, and no call before somebody looks into the directory.
case_search() {
    local i dir=$PROFILE/servers/search/sought.
    cell "search servers"
    for i in {1..105}; do
        echo "$(make_server "found-$i" "sought.$i a")"
    done | while read -r i; do sim POST /_sim/servers "$i"; done >/dev/null
    add_server decoy soughtX1
    add_image found-image 'sought image'
    refresh
    forget_requests
    ok "the directory is there" test -d "$dir"
    is "$(calls total)" 0 "and has cost nothing"
    ls "$dir" >"$CF_TMP/found"
    is "$(wc -l <"$CF_TMP/found")" 105 "all pages of it"
    ok "what only looks like it is not there" test ! -e "$dir/soughtX1"
    is "$(readlink "$dir/sought.7 a")" ../../by-id/found-7 "a link to the resource"
    is "$(readlink "$dir/sought.105 a")" ../../by-id/found-105 "also of the last page"
    wire_is "search servers" - --all
    cell "search images"
    forget_requests
    ok "the whole name" wait_until 10 test -e "$PROFILE/images/search/sought image/sought image"
    is "$(ls "$PROFILE/images/search/sought image")" "sought image" "and nothing else"
    wire_is "search images" - --all
}

case_show() {
    add_server "$1" shown
    add_image "$2" shown-image
    refresh
    cell "show server"
    forget_requests
    ok "raw/refresh" put now "$PROFILE/servers/by-id/$1/raw/refresh"
    wire_is "show server" "$1" --all
    is "$(jq -r ".$SERVER_ID" "$PROFILE/servers/by-id/$1/raw.json")" "$1" "raw.json is its record"
    cell "show image"
    forget_requests
    ok "raw/refresh" put now "$PROFILE/images/by-id/$2/raw/refresh"
    wire_is "show image" "$2" --all
    is "$(jq -r ".$IMAGE_ID" "$PROFILE/images/by-id/$2/raw.json")" "$2" "raw.json is its record"
    cell "show server"
    sim DELETE "/_sim/servers/$1" >/dev/null
    write_fails_with "No such file or directory" now "$PROFILE/servers/by-id/$1/raw/refresh"
    refresh # a listing and a second look
    ok "one that is gone goes" wait_until 10 is_gone "$PROFILE/servers/by-id/$1"
}

# power OPERATION ID WORD PASSING-STATE STATE
power() {
    local dir=$PROFILE/servers/by-id/$2
    cell "$1"
    forget_requests
    if ! has "$1"; then
        like_not "$(tr -d '[]' <"$dir/power_choices")" "(^|"$'\n'")$3("$'\n'"|$)" "‘$3’ is not among the choices"
        write_fails_with "Operation not supported" "$3" "$dir/power"
        is "$(changes)" "" "nothing was sent"
        return
    fi
    ok "‘$3’ is among the choices" grep -qx -e "$3" -e "\\[$3\\]" "$dir/power_choices"
    ok "‘$3’ is accepted" put "$3" "$dir/power"
    is "$(cat "$dir/state")" "$4" "the state says so at once"
    if [[ ${WIRE[$1]} == *';'* ]]; then
        # Two calls: the second follows when the first is done.
        advance 60000
        ok "the second call follows" wait_until 15 called changes 2
    fi
    settle
    ok "then it is $5" wait_until 15 reads "$dir/state" "$5"
    wire_is "$1" "$2"
    is "$(cat "$dir/last_error")" "" "no error is left"
}

case_power() {
    local id=$1
    add_server "$id" powered "$STOPPED"
    refresh
    is "$(cat "$PROFILE/servers/by-id/$id/power")" off "it is off at first"
    power start "$id" on starting running
    power "stop soft" "$id" off stopping stopped
    put on "$PROFILE/servers/by-id/$id/power"
    settle
    power "stop hard" "$id" "off hard" stopping stopped
    put on "$PROFILE/servers/by-id/$id/power"
    settle
    power "reboot soft" "$id" reboot rebooting running
    power "reboot hard" "$id" "reboot hard" rebooting running
    cell start
    forget_requests
    ok "what is so already succeeds" put on "$PROFILE/servers/by-id/$id/power"
    is "$(changes)" "" "nothing was sent"
}

case_console() {
    local dir=$PROFILE/servers/by-id/$1
    cell console
    add_server "$1" watched
    refresh
    forget_requests
    is "$(cat "$dir/console_url")" "" "there is no URL at first"
    ok "$CONSOLE is accepted" put "$CONSOLE" "$dir/console"
    wire_is console "$1"
    like "$(cat "$dir/console_url")" "$CONSOLE_LIKE" "console_url"
    is "$(stat -c '%a %s' "$dir/console_url")" "400 $(wc -c <"$dir/console_url")" "its mode and its size"
    write_fails_with "Invalid argument" no-such-console "$dir/console"
}

case_tags() {
    local dir=$PROFILE/servers/by-id/$1
    add_server "$1" tagged
    refresh
    cell "list tags"
    if ! has "replace tags"; then
        ok "there is no tags file" test ! -e "$dir/tags"
        ok "there is no by-tag" test ! -e "$PROFILE/servers/by-tag"
        cell "replace tags"
        ok "there is no tags file" test ! -e "$dir/tags"
        cell "add / remove tag"
        ok "there is no tags file" test ! -e "$dir/tags"
        return
    fi
    is "$(cat "$dir/tags")" "" "there is none"
    cell "replace tags"
    forget_requests
    ok "a set is written" bash -c 'printf "red\nblue\n" | tee "$1" >/dev/null' tee "$dir/tags"
    wire_is "replace tags" "$1"
    is "$(cat "$dir/tags")" $'blue\nred' "it shows, sorted"
    is "$(sim GET "/_sim/servers/$1/tags" | jq -c sort)" '["blue","red"]' "it is in the cloud"
    is "$(basename "$(readlink "$PROFILE/servers/by-tag/red/tagged")")" "$1" "by-tag has it"
    cell "add / remove tag"
    forget_requests
    # shellcheck disable=SC2016 # the inner shell's
    ok ">> adds" bash -c 'echo mint >>"$1"' add "$dir/tags"
    wire_is "add tag" "$1"
    is "$(sim GET "/_sim/servers/$1/tags" | jq -c sort)" '["blue","mint","red"]' "it is in the cloud"
    forget_requests
    ok "> removes" put blue "$dir/tags"
    wire_is "remove tag" "$1"
    is "$(sim GET "/_sim/servers/$1/tags" | jq -c sort)" '["blue"]' "it is in the cloud"
    cell "replace tags"
    ok "an empty line clears" put "" "$dir/tags"
    is "$(sim GET "/_sim/servers/$1/tags" | jq -c .)" '[]' "it is so in the cloud"
}

# edit OPERATION DIRECTORY ID FILE VALUE
edit() {
    cell "$1"
    if ! has "$1"; then
        not_writable "$2/$4" "$5"
        return
    fi
    forget_requests
    ok "a write" put "$5" "$2/$4"
    wire_is "$1" "$3"
    is "$(cat "$2/$4")" "$5" "it shows"
    refresh
    is "$(cat "$2/$4")" "$5" "and is so in the cloud"
}

case_names() {
    add_server "$1" old-name
    add_server "$1-2" described
    add_image "$2" old-image
    add_image "$2-2" described
    refresh
    edit "rename server" "$PROFILE/servers/by-id/$1" "$1" name renamed
    edit "describe server" "$PROFILE/servers/by-id/$1-2" "$1-2" description "new words"
    edit "rename image" "$PROFILE/images/by-id/$2" "$2" name renamed
    edit "describe image" "$PROFILE/images/by-id/$2-2" "$2-2" description "new words"
    edit "image tags" "$PROFILE/images/by-id/$2" "$2" tags gold
}

case_capture() {
    local dir=$PROFILE/servers/by-id/$1 image
    cell "image from server"
    add_server "$1" captured "$STOPPED"
    add_server "$1-2" busy
    refresh
    forget_requests
    printf 'golden\nwords\n' >"$CF_TMP/capture"
    ok "a name and a description" dd if="$CF_TMP/capture" of="$dir/capture" conv=notrunc status=none
    image=$(cat "$dir/captured")
    like "$image" '^[[:alnum:]-]+$' "captured has the new image's id"
    ok "the image is there" wait_until 10 test -d "$PROFILE/images/by-id/$image"
    is "$(cat "$PROFILE/images/by-id/$image/name" "$PROFILE/images/by-id/$image/state")" \
        $'golden\ncreating' "with its name, creating"
    advance 60000
    ok "it becomes available" wait_until 15 reads "$PROFILE/images/by-id/$image/state" available
    wire_is "image from server" "$1"
    refresh
    is "$(cat "$PROFILE/images/by-id/$image/description")" words "with its description"
    [ -z "$CAPTURE_STOPPED" ] || write_fails_with "Device or resource busy" other "$dir-2/capture"
}

case_delete() {
    local dir=$PROFILE/images/by-id/$1
    cell "delete image"
    add_image "$1" doomed
    refresh
    write_fails_with "Invalid argument" another-id "$dir/delete"
    forget_requests
    ok "its own id is accepted" put "$1" "$dir/delete"
    is "$(cat "$dir/last_error" 2>/dev/null)" "" "no error is left"
    wire_is "delete image" "$1"
    advance 60000
    refresh
    ok "it is gone, or deleted" wait_until 15 gone_or_deleted "$dir"
    ok "no view has it" test ! -e "$PROFILE/images/by-name/doomed"
}
gone_or_deleted() { ! [ -e "$1" ] || [ "$(cat "$1/state")" = deleted ]; }

# states KIND TABLE: each row's record, and the word for it.
states() {
    local add=$1 collection=$2 n=0 record word
    while read -r record word; do
        [ -n "$record" ] || continue
        n=$((n + 1))
        "$add" "state-$n" "state-$n" "$record"
    done <<<"$3"
    refresh
    n=0
    while read -r record word; do
        [ -n "$record" ] || continue
        n=$((n + 1))
        is "$(cat "$PROFILE/$collection/by-id/state-$n/state")" "$word" "$record is $word"
    done <<<"$3"
}

case_states() {
    cell "server states"
    states add_server servers "$SERVER_STATES"
    ok "deleted ones are in no other view" bash -c '! grep -lx deleted "$1"/*/state' grep \
        "$PROFILE/servers/by-name"
    cell "image states"
    states add_image images "$IMAGE_STATES"
}

case_success() {
    cell "success test"
    add_server "$1" refused
    refresh
    fault code "$REFUSED_ROUTE" "${REFUSAL[0]},\"message\":\"words of the cloud\""
    write_fails_with "${REFUSAL[1]}" reboot "$PROFILE/servers/by-id/$1/power"
    no_faults
    like "$(cat "$PROFILE/servers/by-id/$1/last_error")" "words of the cloud" "the cloud's own words"
}

case_secrets() {
    local dir=$PROFILE/servers/by-id/$1
    cell secrets
    add_server "$1" secretive "$SECRETS"
    refresh
    is "$(cat "$dir/raw/$SECRET_FILE")" '***' "raw/ masks what is secret"
    is "$(jq -r ".$SECRET_FILE" "$dir/raw.json")" '***' "so does raw.json"
    is "$(jq -r "select(.id == \"$1\") | .raw.$SECRET_FILE" "$PROFILE/servers/list.jsonl")" '***' \
        "so does list.jsonl"
    find "$MNT/.cirrusfs" "$dir" "$MNT"/*/[a-z]*.jsonl "$MNT"/*/health -type f -perm -0400 \
        -exec cat {} + >"$CF_TMP/all"
    cat "$PROFILE"/*/list.* >>"$CF_TMP/all"
    ok "everything was read" test "$(wc -c <"$CF_TMP/all")" -gt 50000
    cat "$DAEMON_LOG" >>"$CF_TMP/all"
    is "$(grep -aoF -e fake-graphics-secret -e fake-wrong-secret -e "$CF_SECRET_KEY" -e "$CF_TOKEN" \
        "$CF_TMP/all" | sort | uniq -c)" "" "no secret in any file or in the log"
}

# unique_ids KIND MEMBER: how many there are; texts that jq does not read are among them.
unique_ids() {
    sim GET "/_sim/$1" | python3 -c '
import json, sys
print(len({json.dumps(r[sys.argv[1]]) for r in json.loads(sys.stdin.buffer.read().decode(errors="replace"))}))' "$2"
}

# Names and fields that do harm: every resource is there, and tools end well.
case_hostile() {
    cell "hostile data"
    cf_start_sim --hostile --servers 120 --images 40
    cf_config
    cf_mount -d hostile ttl=300 rate=0 patience=30 page_size=100
    cd "$PROFILE"
    is "$(find servers/by-id images/by-id -mindepth 1 -maxdepth 1 -type d | wc -l)" \
        "$(($(unique_ids servers "$SERVER_ID") + $(unique_ids images "$IMAGE_ID")))" "every one is there"
    ok "find -ls" bash -c 'find . -ls >/dev/null'
    ok "grep -r" bash -c 'grep -r --exclude=refresh -e . -e "^$" servers/by-id images/by-id 2>/dev/null |
        wc -l | grep -qv "^0$"'
    ok "tar" bash -c 'set -o pipefail; tar cf - --exclude=raw --exclude=console --exclude=capture --exclude=refresh servers images |
        tar tf - >/dev/null'
    is "$(find servers/by-name images/by-name -xtype l | wc -l)" 0 "no link of by-name dangles"
    is "$(find servers/by-* images/by-* -mindepth 1 -maxdepth 2 -type l -lname '/*' | wc -l)" 0 \
        "no link leaves the mount"
    is "$(calls changes)" 0 "nothing was changed in the cloud"
    cd /
    cf_umount
}

# rehearsed OPERATION ID: the last line of the journal has the request that wire_is would see.
rehearsed() {
    local expected=${WIRE[$1]//@/$2} actual
    actual=$(journal 'map(select(.kind == "action")) | last | select(.result == "dry_run") | .requests' |
        python3 "$CONTRACT/wire.py" "$STYLE" --journal | awk '{ printf "%s%s", (NR > 1 ? "; " : ""), $0 }')
    # shellcheck disable=SC2053 # a pattern
    if [[ $actual == $expected ]]; then
        pass "the journal has the request: ${WIRE[$1]}"
    else
        fail "the journal has the request: ${WIRE[$1]}" "got:      $actual" "expected: $expected"
    fi
}

# rehearse OPERATION ID FILE VALUE
rehearse() {
    cell "dry run, $1"
    has "$1" || return 0
    printf '%s\n' "$4" >"$CF_TMP/value"
    ok "is accepted" dd if="$CF_TMP/value" of="$3" conv=notrunc status=none
    rehearsed "$1" "$2"
}

case_dry_run() {
    local dir image
    add_server "$1" described
    add_server "$1-2" captured "$STOPPED"
    add_image "$1-image" described
    cf_mount -p sim ttl=300 rate=0 patience=30 allow_delete dry_run
    dir=$PROFILE/servers/by-id/$1 image=$PROFILE/images/by-id/$1-image
    forget_requests
    rehearse "stop soft" "$1" "$dir/power" off
    rehearse "stop hard" "$1" "$dir/power" 'off hard'
    rehearse "reboot soft" "$1" "$dir/power" reboot
    rehearse "reboot hard" "$1" "$dir/power" 'reboot hard'
    rehearse "start" "$1-2" "$dir-2/power" on
    rehearse "console" "$1" "$dir/console" "$CONSOLE"
    rehearse "replace tags" "$1" "$dir/tags" $'red\nblue'
    rehearse "rename server" "$1" "$dir/name" renamed
    rehearse "describe server" "$1" "$dir/description" "new words"
    rehearse "image from server" "$1-2" "$dir-2/capture" $'golden\nwords'
    rehearse "rename image" "$1-image" "$image/name" renamed
    rehearse "describe image" "$1-image" "$image/description" "new words"
    rehearse "image tags" "$1-image" "$image/tags" gold
    rehearse "delete image" "$1-image" "$image/delete" "$1-image"
    cell "dry run"
    is "$(calls changes)" 0 "nothing was sent"
    is "$(cat "$dir/state" "$dir-2/state" "$image/name")" $'running\nstopped\ndescribed' "nothing changes"
    is "$(grep -icF -e "$CF_SECRET_KEY" -e "$CF_TOKEN" -e "$CF_ACCESS_KEY" -e signature \
        "$PROFILE/journal.jsonl")" 0 "the journal has no key and no signature"
    cf_umount
    sim DELETE "/_sim/servers/$1" >/dev/null
    sim DELETE "/_sim/servers/$1-2" >/dev/null
    sim DELETE "/_sim/images/$1-image" >/dev/null
}

run_contract() {
    cf_start_sim --servers "$N_SERVERS" --images "$N_IMAGES" --transition 60000
    setting '{"freeze":true}'
    case_dry_run dry-1
    case_authenticate
    case_lists
    case_search
    case_show show-1 show-image-1
    case_power power-1
    case_console console-1
    case_tags tags-1
    case_names name-1 name-image-1
    case_capture capture-1
    case_delete doomed-1
    case_states
    case_success refused-1
    case_secrets secret-1
    cf_umount
    case_hostile
}
