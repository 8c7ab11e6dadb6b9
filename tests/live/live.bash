# shellcheck shell=bash
# What every live test sources: an OpenStack that is named by OS_CLOUD (clouds.yaml), a mount on it,
# and the openstack command, whose word is the truth. What a test makes is called $LIVE_PREFIX…, and
# is taken away at its end; nothing else is changed. What else there may be:
#   LIVE_OP_DELAY  seconds that the cloud's operations take, where somebody has made them slow
#   LIVE_LAB, LAB_STATE  the cloud is a lab of our own (lab.bash): services may be stopped
#   LIVE_OSC       a directory with the two ends of an openstack command that several tests share (osc)
#
#   . "$(dirname "$0")/live.bash"
#   live_mount ttl=2
#   live_boot one
#   ok "it stops" write "$SERVERS/by-name/$LIVE_PREFIX-one/power" off
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../mount/tools/cloud.sh" # metric, and others that need no simulator

cf_need openstack python3
[ -n "${OS_CLOUD:-}" ] || cf_skip_all "OS_CLOUD names no cloud"
export OS_COMPUTE_API_VERSION=${OS_COMPUTE_API_VERSION:-2.90}
LIVE_PREFIX=cirrusfs-live-$$
LIVE_PYTHON=$(python3 -c 'import sys; print(sys.executable)') # python3 may be a script that looks for it
LIVE_TOOLS=$(cd "$(dirname "${BASH_SOURCE[0]}")/tools" && pwd)

# live_mount [-d NAME] OPTION…: sets SERVERS and IMAGES besides what cf_mount sets.
live_mount() {
    local name=mnt
    if [ "${1:-}" = -d ]; then
        name=$2
        shift 2
    fi
    (umask 077 && printf '[live]\nprovider = openstack\ncloud = %s\n' "$OS_CLOUD" >"$CF_TMP/$name.conf")
    cf_mount -c "$CF_TMP/$name.conf" -d "$name" -p live rate=0 "$@"
    SERVERS=$PROFILE/servers
    IMAGES=$PROFILE/images
    export SERVERS IMAGES
    if [ -z "${LIVE_REGION+set}" ]; then
        LIVE_REGION=$(osc configuration show -f value -c region_name)
        [ "$LIVE_REGION" != None ] || LIVE_REGION= # the catalogue's first
        export LIVE_REGION
    fi
}

