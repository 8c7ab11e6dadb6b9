#!/usr/bin/env bash
# What the kernel keeps is pushed out in time: after a write, after a change from outside, while
# requests wait, and when a name or a server comes and goes.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/mount/tools/cloud.sh
. "$(dirname "$0")/tools/cloud.sh"
cf_need python3 jq curl

A=aaaaaaaa-0000-4000-8000-000000000001
B=bbbbbbbb-0000-4000-8000-000000000002
C=cccccccc-0000-4000-8000-000000000003
I=dddddddd-0000-4000-8000-000000000004
ACT='POST /v1/servers/{id}/action'

cf_start_sim --servers 5 --images 3 --transition 1500
server $A ACTIVE alpha
server $B ACTIVE beta
image $I active original
cf_mount ttl=3600 log_level=debug
cd "$PROFILE"
cloud views "$PROFILE" servers # the kernel knows everything from now on
find . -ls >/dev/null
grep -r . servers/by-id >/dev/null

cf_section "a written value shows normalised"
printf '   off  \n' >servers/by-id/$A/power
like "$(cat servers/by-id/$A/power)" '^(changing|off)$' "power shows a word"
ok "off at last" wait_until 10 reads servers/by-id/$A/power off
is "$(stat -c %s servers/by-id/$A/power)" 4 "with its size"
printf 'poweroff' >servers/by-id/$A/power
is "$(cat servers/by-id/$A/power)" off "also when nothing changes"
printf 'renamed' >images/by-id/$I/name
is "$(cat images/by-id/$I/name && echo .)" $'renamed\n.' "a name gets its newline"
before=$(stat -c %y images/by-id/$I/name)
printf 'renamed' >images/by-id/$I/name
is "$(cat images/by-id/$I/name && echo .)" $'renamed\n.' "the same again"
isnt "$(stat -c %y images/by-id/$I/name)" "$before" "a write advances the time"
printf 'b\n\na\nb\n' >servers/by-id/$A/tags
is "$(cat servers/by-id/$A/tags)" $'a\nb' "tags are sorted"
write_fails_with "Invalid argument" sideways servers/by-id/$A/power
is "$(cat servers/by-id/$A/power)" off "a refused value does not stay"
python3 - servers/by-id/$A/power <<'END' || true
import os, sys
fd = os.open(sys.argv[1], os.O_RDWR)
try:
    os.write(fd, b'nonsense\n')
except OSError:
    pass
END
is "$(cat servers/by-id/$A/power)" off "nor one through a descriptor"

cf_section "when write(2) has returned, every path shows it"
change servers $A '{"status":"ACTIVE"}'
echo 1 >refresh
for path in servers/by-id/$A/state servers/$A/state servers/alpha/power servers/by-name/alpha/status \
    servers/by-state/running/alpha/state; do
    cat "$path" >/dev/null
done
ls servers/by-state servers/by-state/running >/dev/null
list=$(cat servers/list.tsv)
like "$list" $'alpha\tACTIVE\trunning' "list.tsv has the old state"
cat >"$CF_TMP/after.py" <<'END'
import os, sys
base, ident = sys.argv[1:]
fd = os.open(f'{base}/servers/by-id/{ident}/power', os.O_WRONLY | os.O_TRUNC)
os.write(fd, b'off\n')
# Nothing between the write and these.
def text(path):
    with open(f'{base}/servers/{path}') as f:
        return f.read()
def there(path):
    return os.path.lexists(f'{base}/servers/{path}')
row = [l for l in text('list.tsv').split('\n') if l.startswith(ident)][0].split('\t')
print(text(f'by-id/{ident}/state'), text(f'{ident}/state'), text('alpha/power'),
      text(f'by-name/alpha/state'), row[3], there('by-state/running/alpha'),
      there('by-state/stopping/alpha'), 'alpha' in os.listdir(f'{base}/servers/by-state/running'),
      'stopping' in os.listdir(f'{base}/servers/by-state'))
