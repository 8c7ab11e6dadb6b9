#!/usr/bin/env bash
# How soon a change that somebody made with the openstack command shows to who looks once a second.
. "$(dirname "$0")/live.bash"

live_pick
live_boot one
live_mount ttl=2 patience=2
S=$SERVERS/by-id/$LIVE_ID
once_a_second() {
    until reads "$S/$1" "$2"; do sleep 1; done
}
# shows NAME VALUE: to the reader of once a second, from when the cloud itself has it.
shows() {
    local begin_us=${EPOCHREALTIME/./}
    export S
    export -f once_a_second reads
    timeout $((5 * CF_SLOW * 3)) bash -c 'once_a_second "$@"' shows "$@" || return 1
    echo "# $1 shows after $(((${EPOCHREALTIME/./} - begin_us) / 1000)) ms, and may after 5000" >&3
}
cat "$S/name" >"$CF_TMP/name" # somebody looks already: the first listing takes what it takes
exec 3>&1
osc server set --name "$LIVE_PREFIX-other" "$LIVE_ID"
ok "its new name shows" shows name "$LIVE_PREFIX-other"
osc server stop "$LIVE_ID"
ok "it stops" wait_until 60 live_status_is SHUTOFF "$LIVE_ID"
ok "that it stops shows" shows state stopped
live_delete "$LIVE_ID"
ok "that it is gone shows" wait_until 30 test ! -e "$S"
exec 3>&-