# osc ARGUMENTS…: one command of openstack, and what it prints, errors included. All go to one
# process, of the test's own or (LIVE_OSC) of several tests: starting it takes seconds, most commands
# a tenth of one.
osc() { printf '%s\n' "$(printf '%q ' "$@")" | osc_all; }
# osc_all: the same of many, one a line.
osc_all() {
    local line end=cirrusfs-end-$BASHPID-$SRANDOM over='' text=()
    flock 42
    { cat && echo "!echo $end"; } >&40 & # it may be more than fits in between
    while [ -z "$over" ] && IFS= read -r -u 41 line; do
        case $line in
        *"$end")
            over=1
            line=${line%"$end"}
            [ -z "$line" ] || text+=("$line")
            ;;
        *cirrusfs-end-*) text=() ;; # what a test has left there that was ended
        *) text+=("$line") ;;
        esac
    done
    flock -u 42
    [ ${#text[@]} -eq 0 ] || printf '%s\n' "${text[@]}"
    [ -n "$over" ]
}
# The numbers are there in $(…), too, unlike those that bash gives a coprocess.
if [ -n "${LIVE_OSC:-}" ]; then
    exec 40<>"$LIVE_OSC/in" 41<"$LIVE_OSC/out" 42>"$LIVE_OSC/lock"
else
    coproc LIVE_OWN_OSC { PYTHONUNBUFFERED=1 exec openstack 2>&1; }
    exec 40>&"${LIVE_OWN_OSC[1]}" 41<&"${LIVE_OWN_OSC[0]}" 42>"$CF_TMP/lock"
    live_osc_pid=$LIVE_OWN_OSC_PID
fi

# A public image to boot from, and the flavour with the least memory.
live_pick() {
    osc image list --status active --public -f value -c ID >"$CF_TMP/picked"
    LIVE_IMAGE=$(awk 'NR == 1' "$CF_TMP/picked")
    osc flavor list -f value -c ID -c RAM --sort-column RAM >"$CF_TMP/picked"
    LIVE_FLAVOR=$(awk 'NR == 1 { print $1 }' "$CF_TMP/picked")
    [ -n "$LIVE_IMAGE" ] && [ -n "$LIVE_FLAVOR" ] || cf_skip_all "no public image or no flavour"
}

# live_create NAME [ARGUMENTS…]: sets LIVE_ID to the new server's, which is about to be built.
live_create() {
    local name=$LIVE_PREFIX-$1
    shift
    osc server create --image "$LIVE_IMAGE" --flavor "$LIVE_FLAVOR" --network none \
        -f value -c id "$@" "$name" >"$CF_TMP/booted"
    LIVE_ID=$(grep -oE '^[0-9a-f-]{36}$' "$CF_TMP/booted") || {
        fail "a server is made" "$(cat "$CF_TMP/booted")"
        exit 1
    }
}

# live_boot NAME [ARGUMENTS…]: the same, and returns when it runs, after all that were asked for before
# it: a lab may be being filled, and goes slower when it is asked all the time. (The command's own
# --wait looks only every five seconds, here and in live_delete.)
live_boot() {
    live_create "$@"
    live_pause_ds=3
    wait_until 180 live_boots "$LIVE_ID" || {
        fail "a server boots" "$(osc server show "$LIVE_ID")"
        exit 1
    }
}
live_boots() {
    ! live_status_is ACTIVE "$1" || return 0
    sleep $((live_pause_ds / 10)).$((live_pause_ds % 10))
    live_pause_ds=$((live_pause_ds < 30 ? live_pause_ds + 3 : 30))
    return 1
}
live_status_is() { [ "$(osc server show -f value -c status "$2")" == "$1" ]; }

# live_delete ID: returns when the command finds it no more.
live_delete() {
    osc server delete "$1"
    wait_until 60 live_is_gone "$1"
}
live_is_gone() { [[ $(osc server show -f value -c status "$1") == "No server with a name or ID"* ]]; }

# write FILE VALUE: as a shell does it; append likewise. write_lines FILE LINE…: in one WRITE.
write() { printf '%s\n' "$2" >"$1"; }
append() { printf '%s\n' "$2" >>"$1"; }
write_lines() {
    local file=$1
    shift
    printf '%s\n' "$@" | tee "$file"
}

# live_errno NAME FILE VALUE: what `write` fails with; "ok" when it does not. In the errno's name.
live_errno() {
    "$LIVE_PYTHON" -c '
import errno, os, sys
try:
    fd = os.open(sys.argv[1], os.O_WRONLY)
    os.write(fd, (sys.argv[2] + "\n").encode())
except OSError as error:
    print({95: "EOPNOTSUPP"}.get(error.errno, errno.errorcode[error.errno]))
else:
    print("ok")' "$1" "$2"
}

# refused FILE VALUE ERRNO WORDS NAME: it fails so, and last_error has the cloud's words.
refused() {
    local file=$1 value=$2 expected=$3 words=$4 name=$5
    is "$(live_errno "$file" "$value")" "$expected" "$name: $expected"
    like "$(cat "$(dirname "$file")/last_error")" "$words" "$name: the cloud's own words"
}

# live_same servers|images ID NAME: each attribute is what the command says, once nothing is under way in
# its eyes. What it says is told() from then on.
live_same() {
    local kind=$1 id=$2 name=$3 before status=3
    local end_s=$((SECONDS + 60 * CF_SLOW))
    while [ "$SECONDS" -lt "$end_s" ]; do
        tell "$kind" "$id"
        status=0
        compare "$kind" "$CF_SECTION$name: every attribute" || status=$?
        [ "$status" -ne 0 ] || break
        before=$(<"$CF_TMP/told")
        [ "$status" -ne 3 ] || sleep 0.1
        # What differs is wrong if the command says so still; else something has changed between the two.
        tell "$kind" "$id"
        [ "$status" -eq 3 ] || [ "$(<"$CF_TMP/told")" != "$before" ] || break
    done
    count_failed
    grep -q ' is as the command says$' "$CF_TMP/compare.out" ||
        fail "$name: it settles, and the command tells of it" "$before"
}
# tell KIND ID: asks the command. told EXPRESSION: of what it has said last, by jq.
tell() { osc "${1%s}" show -f json "$2" >"$CF_TMP/told"; }
told() { jq -r "$1" "$CF_TMP/told"; }

# compare KIND [CASE]: what $CF_TMP/told has, with the files; status 3: it is not settled (with CASE).
# count_failed: what came of it, case by case.
compare() {
    "$LIVE_PYTHON" "$LIVE_TOOLS/compare.py" "$1" "$PROFILE/$1" "${@:2}" <"$CF_TMP/told" \
        >"$CF_TMP/compare.out"
}
count_failed() {
    cat "$CF_TMP/compare.out"
    CF_FAILED=$((CF_FAILED + $(grep -c '^not ok' "$CF_TMP/compare.out" || true)))
}

# live_compare servers|images ID…: the files of these are what the command says, now.
live_compare() {
    local kind=$1 id
    shift
    for id in "$@"; do
        printf '%s show -f json %q\n' "${kind%s}" "$id"
    done | osc_all >"$CF_TMP/told"
    write "$PROFILE/refresh" now
    compare "$kind" || true
    count_failed
    is "$(grep -c '^# '"$#"' compared' "$CF_TMP/compare.out")" 1 "$kind: the command told of all $#"
}

# Whatever bears the test's name goes, also when the test died.
live_clean_up() {
    local kind id
    for kind in server image; do
        osc "$kind" list -f value -c ID -c Name >"$CF_TMP/made"
        for id in $(awk -v prefix="$LIVE_PREFIX" 'index($2, prefix "-") == 1 { print $1 }' "$CF_TMP/made"); do
            osc "$kind" delete "$id"
        done
    done >/dev/null 2>&1
    exec 40>&- 41<&- 42>&-
    [ -z "${live_osc_pid:-}" ] || kill "$live_osc_pid"
}
live_end() {
    local status=$?
    trap - EXIT ERR
    set +e
    live_clean_up 2>/dev/null
    (exit "$status")
    cf_cleanup
}
trap live_end EXIT
