#!/usr/bin/env bash
# A program that waits for the cloud can be ended at once; one that handles a signal is not disturbed.
# shellcheck disable=SC2016 # the inner shells'
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=cloud.bash
. "$(dirname "$0")/cloud.bash"
cf_need jq curl python3

cf_start_sim --servers 20 --images 5 --transition 60000
plain_world 5
cf_mount ttl=300 rate=0 deadline=25
mapfile -t running < <(ids running)
power() { echo "$PROFILE/servers/by-id/${running[$1]}/power"; }

# ended_by SIGNAL ROUTE COMMAND…: it waits for a call of that route, and the signal ends it.
ended_by() {
    local signal=$1 route=$2 pid begin_us status=0
    shift 2
    forget_requests
    env --default-signal "$@" >/dev/null 2>&1 &
    pid=$!
    wait_until 5 called "$route" 1 || fail "the call arrives"
    ! cf_is_over "$pid" || fail "it waits"
    begin_us=${EPOCHREALTIME/./}
    kill "-$signal" "$pid"
    wait "$pid" 2>/dev/null || status=$?
    at_most $(((${EPOCHREALTIME/./} - begin_us) / 1000)) $((999 * CF_SLOW)) "SIG$signal ends it in less than a second"
    is "$status" $((128 + $(kill -l "$signal"))) "SIG$signal is what it died of"
}

cf_section "a reader of what was never fetched"
fault hang "GET /v1/images"
for signal in INT TERM KILL; do
    ended_by "$signal" "GET /v1/images" cat "$PROFILE/images/list.tsv"
    no_faults
    ok "the images come" wait_until 10 ls "$PROFILE/images/by-id"
    cf_umount
    fault hang "GET /v1/images"
    cf_mount ttl=300 rate=0 deadline=25
done
no_faults

cf_section "a writer"
fault hang "POST /v1/servers/{id}/action"
ended_by INT "POST /v1/servers/{id}/action" bash -c 'echo reboot >"$1"' - "$(power 0)"
is "$(calls changes)" 1 "the change was sent once"
ended_by KILL "POST /v1/servers/{id}/action" bash -c 'echo reboot >"$1"' - "$(power 1)"
is "$(calls changes)" 1 "the change was sent once"
is "$(timeout 5 cat "$PROFILE/servers/by-id/${running[2]}/state")" running "others read meanwhile"
no_faults

cf_section "tags"
fault hang "GET /v1/servers/{id}/tags"
ended_by TERM "GET /v1/servers/{id}/tags" cat "$PROFILE/servers/by-id/${running[0]}/tags"
no_faults

# Timers of git, preemption of Go: signals that are handled, without SA_RESTART.
cat >"$CF_TMP/alarmed.py" <<'END'
import ctypes, os, signal, sys

libc = ctypes.CDLL(None, use_errno=True)
alarms = 0

def on_alarm(number, frame):
    global alarms
    alarms += 1

# Straight to libc: Python's own calls hide an EINTR. The handler is C's, the count is Python's.
signal.signal(signal.SIGALRM, on_alarm)
signal.siginterrupt(signal.SIGALRM, True)
signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)

def call(name, *arguments):
    result = getattr(libc, name)(*arguments)
    if result < 0:
        error = ctypes.get_errno()
        sys.exit(f"{name}: {os.strerror(error)}")
    return result

path, value = sys.argv[1].encode(), sys.argv[2].encode() if len(sys.argv) > 2 else None
fd = call("open", path, os.O_RDONLY if value is None else os.O_WRONLY)
if value is None:
    buffer = ctypes.create_string_buffer(65536)
    size = call("read", fd, buffer, 65536)
    answer = f"read {size > 0}"
else:
    answer = f"wrote {call('write', fd, value, len(value)) == len(value)}"
signal.setitimer(signal.ITIMER_REAL, 0)
print(answer, "alarmed" if alarms else "not alarmed")
END

cf_section "a program that handles SIGALRM"
cf_umount
fault latency "GET /v1/images" '"ms":1500'
fault latency "GET /v1/servers/{id}/tags" '"ms":1500'
fault latency "POST /v1/servers/{id}/action" '"ms":1500'
cf_mount ttl=300 rate=0
is "$(timeout 20 python3 "$CF_TMP/alarmed.py" "$PROFILE/images/list.tsv" 2>&1)" "read True alarmed" "its read completes"
id=${running[3]}
sim PUT "/_sim/servers/$id/tags" '["x"]' >/dev/null
is "$(timeout 20 python3 "$CF_TMP/alarmed.py" "$PROFILE/servers/by-id/$id/tags" 2>&1)" "read True alarmed" \
    "its lookup and read complete"
forget_requests
is "$(timeout 20 python3 "$CF_TMP/alarmed.py" "$(power 4)" off 2>&1)" "wrote True alarmed" "its write completes"
is "$(calls changes)" 1 "and was sent once"
no_faults

cf_section "a handled signal, then a fatal one"
fault hang "POST /v1/servers/{id}/action"
forget_requests
python3 -c '
import os, signal, sys
signal.signal(signal.SIGUSR1, lambda *_: None)
signal.siginterrupt(signal.SIGUSR1, True)
fd = os.open(sys.argv[1], os.O_WRONLY)
os.write(fd, b"reboot\n")
' "$(power 5)" >/dev/null 2>&1 &
writer=$!
ok "the call arrives" wait_until 5 called "POST /v1/servers/{id}/action" 1
kill -USR1 "$writer"
ok "it goes on waiting" goes_on_for 300 "$writer"
kill -TERM "$writer"
ok "it can be ended all the same" wait_until 1 cf_is_over "$writer"
no_faults
wait "$writer" 2>/dev/null || true
