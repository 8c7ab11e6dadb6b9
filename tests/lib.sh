# shellcheck shell=bash
# What every mount test sources: a simulated cloud, a mount on it, cases, and an end that leaves
# nothing behind. tests/run runs the tests; one alone: CIRRUSFS=build/cirrusfs bash tests/mount/X.sh
#
#   . "$(dirname "$0")/../lib.sh"
#   cf_start_sim --servers 5
#   cf_mount ttl=1
#   is "$(cat "$PROFILE/provider")" inspur "the provider is told"
#
# Each case prints "ok - NAME", "not ok - NAME" or "ok - NAME # SKIP WHY". The test fails also when
# the daemon logs a warning or an error that was not announced (cf_expect_log), ends with another
# status than 0, leaves a process or a mount behind, or a sanitizer has complained.
set -euo pipefail

CIRRUSFS=${CIRRUSFS:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/build-test/cirrusfs}
[[ $CIRRUSFS == /* ]] || CIRRUSFS=$PWD/$CIRRUSFS
CF_TOKEN=fake-token-for-tests # for anything that wants one
CF_DIALECT=${CF_DIALECT:-inspur} # the cloud that cf_start_sim plays and cf_config speaks to
CF_ACCESS_KEY=FAKEACCESSKEYFORTESTS
CF_SECRET_KEY=fake-secret-key-for-tests
CF_SLOW=${CF_SLOW:-1}         # deadlines are multiplied by it (sanitizers, valgrind)
CF_MODE=${CF_MODE:-plain}     # plain, asan, tsan or valgrind
read -ra CF_WRAP <<<"${CF_WRAP:-}" # what the program runs under

CF_TMP=$(mktemp -d "${TMPDIR:-/tmp}/cirrusfs-test-XXXXXX")
export XDG_STATE_HOME=$CF_TMP/state # nothing of a test's is in anybody's own
CF_FAILED=0
CF_SECTION=
CF_EXPECTED_LOG=()
CF_SIM_PIDS=()
declare -A CF_DAEMON_PIDS=() # by mount point
CF_DAEMON_N=0
SIM_URL=
MNT=
PROFILE=
DAEMON_PID=
DAEMON_LOG=

# --- cases ---------------------------------------------------------------------------------------

# cf_section NAME: the names of the cases that follow begin with it.
cf_section() {
    CF_SECTION="$1: "
    echo "# $1"
}

pass() { echo "ok - $CF_SECTION$1"; }

# fail NAME [DETAIL…]
fail() {
    CF_FAILED=$((CF_FAILED + 1))
    echo "not ok - $CF_SECTION$1"
    shift
    [ $# -eq 0 ] || printf '%s\n' "$@" | sed 's/^/#   /'
}

# skip NAME WHY
skip() { echo "ok - $CF_SECTION$1 # SKIP $2"; }

# cf_conform PROGRAM OPERATION RESULT: a line for doc/conformance.md (see tests/conformance). What is
# told twice must be told alike.
cf_conform() {
    [ -z "${CF_CONFORMANCE:-}" ] || printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$CF_CONFORMANCE"
}

# cf_absent PROGRAM WHY: skips it; the page keeps what it says of it.
cf_absent() {
    skip "$1" "$2"
    cf_conform "$1" - absent
}

# ok NAME COMMAND…: it succeeds.
ok() {
    local name=$1 output status=0
    shift
    output=$("$@" 2>&1) || status=$?
    if [ "$status" -eq 0 ]; then
        pass "$name"
    else
        fail "$name" "\$ $*" "$output" "exit status $status"
    fi
}

# is ACTUAL EXPECTED NAME
is() {
    if [ "$1" == "$2" ]; then
        pass "$3"
    else
        fail "$3" "got:      $1" "expected: $2"
    fi
}

# isnt ACTUAL UNEXPECTED NAME
isnt() {
    if [ "$1" != "$2" ]; then
        pass "$3"
    else
        fail "$3" "got: $1"
    fi
}

# like ACTUAL REGEX NAME: POSIX extended; like_not is its contrary.
like() {
    if [[ $1 =~ $2 ]]; then
        pass "$3"
    else
        fail "$3" "got:        $1" "not like:   $2"
    fi
}
like_not() {
    if [[ $1 =~ $2 ]]; then
        fail "$3" "got:        $1" "like:       $2"
    else
        pass "$3"
    fi
}

# at_most ACTUAL LIMIT NAME: whole numbers.
at_most() {
    if [ "$1" -le "$2" ]; then
        pass "$3"
    else
        fail "$3" "got $1, more than $2"
    fi
}

# at_most_memory KIB LIMIT NAME: says nothing under a sanitizer, which needs memory itself.
at_most_memory() {
    if [ "$CF_MODE" = plain ]; then
        at_most "$@"
    else
        skip "$3" "not measured under $CF_MODE"
    fi
}

# cmd_fails_with TEXT COMMAND…: it fails, and what it prints holds the text. Names itself.
cmd_fails_with() {
    local text=$1
    shift
    cf_fails_with "$text" "$*" "$@"
}

# write_fails_with TEXT VALUE FILE: `echo VALUE > FILE`, as a shell does it. Names itself.
write_fails_with() {
    # shellcheck disable=SC2016 # the inner shell's
    cf_fails_with "$1" "echo $2 > $3" bash -c 'printf "%s\n" "$1" >"$2"' echo "$2" "$3"
}

# cf_fails_with TEXT NAME COMMAND…
cf_fails_with() {
    local text=$1 name="$2 fails with: $1" output status=0
    shift 2
    name=${name//"${PROFILE:-$CF_TMP}"\//}
    name=${name//"$CF_TMP"\//}
    name=${name//$'\n'/ }
    output=$("$@" 2>&1) || status=$?
    if [ "$status" -ne 0 ] && [[ $output == *"$text"* ]]; then
        pass "$name"
    else
        fail "$name" "exit status $status" "$output"
    fi
}

# wait_until SECONDS COMMAND…: polls it every 20 ms; false when the time is over.
wait_until() {
    local end_ms=$((${EPOCHREALTIME/./} / 1000 + $1 * 1000 * CF_SLOW))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $((${EPOCHREALTIME/./} / 1000)) -lt "$end_ms" ] || return 1
        sleep 0.02
    done
}

# reads FILE VALUE: for wait_until.
reads() { [ "$(cat "$1")" == "$2" ]; }

# milliseconds COMMAND…: how long it took; what it prints goes to stderr.
milliseconds() {
    local begin_us=${EPOCHREALTIME/./}
    "$@" >&2 || true
    echo $(((${EPOCHREALTIME/./} - begin_us) / 1000))
}

# cf_need COMMAND…: skips the whole test where one is missing.
cf_need() {
    local tool
    for tool in "$@"; do
        command -v "$tool" >/dev/null || cf_skip_all "there is no $tool here"
    done
}

cf_skip_all() {
    echo "# skipped: $1"
    exit 77
}

# --- the simulated cloud -------------------------------------------------------------------------

cirrusfs() { "${CF_WRAP[@]}" "$CIRRUSFS" "$@"; }

# cf_start_sim [ARGUMENTS…]: a simulator of $CF_DIALECT; sets SIM_URL and SIM_PID. May be called again
# for another one.
cf_start_sim() {
    local number=${#CF_SIM_PIDS[@]}
    local port_file=$CF_TMP/sim-$number.port
    local credentials=(--access-key "$CF_ACCESS_KEY" --secret-key "$CF_SECRET_KEY")
    [ "$CF_DIALECT" != inspur ] || credentials=(--token "$CF_TOKEN")
    "${CF_WRAP[@]}" "$CIRRUSFS" simulate --dialect "$CF_DIALECT" --port 0 --port-file "$port_file" \
        "${credentials[@]}" "$@" \
        </dev/null >"$CF_TMP/sim-$number.out" 2>"$CF_TMP/sim-$number.err" &
    SIM_PID=$!
    CF_SIM_PIDS+=("$SIM_PID")
    wait_until 20 cf_sim_is_up "$port_file" || true
    if ! [ -s "$port_file" ]; then
        cat "$CF_TMP/sim-$number.err"
        echo "Bail out! the simulator does not start"
        exit 1
    fi
    SIM_URL=$(cat "$port_file")
}

cf_sim_is_up() { [ -s "$1" ] || cf_is_over "$SIM_PID"; }

# cf_stop_sim [PID]: the cloud is gone, as when a cable is pulled.
cf_stop_sim() {
    kill "${1:-$SIM_PID}" 2>/dev/null || true
    wait "${1:-$SIM_PID}" 2>/dev/null || true
}

# sim METHOD PATH [JSON]: a request to the simulator, beside the mount.
sim() {
    local arguments=(-sS --fail-with-body --max-time 20 -X "$1"
        -H "Authorization: Bearer $CF_TOKEN")
    [ $# -lt 3 ] || arguments+=(-H 'Content-Type: application/json' --data-binary "$3")
    curl "${arguments[@]}" "$SIM_URL$2"
}

# calls total|changes|reads|auth|"GET /v1/servers/{page}/{size}": what reached the simulator.
calls() {
    sim GET /_sim/counters | jq -r --arg route "$1" \
        'if ($route | test(" ")) then .by[$route] // 0 else .[$route] end'
}

# --- the mount -----------------------------------------------------------------------------------

# cf_config [LINE…]: writes $CF_TMP/config, a profile [sim] on the present simulator. Lines are
# added to the profile; what follows a line "[defaults]" goes there.
# shellcheck disable=SC2120
cf_config() {
    (
        umask 077
        {
            printf '[sim]\n'
            # shellcheck disable=SC2119
            cf_profile_lines
            [ $# -eq 0 ] || printf '%s\n' "$@"
        } >"$CF_TMP/config"
    )
}

# cf_profile_lines [SECRET]: what a profile on the present simulator consists of.
# shellcheck disable=SC2120
cf_profile_lines() {
    printf 'provider = %s\n' "$CF_DIALECT"
    case $CF_DIALECT in
    inspur) printf '%s\n' "endpoint = $SIM_URL" "auth = token" "token = ${1:-$CF_TOKEN}" ;;
    qingcloud)
        printf '%s\n' "endpoint = $SIM_URL/iaas/" "zone = pek3a" "access_key = $CF_ACCESS_KEY" \
            "secret_key = ${1:-$CF_SECRET_KEY}"
        ;;
    openstack)
        printf '%s\n' "auth_url = $SIM_URL/identity" "region = RegionOne" \
            "application_credential_id = $CF_ACCESS_KEY" \
            "application_credential_secret = ${1:-$CF_SECRET_KEY}"
        ;;
    ucloudstack)
        printf '%s\n' "endpoint = $SIM_URL/api" "region = cn" "public_key = $CF_ACCESS_KEY" \
            "private_key = ${1:-$CF_SECRET_KEY}"
        ;;
    *)
        echo "Bail out! no profile for the dialect $CF_DIALECT" >&2
        return 1
        ;;
    esac
}

# cf_mount [-c CONFIG] [-d NAME] [-p PROFILE] [OPTION…]: mounts at $CF_TMP/NAME (mnt) and waits for
# it. Without -c with the configuration of cf_config, which is written if there is none. Sets MNT,
# PROFILE ($MNT/sim, or $MNT/PROFILE), DAEMON_PID and DAEMON_LOG.
cf_mount() {
    local config=$CF_TMP/config name=mnt profile='' options=log_level=info
    local flag OPTIND=1
    while getopts c:d:p: flag; do
        case $flag in
        c) config=$OPTARG ;;
        d) name=$OPTARG ;;
        p) profile=$OPTARG ;;
        *) return 2 ;;
        esac
    done
    shift $((OPTIND - 1))

    [ -e /dev/fuse ] || cf_skip_all "there is no /dev/fuse here"
    # shellcheck disable=SC2119
    [ -e "$config" ] || cf_config
    CF_DAEMON_N=$((CF_DAEMON_N + 1))
    MNT=$CF_TMP/$name
    PROFILE=$MNT/${profile:-sim}
    DAEMON_LOG=$CF_TMP/daemon-$CF_DAEMON_N.log
    [ $# -eq 0 ] || options=$options,$(IFS=,; echo "$*")
    mkdir -p "$MNT"
    "${CF_WRAP[@]}" "$CIRRUSFS" mount -f -c "$config" -o "$options,log=$DAEMON_LOG" \
        ${profile:+"$profile"} "$MNT" \
        </dev/null >"$CF_TMP/daemon-$CF_DAEMON_N.out" 2>"$CF_TMP/daemon-$CF_DAEMON_N.err" &
    DAEMON_PID=$!
    CF_DAEMON_PIDS[$MNT]=$DAEMON_PID
    wait_until 30 cf_mount_is_over || true
    cf_is_mounted "$MNT" && return
    fail "mounts" "$(cat "$CF_TMP/daemon-$CF_DAEMON_N.err" "$DAEMON_LOG" 2>/dev/null)"
    exit 1
}

cf_mount_is_over() { cf_is_mounted "$MNT" || cf_is_over "$DAEMON_PID"; }

# Without touching it: a mount may hang.
cf_is_mounted() { awk -v mnt="$1" '$5 == mnt { found = 1 } END { exit !found }' /proc/self/mountinfo; }

# cf_umount [MNT]: unmounts, and waits for the end of the daemon, which must be a good one.
cf_umount() {
    local mnt=${1:-$MNT} status=0
    local pid=${CF_DAEMON_PIDS[$mnt]-}
    if cf_is_mounted "$mnt"; then
        # Busy is what it says while a program that has just ended still holds a file.
        wait_until 5 cf_try_umount "$mnt" || {
            fail "unmounts $(basename "$mnt")" "$(fusermount3 -u "$mnt" 2>&1)"
            fusermount3 -uz "$mnt" || umount -l "$mnt" || true
        }
    fi
    [ -n "$pid" ] || return 0
    unset "CF_DAEMON_PIDS[$mnt]"
    wait_until 20 cf_is_over "$pid" || {
        fail "the daemon ends after its unmount" "$(cf_show_threads "$pid")"
        kill -KILL "$pid"
    }
    wait "$pid" 2>/dev/null || status=$?
    [ "$status" -eq 0 ] || fail "the daemon ends well" "exit status $status"
}

cf_try_umount() { fusermount3 -u "$1" || ! cf_is_mounted "$1"; }
cf_is_over() { ! kill -0 "$1" 2>/dev/null || grep -q '^State:.Z' "/proc/$1/status"; }
cf_show_threads() {
    local task
    for task in "/proc/$1/task"/*; do
        echo "$(cat "$task/comm") $(cat "$task/wchan" 2>/dev/null)"
    done 2>/dev/null || true
}

# cf_expect_log REGEX: lines of warning or error that match (POSIX extended) are as they should be.
cf_expect_log() { CF_EXPECTED_LOG+=("$1"); }

# fuse_requests [MNT]: the requests that the kernel has sent to the mount so far, but for those that
# reading the counters has cost. Read it twice and subtract. The first call measures that cost, and
# takes two seconds for it: the daemon keeps what stats shows for a second.
fuse_requests() {
    local mnt=${1:-$MNT}
    local state=$CF_TMP/fuse-requests-${mnt##*/} first second cost reads at_us
    if ! [ -s "$state" ]; then
        cf_read_requests "$mnt" 0 >/dev/null # the names are known from now on
        first=$(cf_read_requests "$mnt" "${EPOCHREALTIME/./}")
        second=$(cf_read_requests "$mnt" "${EPOCHREALTIME/./}")
        echo "$((second - first)) 3 ${EPOCHREALTIME/./}" >"$state"
    fi
    read -r cost reads at_us <"$state"
    second=$(cf_read_requests "$mnt" "$at_us")
    echo "$cost $((reads + 1)) ${EPOCHREALTIME/./}" >"$state"
    echo $((second - cost * reads))
}

