# shellcheck shell=bash
# Beside cloud.bash: one edit, done by real programs, of tags, name and description; accepted and
# refused. Each changes the word db to web.
#
#   try NAME FUNCTION [OPTIONS]: FUNCTION FILE TEXT does it; TEXT is the whole new content.

# editors_begin: a cloud, a mount, and what is edited.
editors_begin() {
    cf_start_sim --servers 4 --images 6
    setting '{"freeze":true}'
    cf_mount ttl=600 rate=0 action_limit=none # more writes than a person makes
    local server image
    server=$(sim GET /_sim/servers | jq -r 'map(.id) | sort | .[0]')
    image=$(sim GET /_sim/images | jq -r 'map(select(.visibility == "private").id) | sort | .[0]')
    SERVER=$PROFILE/servers/by-id/$server
    IMAGE=$PROFILE/images/by-id/$image
    declare -gA FILE=([tags]=$SERVER/tags [name]=$IMAGE/name [description]=$IMAGE/description)
    # What is there first, what the file shows after the edit, and the cloud's route.
    declare -gA FIRST=([tags]=$'db\nkeep\nprod' [name]=old-db [description]=$'a db here\na second line')
    declare -gA AFTER=([tags]=$'keep\nprod\nweb' [name]=old-web [description]=$'a web here\na second line')
    declare -gA ROUTE=([tags]="POST /v1/servers/{id}/tags" [name]="PATCH /v1/images/{id}"
        [description]="PATCH /v1/images/{id}")
    ATTRIBUTES=$(awk -F '\t' 'sub("^(servers|images)/by-id/<id>/", "", $1) { sub("/.*", "", $1); print $1 }' \
        "$MNT/.cirrusfs/attributes.tsv")
    mkdir "$CF_TMP/home"
    export HOME=$CF_TMP/home TERM=xterm
    cat "$SERVER/tags" >/dev/null
}

# in_cloud KIND: as the cloud has it.
in_cloud() {
    case $1 in
    tags) sim GET "/_sim/servers/${SERVER##*/}/tags" | jq -r 'sort | .[]' ;;
    *) sim GET "/_sim/images/${IMAGE##*/}" | jq -r ".$1" ;;
    esac
}

# begin_with KIND: the first content, in one write.
begin_with() {
    printf '%s\n' "${FIRST[$1]}" >"$CF_TMP/first"
    dd if="$CF_TMP/first" of="${FILE[$1]}" bs=4096 conv=notrunc status=none
    forget_requests
}

# scratch_files: what is beside the attributes, in both directories.
scratch_files() {
    find "$SERVER" "$IMAGE" -mindepth 1 -maxdepth 1 -printf '%f\n' | grep -vxF "$ATTRIBUTES" || true
}

lines_of() { printf '%s\n' "$1" | wc -l; }

# try NAME FUNCTION [lines] [again] [calls=N] [refused=N] [says=REGEX] [no-status] [keeps-backup]
#     [backups] [adds] [KIND…]
# lines: one call a line; again: and of several lines the second one is tried when the first one is
# refused; calls, refused: the number of change calls of the accepted and the refused edit (1); says:
# what the program prints of EBUSY; no-status: it exits with 0 whatever happens; keeps-backup: of the
# refused edit it may leave a backup, and may give up before its last call; backups: it leaves one of every
# edit; adds: it adds the word "extra" and takes nothing away.
try() {
    local name=$1 edit=$2 option kind kinds=() calls=1 refused=1 status_counts=1
    local says='[Dd]evice or resource busy' per_line= again= backup= backups= adds=
    shift 2
    for option in "$@"; do
        case $option in
        lines) per_line=1 ;;
        again) again=1 ;;
        calls=*) calls=${option#*=} ;;
        refused=*) refused=${option#*=} ;;
        says=*) says=${option#*=} ;;
        no-status) status_counts= ;;
        keeps-backup) backup=1 ;;
        backups) backup=1 backups=1 ;;
        adds) adds=1 ;;
        *) kinds+=("$option") ;;
        esac
    done
    [ ${#kinds[@]} -gt 0 ] || kinds=(tags name description)
    for kind in "${kinds[@]}"; do
        [ -z "$per_line" ] || calls=$(lines_of "${FIRST[$kind]}")
        [ -z "$again" ] || refused=$((calls > 1 ? 2 : 1))
        try_accepted
        try_refused
    done
}

run_edit() {
    local text=${FIRST[$kind]/db/web}
    [ -z "$adds" ] || text=extra
    status=0
    output=$("$edit" "${FILE[$kind]}" "$text" 2>&1 </dev/null) || status=$?
}

# after_edit: what the file shows then. A name is one value: what is added to it replaces it.
after_edit() {
    case ${adds:-0}$kind in
    1tags) printf '%s\n' db extra keep prod ;;
    1name) echo extra ;;
    1*) printf '%s\n' "${FIRST[$kind]}" extra ;;
    *) printf '%s\n' "${AFTER[$kind]}" ;;
    esac
}

