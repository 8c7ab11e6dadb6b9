#!/usr/bin/env bash
# Editing views: by-name renames, by-tag tags, with the option edit_views; without it nothing does.
# Contract section 3, "Views".
# begins early
# shellcheck disable=SC2016 # the inner shells'
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=cloud.bash
. "$(dirname "$0")/cloud.bash"
cf_need jq curl python3

cat >"$CF_TMP/sys.py" <<'END'
"""System calls that tools do not make on request. Prints ok, or the error's name."""
import ctypes, errno, os, sys
libc = ctypes.CDLL(None, use_errno=True)


def rename2(old, new, flags):
    if libc.renameat2(-100, os.fsencode(old), -100, os.fsencode(new), int(flags)) != 0:
        raise OSError(ctypes.get_errno(), "renameat2")


def name_of(call, *arguments):
    try:
        call(*arguments)
        return "ok"
    except OSError as e:
        return errno.errorcode[e.errno]


def in_dir(path):
    """Everything that makes, moves or removes a name in a view, one errno each."""
    first = path + "/" + sorted(os.listdir(path))[0]
    yield name_of(os.mkdir, path + "/new")
    yield name_of(os.symlink, "../by-id/x", path + "/new")
    yield name_of(os.link, first, path + "/new") if os.path.islink(first) else "EROFS"
    yield name_of(os.mknod, path + "/new", 0o600)
    yield name_of(os.open, path + "/new", os.O_CREAT | os.O_WRONLY)
    yield name_of(os.rename, first, path + "/new")
    yield name_of(os.unlink if os.path.islink(first) else os.rmdir, first)


def refusals(*collections):
    for collection in collections:
        views = [v for v in os.listdir(collection) if v.startswith("by-") and v != "by-id"]
        for view in sorted(views):
            path = collection + "/" + view
            if not os.listdir(path):
                continue
            inner = path + "/" + sorted(os.listdir(path))[0]
            for each in [path] + ([] if os.path.islink(inner) else [inner]):
                wrong = set(in_dir(each)) - {"EROFS"}
                if wrong:
                    print(each, wrong)
    print("done", end=" ")


def seen_by_another(check, change, rounds):
    """A second process has looked before, and looks again as soon as the change has returned."""
    down, up = os.pipe(), os.pipe()
    if os.fork() == 0:
        os.close(down[1])
        with os.fdopen(down[0]) as orders, os.fdopen(up[1], "w") as answers:
            for i, _ in enumerate(orders):
                print(check(i // 2 - 1 + i % 2), file=answers, flush=True)
        os._exit(0)
    with os.fdopen(down[1], "w") as orders, os.fdopen(up[0]) as answers:
        for i in range(rounds):
            print(file=orders, flush=True)
            answers.readline()
            change(i)
            print(file=orders, flush=True)
            verdict = answers.readline().strip()
            if verdict != "right":
                print(i, verdict, end=" ")
    os.wait()


def swaps(link, a, b):
    dirs = (a, b)
    name = "/" + link

    def check(i):
        old, new = dirs[i % 2] + name, dirs[(i + 1) % 2] + name
        if name_of(os.lstat, old) != "ENOENT":
            return "the old one is there"
        inode = [e.inode() for e in os.scandir(os.path.dirname(new)) if e.name == link]
        return "right" if inode == [os.lstat(new).st_ino] else "not the link that is listed"

    seen_by_another(check, lambda i: os.rename(dirs[i % 2] + name, dirs[(i + 1) % 2] + name), 20)


def renames(a, b):
    names = (a, b)

    def check(i):
        if name_of(os.lstat, names[i % 2]) != "ENOENT":
            return "the old name is there"
        return "right" if name_of(os.stat, names[(i + 1) % 2]) == "ok" else "the new one is not"

    seen_by_another(check, lambda i: os.rename(names[i % 2], names[(i + 1) % 2]), 20)


print(name_of(globals().get(sys.argv[1]) or getattr(os, sys.argv[1]), *sys.argv[2:]))
END
sys() { python3 "$CF_TMP/sys.py" "$@"; }
tags() { sim GET "/_sim/${2:-servers}/$1/tags" | jq -c sort; }
set_tags() { sim PUT "/_sim/${3:-servers}/$1/tags" "$2" >/dev/null; }
last_action() { journal 'map(select(.kind == "action")) | last | [.action, .new, .result] | @csv'; }
members() { find "$1" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | tr '\n' ' '; }
asked() { [ "$(sim GET /_sim/counters | jq -r --arg a "$1" '.by[$a] // 0')" -gt 0 ]; }
# fails TEXT COMMAND…: it does, and the cloud is asked for no change.
fails() {
    local before
    before=$(calls changes)
    cmd_fails_with "$@"
    is "$(calls changes)" "$before" "and nothing is sent"
}

CF_DIALECT=qingcloud
cf_start_sim --servers 0 --images 0
setting '{"freeze":true}'
server() {
    sim POST /_sim/servers "{\"instance_id\":\"$1\",\"instance_name\":\"$2\",\"status\":\"running\",
        \"transition_status\":\"\"}" >/dev/null
    set_tags "$1" "$3"
}
server i-a alpha '["blue","web"]'
server i-b beta '["web"]'
server i-1 twin '["db"]'
server i-2 twin '[]'
server i-z last '["spare"]'
sim POST /_sim/images '{"image_id":"img-a","image_name":"base","status":"available",
    "transition_status":"","provider":"self","visibility":"private"}' >/dev/null
set_tags img-a '["gold"]' images
sim POST /_sim/images '{"image_id":"img-s","image_name":"alpha","status":"available",
    "transition_status":"","provider":"system","visibility":"public","tags":[]}' >/dev/null