END
is "$(python3 "$CF_TMP/after.py" "$PROFILE" $A | tr '\n' ' ')" \
    "stopping  stopping  changing  stopping  stopping False True False True " \
    "file, shorthand, views, names, list.tsv"
ok "it settles" wait_until 10 reads servers/$A/state stopped
ok "in the views too" wait_until 2 test -L servers/by-state/stopped/alpha
ok "and a value without members is gone" wait_until 2 test ! -e servers/by-state/stopping
cloud views "$PROFILE" servers

cf_section "a store through a shared mapping"
cat >"$CF_TMP/map.py" <<'END'
import mmap, os, sys
fd = os.open(sys.argv[1], os.O_RDWR)
size = os.fstat(fd).st_size
m = mmap.mmap(fd, size, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
m[0:3] = b'XXX'
try:
    m.flush()
    os.fsync(fd)
    print('dropped')
except OSError as e:
    print(e.strerror)
END
sim DELETE /_sim/counters >/dev/null
like "$(python3 "$CF_TMP/map.py" images/by-id/$I/name 2>&1)" '^(Input/output error|dropped)$' \
    "is refused"
ok "the page is right again" wait_until 2 reads images/by-id/$I/name renamed
is "$(calls changes)" 0 "the cloud was not told"

cf_section "a WRITE waits"
slow "$ACT" $((2000 + 500 * CF_SLOW))
change servers $A '{"status":"SHUTOFF"}'
change servers $B '{"status":"ACTIVE"}'
echo 1 >refresh
is "$(cat servers/by-id/$B/status servers/by-id/$A/power)" $'ACTIVE\noff' "before"
echo on >servers/by-id/$A/power &
writer=$!
change servers $B '{"status":"SHUTOFF"}'
change servers $A '{"host":"elsewhere"}'
took=$(milliseconds bash -c 'echo 1 > refresh')
at_most "$took" $((1500 + 500 * CF_SLOW)) "a refresh is not held up"
is "$(cat servers/by-id/$B/status)" SHUTOFF "another server's file shows what is new"
is "$(cat servers/by-id/$A/host)" elsewhere "so does another file of the same server"
ok "by-state too" test -L servers/by-state/stopped/beta
took=$(milliseconds bash -c "ls -l servers/by-id/$A >/dev/null")
at_most "$took" $((1500 + 500 * CF_SLOW)) "its directory can be listed"
# What the kernel has of it may be what is being written: cirrusfs(5), CAVEATS.
like "$(cat servers/by-id/$A/power)" '^(off|changing|on)$' "the written file can be read meanwhile"
ok "the write still waits" kill -0 "$writer"
wait "$writer" && pass "and succeeds"
change servers $A '{"status":"ACTIVE","task_state":null}' # the change above has put an end to it
ok "then power shows it" wait_until 10 reads servers/by-id/$A/power on
no_faults

cf_section "a name that was not there"
for path in servers/by-id/$C servers/by-name/late servers/late servers/$C servers/by-state/paused \
    servers/by-id/$C/status; do
    ok "$path is not there" test ! -e "$path"
    cat "$path" 2>/dev/null || true
done
server $C PAUSED late
echo 1 >refresh
for path in servers/by-id/$C servers/by-name/late servers/late servers/$C servers/by-state/paused/late \
    servers/by-id/$C/status; do
    ok "$path is there" test -e "$path"
done
is "$(find servers/by-id -mindepth 1 -maxdepth 1 -name $C | wc -l)" 1 "and is listed"

cf_section "a shared name"
ok "alpha is one server's name" test -L servers/alpha -a -L servers/by-name/alpha
change servers $C '{"name":"alpha"}'
echo 1 >refresh
ok "not when another one takes it" test ! -L servers/alpha -a ! -L servers/by-name/alpha
is "$(readlink "servers/by-name/alpha~$A") $(readlink "servers/by-name/alpha~$C")" \
    "../by-id/$A ../by-id/$C" "both carry their ids"
is "$(cat "servers/by-state/paused/alpha~$C/id")" $C "in the views too"
ok "late is gone" test ! -L servers/late -a ! -L servers/by-name/late
cloud views "$PROFILE" servers
change servers $C '{"name":"other"}'
echo 1 >refresh
is "$(readlink servers/by-name/alpha) $(readlink servers/alpha)" "../by-id/$A by-id/$A" \
    "and comes back"
ok "the long names are gone" test ! -L "servers/by-name/alpha~$A" -a ! -L "servers/by-name/alpha~$C"
ok "all views are right" cloud views "$PROFILE" servers

cf_section "a server that is gone"
cat >"$CF_TMP/gone.py" <<'END'
import errno, os, sys
base, ident = sys.argv[1:]
directory = f'{base}/servers/by-id/{ident}'
os.chdir(directory)
here = os.open('.', os.O_RDONLY | os.O_DIRECTORY)
status = os.open('status', os.O_RDONLY)
power = os.open('power', os.O_RDWR)
print(os.read(status, 100).decode().strip(), flush=True)
sys.stdin.readline()
def verdict(what, call):
    try:
        call()
        print(what, 'works')
    except OSError as e:
        print(what, errno.errorcode[e.errno])
verdict('read', lambda: os.pread(status, 100, 0))
verdict('fstat', lambda: os.fstat(status))
verdict('write', lambda: os.write(power, b'on\n'))
verdict('listdir', lambda: os.listdir(here))
verdict('listdir .', lambda: os.listdir('.'))
verdict('open', lambda: open('status').read())
END
mkfifo "$CF_TMP/go"
python3 "$CF_TMP/gone.py" "$PROFILE" $C <"$CF_TMP/go" >"$CF_TMP/gone.out" 2>&1 &
holder=$!
exec 4>"$CF_TMP/go"
ok "somebody has it open" wait_until 5 grep -q PAUSED "$CF_TMP/gone.out"
sim DELETE "/_sim/servers/$C" >/dev/null
echo 1 >refresh
echo go >&4
exec 4>&-
wait $holder
is "$(tail -n +2 "$CF_TMP/gone.out")" "read ENODEV
fstat ENODEV
write ENODEV
listdir ENOENT
listdir . ENOENT
open ENOENT" "open files are ENODEV, open directories ENOENT"
for path in servers/by-id/$C servers/by-name/other servers/other servers/$C servers/by-state/paused; do
    ok "$path is not there" test ! -e "$path" -a ! -L "$path"
done
server $C ACTIVE reborn
echo 1 >refresh
is "$(cat servers/by-id/$C/name servers/reborn/status)" $'reborn\nACTIVE' "the id may come again"
cd /
cf_umount

cf_section "others' eyes"
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
    chmod 711 "$CF_TMP"
    cf_mount ttl=3600 allow_other
    cd "$PROFILE/servers/by-id/$A"
    nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
    cat raw.json raw/id console_url >/dev/null # cached now
    ls raw >/dev/null
    cmd_fails_with "Permission denied" nobody cat raw.json
    cmd_fails_with "Permission denied" nobody cat raw/id
    cmd_fails_with "Permission denied" nobody ls raw
    cmd_fails_with "Permission denied" nobody cat console_url
    cmd_fails_with "Permission denied" nobody cat console
    cmd_fails_with "Permission denied" nobody cat "$PROFILE/servers/list.jsonl"
    cmd_fails_with "Permission denied" nobody bash -c 'echo off > power'
    cmd_fails_with "Permission denied" nobody bash -c 'echo 1 > ../../../refresh'
    is "$(nobody cat status)" "$(cat status)" "but the rest"
    is "$(cat console)" "" "there is nothing to read in a file that is only written"
    cmd_fails_with "ermi" bash -c 'echo elsewhere > host'
    cmd_fails_with "ermi" bash -c 'echo x > raw.json'
    cd /
    cf_umount
    cf_mount ttl=3600
    cmd_fails_with "Permission denied" setpriv --reuid 65534 --regid 65534 --clear-groups ls "$MNT"
else
    skip "others" "only root can become somebody else"
fi
