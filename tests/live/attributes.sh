#!/usr/bin/env bash
# Every server and every image: each file says what the openstack command says.
. "$(dirname "$0")/live.bash"

live_mount ttl=600 max_stale=3600
write "$PROFILE/refresh" now
for kind in servers images; do
    cf_section "$kind"
    every=
    [ "$kind" = images ] || every=--limit=-1 # else the command stops at the cloud's longest page
    mapfile -t told < <(osc "${kind%s}" list ${every:+"$every"} -f value -c ID | sort)
    mapfile -t here < <(find "$PROFILE/$kind/by-id" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort)
    is "${here[*]}" "${told[*]}" "by-id holds what the command lists"
    if [ ${#told[@]} -eq 0 ]; then
        skip "each attribute" "there are none"
    else
        live_compare "$kind" "${told[@]}"
    fi
done
CF_SECTION=

cf_section "calls"
listed() { jq -rs --arg path "$1" '[.[] | select(.kind == "call" and (.call | endswith($path)))] | length' \
    "$PROFILE/journal.jsonl"; }
is "$(listed /servers/detail)" 0 "no listing failed"
cat "$SERVERS/list.tsv" "$IMAGES/list.tsv" >"$CF_TMP/lists"
is "$(grep -c . "$SERVERS/list.jsonl")" "$(find "$SERVERS/by-id" -mindepth 1 -maxdepth 1 | wc -l)" \
    "list.jsonl has a line for each server"