# conforms OPERATION RESULT FAILED: the result, unless cases have failed since there were FAILED.
conforms() {
    [ "$CF_FAILED" -eq "$3" ] && cf_conform "$name" "$1" "$2" || cf_conform "$name" "$1" "fails"
}

try_accepted() {
    local status output failed=$CF_FAILED expected
    expected=$(after_edit)
    begin_with "$kind"
    cf_section "$name: $kind"
    run_edit
    is "$status" 0 "exits with 0"
    is "$(cat "${FILE[$kind]}")" "$expected" "the content"
    is "$(in_cloud "$kind")" "$expected" "the cloud has it"
    is "$(calls changes)" "$calls" "change calls"
    [ -z "$backups" ] || take_backup
    is "$(scratch_files)" "" "no scratch file is left"
    conforms "$([ -n "$adds" ] && echo "adds to" || echo "edits"): $kind" "works; change calls: $calls${backups:+; leaves its backup}" "$failed"
}

try_refused() {
    local status output failed=$CF_FAILED result="says so"
    begin_with "$kind"
    cf_section "$name: $kind, refused"
    fault code "${ROUTE[$kind]}" '"code":"001012","message":"not now"'
    run_edit
    no_faults
    [ -z "$status_counts" ] || isnt "$status" 0 "exits with another status than 0"
    like "$output" "$says" "it says why"
    is "$(cat "${FILE[$kind]}")" "${FIRST[$kind]}" "the content stays"
    is "$(in_cloud "$kind")" "${FIRST[$kind]}" "the cloud has the old"
    if [ -n "$backup" ]; then
        # How far it comes in putting the old text back is the program's business, and its timing's.
        like "$(calls changes)" "^[1-$refused]\$" "change calls"
        take_backup
    else
        is "$(calls changes)" "$refused" "change calls"
    fi
    is "$(scratch_files)" "" "no scratch file is left"
    [ -n "$says" ] || result="does not say so"
    [ -z "$status_counts" ] && result+=" (an interactive program)" || result+=", exit status not 0"
    conforms "$([ -n "$adds" ] && echo "adds to, refused" || echo "edits, refused"): $kind" "$result; the old content stays" "$failed"
}

# take_backup: what it left beside; a backup is the old content.
take_backup() {
    local file
    while read -r file; do
        [ -n "$file" ] || continue
        case $file in
        "#$kind#") ;;
        "${kind%?}"?"~")
            is "$(cat "${FILE[$kind]%/*}/$file")" "${FIRST[$kind]}" "its backup has the old content"
            ;;
        *) fail "nothing else is left" "$file" ;;
        esac
        rm -f "$SERVER/$file" "$IMAGE/$file"
    done <<<"$(scratch_files)"
}

# try_where PROGRAM …: try, where the program is there.
try_where() {
    if command -v "$1" >/dev/null; then
        try "${@:2}"
    else
        CF_SECTION=
        cf_absent "$2" "there is no $1 here"
    fi
}
