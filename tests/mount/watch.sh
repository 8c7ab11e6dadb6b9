#!/usr/bin/env bash
# events.jsonl (contract section 7): every change once and in order, of servers, images and what
# became of actions; under tail -F also across its rotation; what is there when a change is told.
#
# begins early
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/mount/tools/cloud.sh
. "$(dirname "$0")/tools/cloud.sh"
cf_need python3 jq curl

A=aaaaaaaa-0000-4000-8000-000000000001
I=77c1b6a4-0000-4000-8000-00000000ce76
SERVERS=1500
[ "$CF_MODE" == plain ] || SERVERS=600

cf_start_sim --servers $SERVERS --images 2
server $A ACTIVE alpha
image $I active golden db web
change images $I '{"description":"rough"}'
setting() { sim POST /_sim/settings "$1" >/dev/null; }
setting '{"freeze":true}'
cf_mount ttl=3600 rate=0 deadline=120
cd "$PROFILE"
ls servers/by-id images/by-id >/dev/null
fetch() { echo 1 >refresh; }
# since N JQ: over the lines behind the first N.
since() { jq -rs "$2" <(tail -n "+$(($1 + 1))" events.jsonl); }
told() { wc -l <events.jsonl; }

cf_section "images"
n=$(told)
change images $I '{"name":"silver","description":"polished"}'
fetch
is "$(since "$n" 'map([.collection, .event, .field, .old, .new] | map(. // "-") | join(" ")) | sort | .[]')" \
    $'images changed description rough polished\nimages changed name golden silver' \
    "each field that changed, once, old and new"
is "$(since "$n" 'map(.id) | unique | .[]')" "$I" "by its id"
n=$(told)
sim PUT /_sim/images/$I/tags '["db","new"]' >/dev/null
fetch
is "$(since "$n" '.[] | [.collection, .event, .field] | join(" ")')" "images changed tags" "its tags"
is "$(readlink images/by-tag/new/silver)" "../../by-id/$I" "the view has it when the event is told"
image 88c1b6a4-0000-4000-8000-00000000ce77 active late
n=$(told)
fetch
is "$(since "$n" '.[] | [.collection, .event, .name] | join(" ")')" "images created late" "one that came"
n=$(told)
sim DELETE /_sim/images/88c1b6a4-0000-4000-8000-00000000ce77 >/dev/null
fetch
is "$(since "$n" '.[] | [.collection, .event, .name] | join(" ")')" "images deleted late" "one that went"
n=$(told)
fetch
is "$(told)" "$n" "nothing is told twice"

cf_section "snapshot, event, wake-up, content"
# Whoever is woken finds the event in the file, the value in the attribute, and the link in the view;
# whoever reads the event finds them too.
cat >"$CF_TMP/order.py" <<'END'
import json, os, select, sys, threading
status, view, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
fd = os.open(status, os.O_RDONLY)
poll = select.poll()
poll.register(fd, select.POLLPRI)
poll.poll(0)
events = os.open('events.jsonl', os.O_RDONLY)
at = os.fstat(events).st_size
print('ready', flush=True)
def told():
    lines = os.pread(events, 1 << 20, at).decode().splitlines()
    return [l for l in map(json.loads, lines) if l['field'] == 'status' and l['new'] == 'PAUSED']
assert poll.poll(seconds * 1000), 'not woken'
woken = [len(told()), os.pread(fd, 100, 0).decode().strip(), os.path.lexists(view)]
print(*woken)
END
python3 "$CF_TMP/order.py" servers/by-id/$A/status servers/by-state/paused/alpha $((20 * CF_SLOW)) \
    >"$CF_TMP/order" 2>&1 &
waiter=$!
ok "somebody waits" wait_until 10 grep -q ready "$CF_TMP/order"
change servers $A '{"status":"PAUSED"}'
fetch
wait $waiter || true
is "$(tail -n 1 "$CF_TMP/order")" "1 PAUSED True" "who is woken finds the event, the value and the view"
n=$(told)
change servers $A '{"status":"ACTIVE"}'
fetch
is "$(since "$n" 'map(.field) | sort | join(" ")')" "state status" "every attribute that follows is told"
is "$(cat servers/by-id/$A/state)" running "who reads the event finds the value"
n=$(told)
echo off >servers/by-id/$A/power
is "$(since "$n" '.[0] | [.event, .field, .new] | join(" ")')" "action power off" "an action first, then what comes of it"

cf_section "rotation under tail -F"
tail -F -s 0.1 --max-unchanged-stats=1 -n +1 events.jsonl >"$CF_TMP/tail" 2>"$CF_TMP/tail.err" &
tailer=$!
# Every server gets another status, which is a line of status and one of state.
changed=0
turn() {
    changed=$((changed + $(sim POST /_sim/servers/touch '{"fraction":1.0}' | jq .changed)))
    fetch
}
turn # the new world's servers are in many states; from here on they all change
before=$(told)
changed=0
turns=0
while ! [ -e events.1.jsonl ] && [ "$turns" -lt 200 ]; do
    turn
    turns=$((turns + 1))
done
ok "there is a second file" test -s events.1.jsonl
for _ in 1 2; do
    turn
    turns=$((turns + 1))
done
echo "# $turns turns"
cat events.1.jsonl events.jsonl >"$CF_TMP/all"
caught_up() { [ "$(wc -l <"$CF_TMP/tail")" -ge "$(wc -l <"$CF_TMP/all")" ]; }
ok "tail -F has as many lines" wait_until 20 caught_up
ok "they are the same, each once and in order" cmp "$CF_TMP/tail" "$CF_TMP/all"
at_most "$(stat -c %s events.1.jsonl)" $((8 * 1024 * 1024)) "the old one is not longer than 8 MiB"
ok "every line is whole" jq -es 'all(.[]; .time and .collection and .event)' "$CF_TMP/all"
is "$(tail -n "+$((before + 1))" "$CF_TMP/all" | jq -s 'map(select(.field == "status")) | length')" "$changed" \
    "a line for each change in the cloud"
kill $tailer
wait $tailer || true
like_not "$(grep -v 'has been replaced' "$CF_TMP/tail.err")" . "tail has no other complaint"