cf_section "without the option"
cf_mount ttl=600 rate=0
is "$(sys refusals "$PROFILE/servers" "$PROFILE/images")" "done ok" "EROFS everywhere"
is "$(stat -c %a "$PROFILE/servers/by-name" "$PROFILE/servers/by-tag/web")" $'555\n555' "the modes say so"
cd "$PROFILE/servers"
cmd_fails_with "Read-only file system" mv -T by-name/alpha by-name/omega
cmd_fails_with "Read-only file system" ln -s ../../by-id/i-b by-tag/blue/
cmd_fails_with "Read-only file system" rm by-tag/web/alpha
cmd_fails_with "Read-only file system" mv by-tag/web/beta by-tag/blue/
cmd_fails_with "Read-only file system" mkdir by-tag/new
cmd_fails_with "Read-only file system" rmdir by-tag/web
is "$(calls changes)" 0 "nothing is sent"
cd /
cf_umount

cf_section "dry_run"
cf_mount ttl=600 rate=0 edit_views dry_run
cd "$PROFILE/servers"
ok "a rename is accepted" mv -T by-name/alpha by-name/omega
ok "a tag is accepted" ln -s ../../by-id/i-b by-tag/blue/
ok "and its end" rm by-tag/web/alpha
is "$(members by-name) $(members by-tag/blue) $(members by-tag/web)" \
    "alpha beta last twin~i-1 twin~i-2  alpha  alpha beta " "nothing changes"
is "$(calls changes)" 0 "nothing is sent"
cd /
cf_umount

cf_mount ttl=600 rate=0 edit_views
cd "$PROFILE/servers"

cf_section "modes"
is "$(stat -c '%n %a' by-* by-tag/web by-state/running ../images/by-tag | grep -v ' 555$')" \
    $'by-name 755\nby-tag 755\nby-tag/web 755\n../images/by-tag 755' "by-name and by-tag, no other view"
fails "Read-only file system" mkdir by-state/new
fails "Read-only file system" mv by-state/running/alpha by-state/running/omega
fails "Read-only file system" mv -T by-name/alpha by-state/running/omega
fails "Operation not permitted" mkdir by-id/new

cf_section "mv in by-name"
forget_requests
ok "renames" mv -T by-name/alpha by-name/omega
is "$(calls changes)" 1 "by one call"
is "$(sim GET /_sim/servers/i-a | jq -r .instance_name)" omega "the cloud has it"
is "$(members by-name)" "beta last omega twin~i-1 twin~i-2 " "the old name is gone"
is "$(members by-tag/web) $(members by-state/running)" \
    "beta omega  beta last omega twin~i-1 twin~i-2 " "in all views at once"
