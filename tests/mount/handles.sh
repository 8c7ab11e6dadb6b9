#!/usr/bin/env bash
# Sharing one mount with other machines: file handles as a kernel's NFS server uses them, and a Samba
# server on it.
# not under: tsan
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/mount/tools/cloud.sh
. "$(dirname "$0")/tools/cloud.sh"
cf_need python3 jq curl

export LC_ALL=C.UTF-8
cf_start_sim --servers 30 --images 5
ID=$(ids servers | sed -n 7p)
GONE=$(ids servers | sed -n 8p)
change servers "$ID" '{"status":"ACTIVE","name":"seventh","task_state":null}'
cf_mount ttl=3600
BY_ID=$PROFILE/servers/by-id
PATHS=("$PROFILE" "$PROFILE/servers" "$BY_ID" "$BY_ID/$ID" "$BY_ID/$ID/status" "$BY_ID/$ID/raw"
    "$BY_ID/$ID/raw/id" "$PROFILE/servers/by-state/running" "$PROFILE/images/by-id")

handles() { "$CF_TMP/handles" "$@"; }

# by_handle TYPE HEX: what the file holds, or the errno's name.
by_handle() { handles open "$MNT" "$@"; }

cf_section "handles"
if ! command -v "${CC:-cc}" >/dev/null || ! "${CC:-cc}" -O1 -D_GNU_SOURCE -o "$CF_TMP/handles" \
    "$TOOLS/handles.c" 2>"$CF_TMP/cc.err"; then
    skip "file handles" "no compiler for tools/handles.c"
elif ! capsh --has-p=cap_dac_read_search 2>/dev/null && [ "$(id -u)" -ne 0 ]; then
    skip "file handles" "open_by_handle_at(2) is the superuser's"
elif ! handles get "$MNT" >/dev/null; then
    skip "file handles" "this kernel gives none for FUSE"
else
    handles get "${PATHS[@]}" >"$CF_TMP/first"
    is "$(sort -u "$CF_TMP/first" | wc -l)" "${#PATHS[@]}" "every file has its own"
    # Another name of the same thing.
    is "$(handles get "$PROFILE/servers/seventh/status")" "$(sed -n 5p "$CF_TMP/first")" \
        "the shorthand leads to the same"
    read -r type hex < <(sed -n 5p "$CF_TMP/first")
    is "$(by_handle "$type" "$hex")" ACTIVE "a file is opened by its handle"
    read -r dir_type dir_hex < <(sed -n 4p "$CF_TMP/first")
    is "$(by_handle "$dir_type" "$dir_hex")" "$(stat -c %i "$BY_ID/$ID")" "so is a directory"
    read -r raw_type raw_hex < <(sed -n 7p "$CF_TMP/first")

    is "$(by_handle "$raw_type" "$raw_hex")" "$ID" "and a file below raw/"
    is "$(handles get "${PATHS[@]}")" "$(cat "$CF_TMP/first")" "looked up again, the handles are the same"

    change servers "$ID" '{"status":"PAUSED"}'
    echo now >"$PROFILE/refresh"
    is "$(by_handle "$type" "$hex")" PAUSED "a handle shows what the file holds now"

    # One that is gone, and another that has its place.
    read -r type hex < <(handles get "$BY_ID/$GONE/status")
    read -r dir_type dir_hex < <(handles get "$BY_ID/$GONE")
    sim DELETE "/_sim/servers/$GONE" >/dev/null
    echo now >"$PROFILE/refresh"
    ok "the server is gone" wait_until 10 test ! -e "$BY_ID/$GONE"
    is "$(by_handle "$type" "$hex")" ESTALE "its handles are stale: file"
    is "$(by_handle "$dir_type" "$dir_hex")" ESTALE "directory"
    server 11111111-2222-4333-8444-555555555555 ACTIVE another
    echo now >"$PROFILE/refresh"
    is "$(cat "$BY_ID/11111111-2222-4333-8444-555555555555/status")" ACTIVE "another comes"
    is "$(by_handle "$type" "$hex")" ESTALE "the old handle is not the new one's: file"
    is "$(by_handle "$dir_type" "$dir_hex")" ESTALE "directory"

    # What a client sends is whatever it likes: every kind of node, with numbers that none has.
    read -r type hex < <(handles get "$BY_ID/$ID/status")
    python3 - "$hex" >"$CF_TMP/forged" <<'END'
import itertools, struct, sys
generation = bytes.fromhex(sys.argv[1])[8:12]
subs = list(range(64)) + [100, 1000, 4095, (1 << 19) - 2, (1 << 19) - 1]
handles = [0, 1, 6, 40, 1000, (1 << 30) - 1]
for kind, collection, profile, handle, sub in itertools.product(
        range(16), (0, 1), (0, 1, 2, 1023), handles, subs):
    node = kind << 60 | collection << 59 | profile << 49 | handle << 19 | sub
    print((struct.pack('=II', node >> 32, node & 0xffffffff) + generation).hex())
