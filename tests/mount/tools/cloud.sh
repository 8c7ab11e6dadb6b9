# shellcheck shell=bash
# Beside lib.sh: asking the simulator what is true. Sourced after it.

TOOLS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# cloud COMMAND…: tools/cloud.py, which computes from the cloud's records what a mount must show.
cloud() { SIM_URL=$SIM_URL CF_TOKEN=$CF_TOKEN python3 "$TOOLS/cloud.py" "$@"; }

# look SECONDS WHAT…: tools/look.py, readers that look once a second.
look() { python3 "$TOOLS/look.py" "$@"; }

# ids KIND: as plain lines, for worlds without hostile ones.
ids() { cloud ids "$1" | jq -r .; }

# server ID STATUS NAME: makes one.
server() {
    sim POST /_sim/servers "$(jq -cn --arg id "$1" --arg status "$2" --arg name "$3" \
        '{id: $id, status: $status, name: $name, task_state: null,
          created: "2024-01-01T00:00:00Z"}')" >/dev/null
}

# image ID STATUS NAME [TAG…]: makes a private one.
image() {
    local id=$1 status=$2 name=$3
    shift 3
    sim POST /_sim/images "$(jq -cn --arg id "$id" --arg status "$status" --arg name "$name" \
        '{id: $id, status: $status, name: $name, visibility: "private", tags: $ARGS.positional,
          created_at: "2024-01-01T00:00:00.000+0000", updated_at: "2024-01-02T00:00:00.000+0000"}' \
        --args "$@")" >/dev/null
}

# change KIND ID JSON: sets fields of a record, as somebody else's console would.
change() { sim PATCH "/_sim/$1/$2" "$3" >/dev/null; }

# never SECONDS COMMAND…: it stays false for that long; `never 1 false` lets a ttl go by.
never() {
    local end_us=$((${EPOCHREALTIME/./} + $(ms "$1") * 1000))
    shift
    while [ "${EPOCHREALTIME/./}" -lt "$end_us" ]; do
        ! "$@" >/dev/null 2>&1 || return 1
        sleep 0.05
    done
}
ms() { awk -v s="$1" 'BEGIN { print s * 1000 }'; }

# calls_are TOTAL: for wait_until and never.
calls_are() { [ "$(calls total)" -eq "$1" ]; }
# calls_route ROUTE N: at least so many.
calls_route() { [ "$(calls "$1")" -ge "$2" ]; }
# calls_at_most ROUTE N
calls_at_most() { [ "$(calls "$1")" -le "$2" ]; }
calls_are_not() { ! calls_are "$1"; }

# metric NAME [COLLECTION]: the sum of it over all profiles, not older than this call.
metric() {
    awk -v name="cirrusfs_$1{" -v collection="${2:-}" '
        index($0, name) == 1 && (!collection || index($0, "collection=\"" collection "\"")) { n += $NF }
        END { printf "%d\n", n }' <(cf_fresh_stats)
}

# stats are kept for a second; their time is that of the rendering. These are younger than the call.
cf_fresh_stats() {
    wait_until 5 cf_stats_are_since "$EPOCHREALTIME"
    cat "$MNT/.cirrusfs/stats"
}
cf_stats_are_since() {
    cat "$MNT/.cirrusfs/stats"
    [[ $(stat -c %.6Y "$MNT/.cirrusfs/stats") > $1 ]]
}

mode() { stat -c %04a "$1"; }

LIST_SERVERS='GET /v1/servers/{page}/{size}'
LIST_IMAGES='GET /v1/images'
SHOW_SERVER='GET /v1/servers/{id}'
# shellcheck disable=SC2034 # for the tests
readonly LIST_SERVERS LIST_IMAGES SHOW_SERVER

# fault KIND ROUTE [COUNT [JSON-MEMBERS]]: what befalls the next COUNT (-1: all) calls of the route.
fault() {
    sim POST /_sim/faults "$(jq -cn --arg kind "$1" --arg match "$2" --argjson count "${3:-1}" \
        "{kind: \$kind, match: \$match, count: \$count${4:+, $4}}")" >/dev/null
}
# slow ROUTE MILLISECONDS: every call of it takes that much longer.
slow() { fault latency "$1" -1 "ms: $2"; }
no_faults() { sim DELETE /_sim/faults >/dev/null; }