# cf_read_requests MNT US: not before the reading of that time is out of date.
cf_read_requests() {
    local left_us=$(($2 + 1020000 - ${EPOCHREALTIME/./}))
    [ "$left_us" -le 0 ] || sleep "$((left_us / 1000000)).$(printf %06d $((left_us % 1000000)))"
    awk '/^cirrusfs_fuse_requests_total\{/ { n += $NF } END { printf "%d\n", n }' \
        "$1/.cirrusfs/stats"
}

# --- the end -------------------------------------------------------------------------------------

cf_check_log() {
    local log=$1 regex lines
    lines=$(awk '$2 == "warning" || $2 == "error"' "$log" 2>/dev/null || true)
    for regex in ${CF_EXPECTED_LOG[@]+"${CF_EXPECTED_LOG[@]}"}; do
        lines=$(grep -Ev -- "$regex" <<<"$lines" || true)
    done
    [ -z "$lines" ] || fail "the daemon logs no warning" "$lines"
}

cf_check_stderr() {
    local report
    report=$(grep -hE -A 60 'Sanitizer|runtime error:|Assertion|-CRITICAL|-WARNING|==[0-9]+== .*(Invalid|lost|uninit)' \
        "$1" 2>/dev/null | head -n 80 || true)
    [ -z "$report" ] || fail "no sanitizer complains" "$report"
}