END
    handles try "$MNT" "$type" <"$CF_TMP/forged" >"$CF_TMP/tried"
    is "$(wc -l <"$CF_TMP/tried")" "$(wc -l <"$CF_TMP/forged")" "forged handles: the mount lives on"
    is "$(sort -u "$CF_TMP/tried" | grep -vxE 'opened|ESTALE|EACCES|ELOOP|EISDIR' || true)" "" \
        "what is none is stale"
    is "$(cat "$BY_ID/$ID/status")" PAUSED "everything is as it was"

    # The next mount gives the same numbers to whatever it finds first.
    handles get "${PATHS[@]}" >"$CF_TMP/first"
    sim DELETE "/_sim/servers/$(ids servers | head -n 1)" >/dev/null
    cf_umount
    cf_mount ttl=3600
    is "$(find "$BY_ID" -mindepth 1 -maxdepth 1 | wc -l)" 29 "a new mount"
    handles get "${PATHS[@]}" >"$CF_TMP/second"
    is "$(sort "$CF_TMP/first" "$CF_TMP/second" | uniq -d)" "" "has other handles for everything"
    is "$(while read -r type hex; do by_handle "$type" "$hex" || true; done <"$CF_TMP/first" | sort -u)" \
        ESTALE "those of the former one are stale"
    is "$(while read -r type hex; do by_handle "$type" "$hex" >/dev/null || echo "$hex"; done \
        <"$CF_TMP/second")" "" "its own are good"
fi

# --- Samba -----------------------------------------------------------------------------------------

cf_section "Samba"
SMBD=$(command -v smbd || ls /usr/sbin/smbd 2>/dev/null || true)
SMBD_PID=

end_smbd() {
    [ -n "$SMBD_PID" ] || return 0
    kill "$SMBD_PID" 2>/dev/null || true
    wait "$SMBD_PID" 2>/dev/null || true
    SMBD_PID=
}

smb() { smbclient -s "$CF_TMP/smb.conf" -p "$SMB_PORT" -N //127.0.0.1/cloud -c "$1" 2>&1; }
smb_answers() { smb 'ls' | grep -q blocks; }

start_smbd() {
    SMB_PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    mkdir -p "$CF_TMP/smb"
    sed "s,DIR,$CF_TMP/smb,; s,USER,$(id -un),; s,SHARED,$PROFILE,; s,PORT,$SMB_PORT," \
        >"$CF_TMP/smb.conf" <<'CONF'
[global]
    server role = standalone server
    bind interfaces only = yes
    interfaces = 127.0.0.1/8
    smb ports = PORT
    disable netbios = yes
    private dir = DIR
    lock directory = DIR
    state directory = DIR
    cache directory = DIR
    pid directory = DIR
    ncalrpc dir = DIR/ncalrpc
    log file = DIR/log
    load printers = no
    disable spoolss = yes
    printcap name = /dev/null
    map to guest = bad user
    guest account = USER
    # The names of this tree are its own: nothing is mangled, nothing is kept beside them.
    mangled names = no
    store dos attributes = no
    ea support = no
    oplocks = no
    kernel oplocks = no
    strict allocate = no
[cloud]
    path = SHARED
    guest ok = yes
    read only = no
    force user = USER
    follow symlinks = yes
    wide links = no
CONF
    "$SMBD" --foreground --debug-stdout -s "$CF_TMP/smb.conf" \
        </dev/null >"$CF_TMP/smbd.out" 2>&1 &
    SMBD_PID=$!
    wait_until 20 smb_answers
}

if [ -z "$SMBD" ] || ! command -v smbclient >/dev/null; then
    skip "a share" "no samba and smbclient here (contrib/install-packages bench)"
elif ! start_smbd; then
    fail "smbd begins" "$(tail -n 20 "$CF_TMP/smbd.out")" "$(smb ls)"
else
    smb 'cd servers/by-id; ls' | awk 'NF > 4 && $1 ~ /-/ { print $1 }' | sort >"$CF_TMP/listed"
    is "$(cat "$CF_TMP/listed")" "$(find "$BY_ID" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort)" \
        "a client lists the servers"
    smb "get servers/by-id/$ID/status $CF_TMP/got" >/dev/null
    is "$(cat "$CF_TMP/got")" PAUSED "and reads a file"
    smb "get servers/seventh/status $CF_TMP/got-by-name" >/dev/null
    is "$(cat "$CF_TMP/got-by-name")" PAUSED "also by the server's name"
    smb "get servers/list.tsv $CF_TMP/got-list" >/dev/null
    is "$(cat "$CF_TMP/got-list")" "$(cat "$PROFILE/servers/list.tsv")" "and a list"
    change servers "$ID" '{"status":"ACTIVE"}'
    echo now >"$PROFILE/refresh"
    smb "get servers/by-id/$ID/status $CF_TMP/got-again" >/dev/null
    is "$(cat "$CF_TMP/got-again")" ACTIVE "a change is seen"
    sim DELETE /_sim/counters >/dev/null
    like "$(smb "cd servers/by-id/$ID; del status"; smb "rmdir servers/by-id/$ID")" \
        'NT_STATUS_(ACCESS_DENIED|MEDIA_WRITE_PROTECTED|DIRECTORY_NOT_EMPTY|CANNOT_DELETE)' \
        "a client deletes nothing"
    ok "it is all there" test -e "$BY_ID/$ID/status"
    is "$(calls changes)" 0 "the cloud was asked for nothing"
    printf 'off\n' >"$CF_TMP/off"
    smb "put $CF_TMP/off servers/by-id/$ID/power" >"$CF_TMP/put" || true
    is "$(calls changes)" 1 "a client's write is one action"
    ok "and is done" wait_until 10 reads "$BY_ID/$ID/state" stopped
    end_smbd
fi
end_smbd