is "$(last_action)" '"rename","omega","ok"' "the journal has it"
ok "one of two of a name" mv -T "by-name/twin~i-1" 'by-name/50%25 %7E 中文'
is "$(sim GET /_sim/servers/i-1 | jq -r .instance_name)" '50% ~ 中文' "written as it is shown"
ok "the other one has the name alone" test -L by-name/twin
ok "back" mv -T by-name/omega by-name/alpha
ok "an image" mv -T ../images/by-name/base ../images/by-name/ground
is "$(sim GET /_sim/images/img-a | jq -r .image_name)" ground "the cloud has it"
is "$(sys rename2 by-name/alpha by-name/beta 0)" EEXIST "onto another one: EEXIST"
is "$(sys rename2 by-name/alpha by-name/beta 1)" EEXIST "RENAME_NOREPLACE likewise"
is "$(sys rename2 by-name/alpha by-name/beta 2)" EINVAL "RENAME_EXCHANGE: EINVAL"
is "$(sys rename2 by-name/nobody by-name/x 0)" ENOENT "what is not there: ENOENT"
server i-3 twin '[]'
refresh
is "$(sys rename2 by-name/alpha by-name/twin 0)" EEXIST "a name that several share"
fails "Operation not permitted" mv -T by-name/alpha by-name/50%
like "$(cat by-id/i-a/last_error)" '%25' "last_error says how it is written"
fails "Operation not permitted" mv by-name/alpha by-tag/web/alpha
fails "Operation not permitted" mv by-name/alpha by-tag/x
fails "Operation not permitted" mv by-name/alpha by-id/i-a/x
fails "Permission denied" mv -T ../images/by-name/alpha ../images/by-name/x
fails "Operation not permitted" rm by-name/alpha
fails "Operation not permitted" mkdir by-name/x
fails "Operation not permitted" ln -s ../by-id/i-a by-name/x
fails "Operation not permitted" ln -P by-name/alpha by-name/x
fails "Operation not permitted" mknod by-name/x p
fails "Operation not permitted" touch by-name/x
fails "Not a directory" rmdir by-name/alpha
is "$(members by-name)" "50%25 %7E 中文 alpha beta last twin~i-2 twin~i-3 " "all are where they were"
is "$(sys renames by-name/beta by-name/bravo)" ok "another process sees it as soon as mv is over"

cf_section "ln -s in by-tag"
forget_requests
ok "by the id" ln -s ../../by-id/i-b by-tag/blue/
is "$(tags i-b)" '["blue","web"]' "the tag is added, the other one stays"
is "$(calls changes)" 1 "by one call"
is "$(readlink by-tag/blue/beta)" ../../by-id/i-b "the link is the usual one"
ok "no other is there" test ! -L by-tag/blue/i-b
is "$(cat by-id/i-b/tags)" $'blue\nweb' "the file has it"
is "$(last_action)" '"tags","+blue","ok"' "the journal has it"
ok "by an absolute path" ln -s "$PROFILE/servers/by-id/i-z/" by-tag/blue/
ok "by name" ln -s ../../by-name/alpha by-tag/db/
ok "through the shorthand" ln -s ../../beta by-tag/db
ok "through another view" ln -s ../../by-state/running/last by-tag/db/
ok "by an id with its resource's name" ln -s ../../by-id/i-2 "by-tag/db/twin~i-2"
is "$(members by-tag/db)" "50%25 %7E 中文 alpha beta last twin~i-2 " "they are there"
is "$(readlink by-tag/db/* | sort | tr '\n' ' ')" \
    "../../by-id/i-1 ../../by-id/i-2 ../../by-id/i-a ../../by-id/i-b ../../by-id/i-z " "all alike"
