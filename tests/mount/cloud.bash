# shellcheck shell=bash
# Beside lib.sh: what the tests of actions and failures say to the simulated cloud, and to the mount.
export LC_ALL=C.UTF-8

# fault KIND ROUTE [MEMBERS]: from now on the cloud answers so to every call of that route ("*": to
# all). MEMBERS: more of the fault's JSON, as in '"status":503,"count":1'.
fault() {
    sim POST /_sim/faults "{\"kind\":\"$1\",\"match\":\"$2\"${3:+,$3},\"count\":-1}" >/dev/null
}
no_faults() { sim DELETE /_sim/faults >/dev/null; }

# setting JSON
setting() { sim POST /_sim/settings "$1" >/dev/null; }

# advance MS: the cloud's clock.
advance() { sim POST /_sim/clock "{\"advance_ms\":$1}" >/dev/null; }

# requests JQ: over what the cloud was asked since forget_requests, as one array.
requests() { sim GET /_sim/requests | jq -rs "$1"; }
# last_change JQ: of the last request that is no GET.
last_change() { requests "map(select(.method != \"GET\")) | last | $1"; }
forget_requests() {
    sim DELETE /_sim/requests >/dev/null
    sim DELETE /_sim/counters >/dev/null
}

# plain_world N: the first N servers are stopped, all others run, and nothing is under way.
plain_world() {
    local id n=0
    for id in $(sim GET /_sim/servers | jq -r '.[].id'); do
        n=$((n + 1))
        sim PATCH "/_sim/servers/$id" "{\"task_state\":null,\"status\":\"$([ "$n" -gt "$1" ] &&
            echo ACTIVE || echo SHUTOFF)\"}" >/dev/null
    done
}

# ids STATE [COLLECTION]: as the mount shows them.
ids() {
    find "$PROFILE/${2:-servers}/by-state/$1" -type l -printf '%l\n' | sed 's,.*/,,' | sort
}

# put VALUE FILE: as a shell's echo does it.
put() { printf '%s\n' "$1" >"$2"; }

# refresh: fetches everything now.
refresh() { put now "$PROFILE/refresh"; }

# quiet_ms COMMAND…: how long it took, whatever it prints.
quiet_ms() { milliseconds "$@" 2>/dev/null; }

# says FILE REGEX: for wait_until.
says() { [[ $(cat "$1") =~ $2 ]]; }

# called KIND N: at least so many calls have arrived; for wait_until.
called() { [ "$(calls "$1")" -ge "$2" ]; }

# is_gone PATH: for wait_until.
is_gone() { ! [ -e "$1" ]; }

not_mounted() { ! cf_is_mounted "$MNT"; }

# goes_on_for MS PID: it does not end meanwhile.
goes_on_for() { ! timeout "$(($1 / 1000)).$(printf %03d $(($1 % 1000)))" tail --pid="$2" -f /dev/null; }

# journal JQ: over the journal's lines, as one array.
journal() { jq -rs "$1" "$PROFILE/journal.jsonl"; }
events() { jq -rs "$1" "$PROFILE/events.jsonl"; }
