# shellcheck shell=bash
# For live tests that take parts of the cloud away, or need its administrator: only where the cloud is
# a lab of our own. LIVE_LAB is the directory of its scripts (up, lib.sh), LAB_STATE its state's.

lab_is_ours() { [ -n "${LIVE_LAB:-}" ] && [ -n "${LAB_STATE:-}" ] && [ -d "$LAB_STATE/run" ]; }
lab_need() { lab_is_ours || cf_skip_all "the cloud is no lab of ours (LIVE_LAB, LAB_STATE)"; }

# lab_stop SERVICE…: keystone, nova, glance …, each by the process that the lab has noted.
lab_stop() {
    local name pid at
    for name; do
        read -r pid at <"$LAB_STATE/run/$name.pid"
        [ "$(ps -o lstart= -p "$pid" | tr -s ' ' '_')" = "$at" ] || return 1
        kill "$pid"
        wait_until 60 lab_is_over "$pid" || return 1
    done
}
lab_is_over() { ! kill -0 "$1" 2>/dev/null; }

# lab_start [DELAY]: what does not run, and returns when it answers. It outlives the test, and must
# not look like a part of it, nor hold what the test has open.
lab_start() {
    env -u CF_TEST_RUN -u CF_TEST_NAME LAB_OP_DELAY="${1:-0}" "$LIVE_LAB/up" \
        >"$CF_TMP/lab-up" 2>&1 40>&- 41<&- 42>&- || { cat "$CF_TMP/lab-up" && return 1; }
}

# lab_api METHOD URL [JSON]: a call as the administrator. In URL, keystone_url, nova_url and glance_url
# are replaced by the lab's own.
lab_api() (
    # shellcheck source=/dev/null
    . "$LIVE_LAB/lib.sh"
    # shellcheck disable=SC2034,SC2154 # both are of those scripts
    TOKEN=$(token admin admin "$(sed -n 's/^admin_password=//p' "$conf/secrets")")
    url=${2/#keystone_url/$keystone_url}
    url=${url/#glance_url/$glance_url}
    api "$1" "${url/#nova_url/$nova_url}" "${@:3}"
)

# The services keep for minutes which tokens were good: they ask anew.
lab_forget_tokens() {
    local address
    address=$(sed -n 's/^memcached_servers = //p' "$LAB_STATE/conf/nova.conf")
    printf 'flush_all\r\nquit\r\n' >"/dev/tcp/${address%:*}/${address#*:}"
}