ok "an image" bash -c 'cd ../images && mkdir by-tag/new && ln -s ../../by-id/img-a by-tag/new/'
is "$(tags img-a images)" '["gold","new"]' "has it"
fails "File exists" ln -s ../../by-name/alpha by-tag/db/
fails "File exists" ln -s ../../by-id/i-a by-tag/db/
fails "File exists" ln -sf ../../by-id/i-a by-tag/db/
fails "No such file" ln -s ../../by-id/nobody by-tag/db/
fails "No such file" ln -s ../../by-name/i-3 by-tag/spare/
fails "No such file" ln -s ../../by-id/alpha by-tag/spare/
fails "Invalid argument" ln -s ../../../images/by-name/alpha by-tag/spare/
fails "Invalid argument" ln -s ../.. by-tag/spare/x
fails "Operation not permitted" ln -s ../../by-id/i-a by-tag/spare/any-name
like "$(cat by-id/i-a/last_error)" 'name of its resource' "last_error says why"
fails "Operation not permitted" ln -s ../by-id/i-a by-tag/x
fails "Operation not permitted" ln -P by-tag/web/alpha by-tag/spare/alpha
fails "Operation not permitted" touch by-tag/spare/x
fails "Operation not permitted" mkdir by-tag/spare/x
fails "Operation not permitted" mknod by-tag/x p

cf_section "rm in by-tag"
forget_requests
ok "removes it" rm by-tag/db/alpha
is "$(tags i-a)" '["blue","web"]' "the others stay"
is "$(calls changes)" 1 "by one call"
ok "the link is gone" test ! -L by-tag/db/alpha
is "$(last_action)" '"tags","-db","ok"' "the journal has it"
fails "No such file" rm by-tag/db/alpha
set_tags i-2 '[]'
ok "what is gone in the cloud already" rm "by-tag/db/twin~i-2"
is "$(calls changes)" 1 "needs no call"
ok "it is shown" test ! -L "by-tag/db/twin~i-2"
ok "an image's" rm ../images/by-tag/new/ground
is "$(tags img-a images)" '["gold"]' "which keeps the other one"
ok "a tag that was made stays" test -d ../images/by-tag/new
ok "the last one's" rm ../images/by-tag/gold/ground
ok "takes the directory along" test ! -e ../images/by-tag/gold

cf_section "mv in by-tag"
set_tags i-a '["blue","more","web"]'
refresh
forget_requests
ok "swaps" mv by-tag/web/alpha by-tag/db/
is "$(tags i-a)" '["blue","db","more"]' "the others stay"
is "$(requests 'map(select(.path | test("Tags")) | .path | capture("action=(?<a>[A-Za-z]+)").a) |
    map(select(test("tach"))) | join(" ")')" "AttachTags DetachTags" "first the new one, then the old one"
is "$(members by-tag/web) $(members by-tag/db)" "beta  50%25 %7E 中文 alpha beta last " "the link moved"
fails "File exists" sh -c 'mv -T by-tag/db/beta by-tag/web/beta; exit 1'
fails "Operation not permitted" mv by-tag/db/alpha by-tag/web/other
like "$(cat by-id/i-a/last_error)" 'by-name renames' "last_error says what does"
fails "Operation not permitted" mv by-tag/db/alpha by-tag/db/other
fails "Operation not permitted" mv by-tag/db/alpha by-name/other
fails "Operation not permitted" mv by-tag/db/alpha by-tag/other
fails "Operation not permitted" mv -T by-tag/db by-tag/other
fails "Operation not permitted" mv by-tag/db/alpha ../images/by-tag/new/
is "$(sys swaps alpha by-tag/db by-tag/web)" ok "another process sees it as soon as mv is over"
is "$(tags i-a)" '["blue","db","more"]' "nothing is lost"