# What the test itself has still open or running on the mount.
cf_let_go() {
    local fd pid
    for fd in {3..20}; do
        eval "exec $fd<&-"
    done
    for pid in $(jobs -p); do
        [[ " ${CF_DAEMON_PIDS[*]-} ${CF_SIM_PIDS[*]-} " == *" $pid "* ]] || kill "$pid"
    done
} 2>/dev/null

cf_cleanup() {
    local status=$? command=$BASH_COMMAND pid mnt file
    trap - EXIT ERR
    trap '' INT TERM HUP
    set +e
    CF_SECTION=
    cd /
    case $status in
    0 | 77 | 130 | 143) ;;
    *) [ "$CF_FAILED" -gt 0 ] || echo "# died of: $command (status $status)" ;;
    esac
    cf_let_go
    for mnt in "${!CF_DAEMON_PIDS[@]}"; do
        cf_umount "$mnt"
    done
    for pid in ${CF_SIM_PIDS[@]+"${CF_SIM_PIDS[@]}"}; do
        kill "$pid" 2>/dev/null && { wait_until 10 cf_is_over "$pid" || kill -KILL "$pid"; }
        wait "$pid" 2>/dev/null
    done
    for file in "$CF_TMP"/daemon-*.log; do
        cf_check_log "$file"
    done
    for file in "$CF_TMP"/daemon-*.err "$CF_TMP"/sim-*.err; do
        cf_check_stderr "$file"
    done
    if [ "$CF_FAILED" -gt 0 ] || { [ "$status" -ne 0 ] && [ "$status" -ne 77 ]; }; then
        for file in "$CF_TMP"/daemon-*.err "$CF_TMP"/daemon-*.log; do
            [ ! -s "$file" ] || { echo "# --- the end of ${file##*/}" && tail -n 25 "$file"; } |
                sed 's/^[^#]/#   &/'
        done
        [ "$status" -ne 0 ] || status=1
    fi
    # Never into a mount that did not go.
    rm -rf --one-file-system "$CF_TMP"
    exit "$status"
}

trap 'echo "# line $LINENO failed" >&2' ERR
trap cf_cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
