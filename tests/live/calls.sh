#!/usr/bin/env bash
# What reading costs: calls of a whole listing and of a refresh where nothing has changed, with pages
# of several sizes. Nobody may change the cloud meanwhile.
#   LIVE_PAGES  sizes of pages to be tried besides two that go by the number of servers
. "$(dirname "$0")/live.bash"

# All counters of the mount, as they are now.
count_anew() { cf_fresh_stats >"$CF_TMP/stats"; }
# counter NAME [COLLECTION]: one of those.
counter() {
    awk -v name="cirrusfs_$1{" -v collection="${2:-}" '
        index($0, name) == 1 && (!collection || index($0, "collection=\"" collection "\"")) {
            print $NF; exit }' "$CF_TMP/stats"
}
refreshed() {
    cat "$MNT/.cirrusfs/stats" >"$CF_TMP/stats"
    [ "$(counter refreshes_total "$1")" -ge "$2" ]
}
# cost_of KIND COMMAND…: calls that read, of the one refresh of KIND that the command brings about.
cost_of() {
    local kind=$1 reads before
    shift
    count_anew
    reads=$(counter api_reads_total)
    before=$(counter refreshes_total "$kind")
    "$@" >/dev/null
    wait_until 60 refreshed "$kind" $((before + 1)) || { echo "no refresh of $kind" && return; }
    reads=$(($(counter api_reads_total) - reads))
    before=$(($(counter refreshes_total "$kind") - before))
    [ "$before" -eq 1 ] && echo "$reads" || echo "$reads in $before refreshes"
}
# The same of the servers' listing that the mount itself begins with.
first_cost() {
    cat "$SERVERS/list.tsv" >"$CF_TMP/list"
    wait_until 60 refreshed servers 1 || return
    counter api_reads_total
}

# listed server|image: how many. The servers by all pages, which the command else stops at the first of.
listed() {
    local every=
    [ "$1" = image ] || every=--limit=-1
    osc "$1" list ${every:+"$every"} -f value -c ID | grep -cE '^[0-9a-f-]{36}$'
}
# changed [STATUS]: how many servers, of that status, have changed within the margin that each refresh
# asks for anew.
changed() {
    osc server list --deleted -f value -c ID -c Status \
        --changes-since "$(date -u -d '65 seconds ago' +%FT%TZ)" | grep -cE "^[0-9a-f-]{36} ${1:-}" || true
}
few_changed() { [ "$(changed)" -lt "$1" ]; }

# How many calls it takes to list that many: a full page always has a next link.
pages() { echo $(($1 / page + 1)); }

# whole PAGE: what a whole listing costs, the first and another.
whole() {
    local page=$1 servers images
    servers=$(pages "$n")
    images=$(pages "$n_images")
    cf_section "pages of $page"
    live_mount ttl=3600 max_stale=3600 page_size="$page"
    is "$(first_cost)" "$servers" "the first listing of $n servers: $servers calls"
    is "$(cost_of images cat "$IMAGES/list.tsv")" "$images" "of $n_images images: $images"
    is "$(cost_of servers write "$PROFILE/refresh" now)" $((images + servers)) "a forced refresh: the same"
    is "$(counter records_parsed_total servers)" "$n" "no server is parsed twice"
    cf_umount
}

# unchanged PAGE: what a refresh costs where nothing has changed.
unchanged() {
    local page=$1 images parsed deleted
    images=$(pages "$n_images")
    cf_section "nothing has changed, pages of $page"
    ok "the cloud is quiet" wait_until 120 few_changed "$page"
    live_mount ttl=1 max_stale=3600 page_size="$page"
    cat "$SERVERS/list.tsv" "$IMAGES/list.tsv" >"$CF_TMP/lists"
    is "$(cost_of servers write "$PROFILE/refresh" now)" $((images + $(pages "$n"))) \
        "a forced refresh: $(pages "$n") calls and $images"
    # Nothing is parsed again but what was deleted a moment ago: we have no record to compare it with.
    parsed=$(metric records_parsed_total servers)
    deleted=$(changed DELETED)
    is "$(cost_of servers cat "$SERVERS/list.tsv")" 1 "1 call for the servers"
    is "$(cost_of servers cat "$SERVERS/list.tsv")" 1 "and again"
    at_most $(($(metric records_parsed_total servers) - parsed)) $((2 * deleted)) \
        "no server is parsed again but those deleted lately ($deleted, twice)"
    is "$(cost_of images cat "$IMAGES/list.tsv")" "$images" "$images for the images"
    cf_umount
}

n=$(listed server) || true
n_images=$(listed image) || true
[ "$n" -ge 10 ] || cf_skip_all "fewer than ten servers"
for divisor in 5 2 7 3 1; do
    [ $((n % divisor)) -ne 0 ] || break
done
whole $((n / divisor)) # no rest: the last page is full, and names a next one
unchanged $((n / 3 + 1))
for page in ${LIVE_PAGES:-}; do
    whole "$page"
    unchanged "$page"
done
CF_SECTION=