cf_section "mkdir and rmdir in by-tag"
forget_requests
ok "an empty tag" mkdir by-tag/fresh
ok "is there" test -d by-tag/fresh
is "$(members by-tag/fresh)" "" "and empty"
like "$(members by-tag)" '(^| )fresh ' "it is listed"
fails "File exists" mkdir by-tag/fresh
fails "File exists" mkdir by-tag/web
fails "Invalid argument" mkdir by-tag/50%
ok "rmdir" rmdir by-tag/fresh
ok "it is gone" test ! -e by-tag/fresh
like_not "$(members by-tag)" '(^| )fresh ' "from the list too"
fails "No such file" rmdir by-tag/fresh
fails "Directory not empty" rmdir by-tag/web
fails "Operation not permitted" rmdir by-id/i-a
is "$(calls changes)" 0 "no call for any of it"
ok "a tag to link into" mkdir -p 'by-tag/neu 中/' by-tag/web
ok "mv into it" mv by-tag/db/alpha 'by-tag/neu 中/'
is "$(tags i-a)" '["blue","more","neu 中"]' "the cloud has it"
fails "Directory not empty" rmdir 'by-tag/neu 中'
ok "and out of it" mv 'by-tag/neu 中/alpha' by-tag/db/
ok "it stays for the ten minutes" rmdir 'by-tag/neu 中'
made=0
for i in {1..70}; do
    mkdir "by-tag/t$i" 2>"$CF_TMP/err" || break
    made=$((made + 1))
done
at_most "$made" 64 "not more than 64"
like "$(cat "$CF_TMP/err")" "Disk quota exceeded" "then EDQUOT"
rmdir by-tag/t*
is "$(members by-tag)" "blue db more spare web " "they are gone"

cf_section "refused by the cloud"
set_tags i-a '["blue","db","more"]'
refresh
fault code AttachTags '"code":"2400","message":"not to be had"'
cmd_fails_with "Operation not permitted" ln -s ../../by-id/i-a by-tag/web/
ok "the link is not there" test ! -L by-tag/web/alpha
like "$(cat by-id/i-a/last_error)" "not to be had" "last_error has the cloud's words"
cmd_fails_with "Operation not permitted" mv by-tag/db/alpha by-tag/web/
is "$(tags i-a)" '["blue","db","more"]' "nothing changed"
like_not "$(cat by-id/i-a/last_error)" "were added" "and nothing else is said"
no_faults
fault code DetachTags '"code":"2400","message":"not to be lost"'
is "$(sys rename by-tag/db/alpha by-tag/web/alpha)" EPERM "a rename of which half was done fails"
is "$(tags i-a)" '["blue","db","more","web"]' "the new one was added, no other was lost"
is "$(sed 's/.*not to be lost[^;]*//' by-id/i-a/last_error)" \
    "; new tags were added, old ones were not all taken away" "last_error says so"
ok "both links are there" test -L by-tag/db/alpha -a -L by-tag/web/alpha
cmd_fails_with "Operation not permitted" rm by-tag/db/alpha
ok "it stays" test -L by-tag/db/alpha
no_faults
fault code ModifyInstanceAttributes '"code":"2400","message":"no such name"'
cmd_fails_with "Operation not permitted" mv -T by-name/alpha by-name/omega
ok "the old name stays" test -L by-name/alpha -a ! -L by-name/omega
no_faults

cf_section "while the cloud takes its time"
fault latency AttachTags "\"ms\":$((1500 * CF_SLOW > 4000 ? 4000 : 1500 * CF_SLOW))"
forget_requests
ln -s ../../by-id/i-z by-tag/web/ &
ln=$!
ok "it is asked" wait_until 10 asked AttachTags
is "$(members by-tag) $(members by-tag/spare) $(members by-name)" \
    "blue db more spare web  last  50%25 %7E 中文 alpha beta last twin~i-2 twin~i-3 " \
    "all other directories answer"
ok "a refresh, too" refresh
ok "ln goes on" kill -0 $ln
ok "ls of its own directory waits no longer than it" test -n "$(members by-tag/web)"
ok "ln succeeds" wait $ln
ok "the link is there" test -L by-tag/web/last
no_faults
fault hang AttachTags
at_most "$(quiet_ms cmd_fails_with "Connection timed out" ln -s ../../by-id/i-b by-tag/more/)" 20000 \
    "one that does not answer: long before the deadline"
is "$(last_action)" '"tags","+more","unknown"' "the journal says that the outcome is unknown"
no_faults
cd /
cf_umount
cf_stop_sim "$SIM_PID"


