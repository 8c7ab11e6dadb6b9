#!/usr/bin/env bash
# list.tsv and list.jsonl are read from versions that never change, and that do not pile up.
# begins early
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/mount/tools/cloud.sh
. "$(dirname "$0")/tools/cloud.sh"
cf_need python3 jq curl

cf_start_sim --servers 500 --images 20
cf_mount ttl=3600 rate=0
cd "$PROFILE"

# Reads FILE in steps of 1 KiB; between them the world changes and is fetched anew, TIMES times.
cat >"$CF_TMP/steps.py" <<'END'
import os, sys, urllib.request
path, times = sys.argv[1], int(sys.argv[2])
def touch():
    r = urllib.request.Request(os.environ['SIM_URL'] + '/_sim/servers/touch', b'{"fraction":1.0}',
        {'Authorization': 'Bearer ' + os.environ['CF_TOKEN'], 'Content-Type': 'application/json'})
    urllib.request.urlopen(r).read()
    with open('refresh', 'w') as f:
        f.write('1\n')
with open(path, 'rb') as f:
    before = f.read()
fd = os.open(path, os.O_RDONLY)
target = os.readlink(path)
out, steps = b'', 0
while True:
    piece = os.read(fd, 1024)
    out += piece
    if not piece:
        break
    steps += 1
    if times and steps % 7 == 0:
        touch()
        times -= 1
with open(path, 'rb') as f:
    after = f.read()
assert steps > 20 and not times, (steps, times)
assert out == before, 'two versions in one reading'
assert after != before, 'nothing has changed'
assert os.readlink(path) != target, 'no new version'
with open('servers/' + target, 'rb') as f:
    assert f.read() == before, 'the old version is another one now'
assert os.fstat(fd).st_size == len(before)
END
export SIM_URL CF_TOKEN

cf_section "one open, one version"
ok "list.tsv is all of one version" python3 "$CF_TMP/steps.py" servers/list.tsv 3
ok "list.jsonl is all of one version" python3 "$CF_TMP/steps.py" servers/list.jsonl 3
ok "the newest is right" cloud lists "$PROFILE" servers
is "$(stat -Lc %s servers/list.tsv)" "$(wc -c <servers/list.tsv)" "st_size of list.tsv"
is "$(stat -Lc %s servers/list.jsonl)" "$(wc -c <servers/list.jsonl)" "st_size of list.jsonl"
like "$(readlink servers/list.tsv)" '^\.snapshots/[0-9]{10}/list\.tsv$' "ten digits"
is "$(dirname "$(readlink servers/list.jsonl)")" "$(dirname "$(readlink servers/list.tsv)")" \
    "both lead to the same version"
is "$(find "servers/$(dirname "$(readlink servers/list.tsv)")" -mindepth 1 -printf '%f\n' | sort)" \
    $'list.jsonl\nlist.tsv' "a version has two files"

cf_section "an old version"
old=$(dirname "$(readlink servers/list.tsv)")
text=$(cat "servers/$old/list.tsv")
for i in 1 2 3; do
    sim POST /_sim/servers/touch '{"fraction":0.1}' >/dev/null
    echo "$i" >refresh
done
is "$(cat "servers/$old/list.tsv")" "$text" "can be entered for a minute"
like_not "$(cat servers/list.tsv)" "^$text$" "beside the newest"

cf_section "many versions"
rss() { awk '/^VmRSS/ { print $2 }' "/proc/$DAEMON_PID/status"; }
generations() {
    local i
    for ((i = 0; i < $1; i++)); do
        sim POST /_sim/servers/touch '{"fraction":1.0}' >/dev/null
        echo 1 >refresh
        cat servers/list.tsv servers/list.jsonl >/dev/null
        ls servers/by-state/* servers/by-name >/dev/null
    done
}
first=20 more=60
[ "$CF_MODE" == plain ] || first=5 more=15 # a sanitizer's own memory hides what they need
generations $first
before=$(rss)
generations $more
after=$(rss)
echo "# VmRSS after $first versions $before KiB, after $((first + more)) $after KiB"
at_most_memory "$after" "$((before + 8192))" "the memory does not grow with them"

# More versions than are kept, all of them open.
cf_section "too many open at once"
cat >"$CF_TMP/hold.py" <<'END'
import errno, os, sys, urllib.request
held = []
for i in range(12):
    fd = os.open('servers/list.tsv', os.O_RDONLY)
    held.append((fd, os.pread(fd, 100, 0)))
    r = urllib.request.Request(os.environ['SIM_URL'] + '/_sim/servers/touch', b'{"fraction":1.0}',
        {'Authorization': 'Bearer ' + os.environ['CF_TOKEN'], 'Content-Type': 'application/json'})
    urllib.request.urlopen(r).read()
    with open('refresh', 'w') as f:
        f.write('1\n')
stale = 0
for i, (fd, begin) in enumerate(held):
    try:
        # Not from the page cache.
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        data = b''
        while piece := os.pread(fd, 65536, len(data)):
            data += piece
        assert data.startswith(begin)
    except OSError as e:
        assert e.errno == errno.ESTALE, e
        assert i < 6, i
        stale += 1
print(stale, 'stale')
END
like "$(python3 "$CF_TMP/hold.py" 2>&1 | tail -n 1)" '^[0-9]+ stale$' \
    "the oldest are stale at most, the newest never"