# other DIALECT [OPTION…]: a small one of another cloud, mounted; sets all and name.
other() {
    CF_DIALECT=$1
    cf_section "$1"
    cf_start_sim --servers 3 --images 3
    setting '{"freeze":true}'
    rm "$CF_TMP/config"
    cf_mount ttl=600 rate=0 edit_views "${@:2}"
    cd "$PROFILE/servers"
    mapfile -t all < <(ls by-id)
    [ "$1" = ucloudstack ] || set_tags "${all[0]}" '["blue","web"]'
    refresh
    name=$(cat "by-id/${all[0]}/name")
    forget_requests
}
leave() {
    cd /
    cf_umount
    cf_stop_sim "$SIM_PID"
}

other openstack
mkdir by-tag/fresh
ok "ln -s" ln -s "../../by-id/${all[0]}" by-tag/fresh/
is "$(tags "${all[0]}")" '["blue","fresh","web"]' "adds"
mkdir by-tag/other
ok "mv" mv "by-tag/fresh/$name" by-tag/other/
is "$(tags "${all[0]}")" '["blue","other","web"]' "swaps"
ok "rm" rm "by-tag/other/$name"
is "$(tags "${all[0]}")" '["blue","web"]' "removes"
is "$(calls changes)" 3 "one call each"
ok "mv in by-name" mv -T "by-name/$name" by-name/another
is "$(cat "by-id/${all[0]}/name")" another "renames"
leave

other ucloudstack
ok "mv in by-name" mv -T "by-name/$name" by-name/another
is "$(calls changes)" 1 "renames by one call"
is "$(cat "by-id/${all[0]}/name")" another "and shows it"
ok "there is no by-tag" test ! -e by-tag
leave

other inspur
is "$(stat -c %a by-name ../images/by-name by-tag ../images/by-tag)" $'555\n755\n755\n555' \
    "what this cloud can: rename images, tag servers"
fails "Read-only file system" mv -T "by-name/$name" by-name/another
image=$(sim GET /_sim/images | jq -r 'map(select(.visibility == "private").id) | sort | .[0]')
ok "mv in by-name of images" mv -T "../images/by-name/$(cat "../images/by-id/$image/name")" \
    ../images/by-name/another
is "$(cat "../images/by-id/$image/name")" another "renames"
ok "by-tag shows whose tags are known" test ! -e by-tag/blue
mkdir by-tag/fresh
forget_requests
ok "ln -s" ln -s "../../by-id/${all[0]}" by-tag/fresh/
is "$(tags "${all[0]}")" '["blue","fresh","web"]' "adds to those that nobody had asked for"
is "$(calls "GET /v1/servers/{id}/tags") $(calls changes)" "1 1" "by one call, and one to read them"
ok "all are known now" test -L "by-tag/blue/$name"
set_tags "${all[0]}" '["blue","fresh","green","web"]'
forget_requests
mkdir by-tag/other
ok "mv" mv "by-tag/fresh/$name" by-tag/other/
is "$(tags "${all[0]}")" '["blue","green","other","web"]' "swaps, and keeps what came meanwhile"
is "$(calls changes)" 1 "by one call"
ok "what came is shown" test -L "by-tag/green/$name"

cf_section "ten links a minute"
set_tags "${all[1]}" '["a","b","c","d","e","f","g","h","i","j","k","l"]'
cat "by-id/${all[1]}/tags" >/dev/null
name=$(cat "by-id/${all[1]}/name")
forget_requests
removed=0
for tag in a b c d e f g h i j k l; do
    rm "by-tag/$tag/$name" 2>"$CF_TMP/err" || break
    removed=$((removed + 1))
done
is "$removed $(calls changes)" "10 10" "are removed"
like "$(cat "$CF_TMP/err")" "Operation not permitted" "then EPERM"
like "$(cat "by-id/${all[1]}/last_error")" "10 links a minute" "last_error says why"
is "$(tags "${all[1]}")" '["k","l"]' "the others stay"
is "$(last_action | cut -d , -f 1,3)" '"tags","failed"' "the journal has it"
ok "one can be moved" mv "by-tag/k/$name" by-tag/other/
ok "and tags are written as ever" put l "by-id/${all[1]}/tags"
leave
