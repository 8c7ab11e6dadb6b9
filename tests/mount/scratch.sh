#!/usr/bin/env bash
# Scratch files: what programs put beside an attribute to replace it. Contract section 3.
# shellcheck disable=SC2016 # the inner shells'
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=cloud.bash
. "$(dirname "$0")/cloud.bash"
cf_need jq curl python3

cf_start_sim --servers 4 --images 4
setting '{"freeze":true}'
cf_mount ttl=300 rate=0

TAGS="POST /v1/servers/{id}/tags"
mapfile -t all < <(sim GET /_sim/servers | jq -r '.[].id' | sort)
one=${all[0]} two=${all[1]}
dir=$PROFILE/servers/by-id/$one
other=$PROFILE/servers/by-id/$two
mapfile -t private < <(sim GET /_sim/images | jq -r '.[] | select(.visibility == "private") | .id')
image=$PROFILE/images/by-id/${private[0]}
set_tags() { sim PUT "/_sim/servers/$1/tags" "$2" >/dev/null; }
cloud_tags() { sim GET "/v1/servers/$1/tags" | jq -c '.data.tags | sort'; }
for id in "${all[@]}"; do
    set_tags "$id" '["db","prod"]'
done
is "$(cat "$dir/tags" "$other/tags")" $'db\nprod\ndb\nprod' "the tags at first"
attributes=$(awk -F '\t' '$1 ~ /by-id\/<id>\/[^\/]*\/?$/ { sub(".*by-id/<id>/", "", $1); print $1 }' \
    "$MNT/.cirrusfs/attributes.tsv")
is "$(stat -c %a "$dir")" 755 "names can be made in it"
# scratch [DIRECTORY]: what is there beside the attributes
scratch() {
    find "${1:-$dir}" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | grep -vxF "$attributes" || true
}

cat >"$CF_TMP/sys.py" <<'END'
"""System calls that no tool makes on request. Prints ok, or the error's name."""
import ctypes, errno, os, sys
libc = ctypes.CDLL(None, use_errno=True)


def rename2(old, new, flags):
    if libc.renameat2(-100, os.fsencode(old), -100, os.fsencode(new), int(flags)) != 0:
        raise OSError(ctypes.get_errno(), "renameat2")


def fresh(path, text):
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    os.write(fd, os.fsencode(text))
    return fd


def late(path, target):
    fd = fresh(path, "late\n")
    os.rename(path, target)
    for what in (lambda: os.write(fd, b"x"), lambda: os.ftruncate(fd, 0), lambda: os.fstat(fd)):
        try:
            what()
            print("taken")
        except OSError as e:
            print(errno.errorcode[e.errno])
    os.fsync(fd)


def unlinked(path):
    fd = fresh(path, "still here\n")
    os.unlink(path)
    os.write(fd, b"and more\n")
    print(os.pread(fd, 100, 0).decode().replace("\n", ","), os.fstat(fd).st_nlink,
          os.path.exists(path))


def many(directory, count):
    for i in range(int(count)):
        os.close(fresh(f"{directory}/f{i}", str(i)))


def holes(path):
    fd = fresh(path, "ab")
    os.pwrite(fd, b"z", 6)
    os.ftruncate(fd, 8)
    print(os.pread(fd, 100, 0), os.fstat(fd).st_size)


def away(old, new):
    os.rename(old, new)
    a, b = os.stat(old), os.stat(new)
    print(a.st_ino != b.st_ino, a.st_size == b.st_size)
    with open(new, "w") as f:
        f.write("mine\n")
    print(open(old).read().split(), open(new).read().split())


def mapped(path):
    import mmap
    fd = fresh(path, "hello\n")
    with mmap.mmap(fd, 6) as m:
        m[0:1] = b"J"
        m.flush()
    os.close(fd)


try:
    globals()[sys.argv[1]](*sys.argv[2:])
    print("ok")
except OSError as e:
    print(errno.errorcode[e.errno])
END
sys() { python3 "$CF_TMP/sys.py" "$@"; }

cf_section "a file like any other"
forget_requests
ok "is created" put hello "$dir/x"
is "$(cat "$dir/x")" hello "reads"
is "$(stat -c '%a %s %h %F' "$dir/x")" "644 6 1 regular file" "its mode, size and type"
is "$(scratch)" x "it is listed"
is "$(find "$dir" -name x -type f | wc -l)" 1 "find sees it"
ok ">>" bash -c 'echo more >>"$1"' - "$dir/x"
is "$(cat "$dir/x")" $'hello\nmore' "adds"
ok ">" put new "$dir/x"
is "$(cat "$dir/x")" new "replaces"
ok "is truncated" truncate -s 1 "$dir/x"
is "$(od -An -c "$dir/x" | tr -d ' ')" n "to that size"
ok "chmod" chmod 600 "$dir/x"
ok "touch -d" touch -d 2001-02-03T04:05:06Z "$dir/x"
is "$(stat -c '%a %Y' "$dir/x")" "600 981173106" "mode and time are kept"
cmd_fails_with "Operation not permitted" chown 12345 "$dir/x"
ok "mv" mv -T "$dir/x" "$dir/y"
is "$(scratch)" y "it has the new name only"
put other "$dir/x"
ok "mv over another" mv -Tf "$dir/x" "$dir/y"
is "$(scratch) $(cat "$dir/y")" "y other" "replaces that"
ok "rm" rm "$dir/y"
is "$(scratch)" "" "it is gone"
cmd_fails_with "No such file or directory" cat "$dir/y"
cmd_fails_with "No such file or directory" unlink "$dir/y"
is "$(sys holes "$dir/h")" $'b\'ab\\x00\\x00\\x00\\x00z\\x00\' 8\nok' "holes are NUL bytes"
is "$(sys mapped "$dir/m") $(cat "$dir/m")" "ok Jello" "a store through a shared mapping is kept"
is "$(sys unlinked "$dir/u")" $'still here,and more, 0 False\nok' "unlinked, it lives while it is open"
rm "$dir/h" "$dir/m"
is "$(scratch)" "" "none is left"
is "$(calls total)" 0 "nothing of it concerns the cloud"

cf_section "bounds"
ok "65536 bytes" dd if=/dev/zero of="$dir/big" bs=65536 count=1 status=none
cmd_fails_with "File too large" dd if=/dev/zero of="$dir/big" bs=1 seek=65536 count=1 conv=notrunc status=none
cmd_fails_with "File too large" truncate -s 65537 "$dir/big"
is "$(stat -c %s "$dir/big")" 65536 "it keeps what it had"
is "$(sys many "$other" 63)" ok "64 files"
cmd_fails_with "Disk quota exceeded" bash -c ': >"$1"' - "$dir/one-more"
rm "$dir/big"
ok "when one goes there is room" put x "$dir/one-more"
rm "$dir/one-more" "$other"/f[0-9]*
cmd_fails_with "File name too long" bash -c ': >"$1"' - "$dir/$(printf '%0256d' 0)"
is "$(scratch)$(scratch "$other")" "" "none is left"

cf_section "what is refused"
cmd_fails_with "Operation not permitted" mkdir "$dir/d"
cmd_fails_with "Operation not permitted" ln -s x "$dir/l"
cmd_fails_with "Operation not permitted" mkfifo "$dir/p"
put x "$dir/x"
cmd_fails_with "Operation not permitted" ln "$dir/x" "$dir/hard"
cmd_fails_with "Operation not permitted" rm -f "$dir/state"
cmd_fails_with "Operation not permitted" rm -f "$dir/tags"
cmd_fails_with "Operation not permitted" rmdir "$dir/raw"
for file in state power id last_error raw.json image; do
    cmd_fails_with "" mv -Tf "$dir/x" "$dir/$file"
    is "$(sys rename2 "$dir/x" "$dir/$file" 0)" EPERM "renaming over $file is EPERM"
done
is "$(sys rename2 "$dir/x" "$dir/raw" 0)" EISDIR "renaming over a directory"
is "$(sys rename2 "$dir/x" "$dir/name" 0)" EACCES "over a name that cannot be changed: what a write says"
is "$(sys rename2 "$dir/x" "$dir/tags" 1)" EEXIST "RENAME_NOREPLACE over an attribute"
put y "$dir/y"
is "$(sys rename2 "$dir/x" "$dir/y" 1)" EEXIST "RENAME_NOREPLACE over another scratch file"
is "$(sys rename2 "$dir/x" "$dir/free" 1)" ok "RENAME_NOREPLACE to a free name"
is "$(sys rename2 "$dir/y" "$dir/free" 2)" EINVAL "RENAME_EXCHANGE"
is "$(sys rename2 "$dir/y" "$other/y" 0)" EXDEV "into another directory"
is "$(sys rename2 "$dir/tags" "$other/tags" 0)" EPERM "an attribute over another's"
is "$(sys rename2 "$dir/tags" "$dir/power" 0)" EPERM "an attribute over an attribute"
is "$(sys rename2 "$dir/console" "$dir/c" 0)" EPERM "an attribute that cannot be read, away"
is "$(sys rename2 "$dir/raw" "$dir/c" 0)" EPERM "a directory"
is "$(sys rename2 "$dir/image" "$dir/c" 0)" EPERM "a symbolic link"
rm "$dir/free" "$dir/y"
cmd_fails_with "Operation not permitted" bash -c ': >"$1"' - "$image/delete"
for place in "$PROFILE" "$PROFILE/servers" "$PROFILE/servers/by-id" "$dir/raw" "$MNT" "$MNT/.cirrusfs"; do
    cmd_fails_with "Operation not permitted" bash -c ': >"$1"' - "$place/new"
done
for place in by-name by-state by-state/running; do
    cmd_fails_with "Read-only file system" bash -c ': >"$1"' - "$PROFILE/servers/$place/new"
    cmd_fails_with "Read-only file system" mkdir "$PROFILE/servers/$place/new"
done
is "$(scratch)" "" "none is left"
is "$(calls changes)" 0 "nothing was sent"

cf_section "renamed over an attribute"
forget_requests
printf 'web\nprod\n' >"$dir/t"
ok "tags" mv -Tf "$dir/t" "$dir/tags"
is "$(cat "$dir/tags")" $'prod\nweb' "shows"
is "$(cloud_tags "$one")" '["prod","web"]' "is so in the cloud"
is "$(calls changes)" 1 "one change"
is "$(scratch)" "" "the scratch file is gone"
is "$(journal 'last | .command + " " + .path + " " + .result')" \
    "mv sim/servers/by-id/$one/tags ok" "the journal says who and what"
ino=$(stat -c %i "$dir/tags")
is "$(stat -c '%i %h' "$dir/tags")" "$ino 1" "the attribute is the same file"
is "$(sys late "$dir/t" "$dir/tags")" $'ESTALE\nESTALE\nESTALE\nok' "late use of it is ESTALE"
is "$(cat "$dir/tags")" late "its content counted"
put renamed "$image/n"
ok "name" mv -Tf "$image/n" "$image/name"
is "$(cat "$image/name")" renamed "shows"
ok "in by-name" test -L "$PROFILE/images/by-name/renamed"
put 'two words' "$image/n"
ok "description" mv -Tf "$image/n" "$image/description"
is "$(cat "$image/description")" "two words" "shows"
is "$(stat -c %i "$dir/tags")" "$ino" "still the same file"

cf_section "refused by the cloud"
forget_requests
fault code "$TAGS" '"code":"001012","message":"busy now"'
put refused "$dir/t"
cmd_fails_with "Device or resource busy" mv -Tf "$dir/t" "$dir/tags"
no_faults
is "$(cat "$dir/tags" "$dir/t")" $'late\nrefused' "both are as they were"
like "$(cat "$dir/last_error")" 'busy now' "last_error has the cloud's words"
is "$(calls changes)" 1 "one change"
printf '' >"$dir/t"
is "$(sys rename2 "$dir/t" "$dir/tags" 0)" EINVAL "an empty file over a value"
like "$(cat "$dir/last_error")" 'empty line clears' "an empty file does not clear"
is "$(calls changes)" 1 "and is not sent"
echo >"$dir/t"
ok "an empty line does" mv -Tf "$dir/t" "$dir/tags"
is "$(cat "$dir/tags")$(cloud_tags "$one")" "[]" "it is empty"
printf '' >"$dir/t"
ok "an empty file over an empty attribute" mv -Tf "$dir/t" "$dir/tags"
is "$(scratch)" "" "none is left"
printf 'a\0b' >"$dir/t"
is "$(sys rename2 "$dir/t" "$dir/tags" 0)" EINVAL "NUL bytes"
set_tags "$one" '["else"]'
put mine "$dir/t"
changes=$(calls changes)
cmd_fails_with "Stale file handle" mv -Tf "$dir/t" "$dir/tags"
is "$(cloud_tags "$one") $(cat "$dir/tags")" '["else"] else' "a change in between is not undone, and shows"
is "$(calls changes)" "$changes" "nothing was sent, though the kernel tries an ESTALE twice"
put mine "$dir/t"
ok "written again it is taken" mv -Tf "$dir/t" "$dir/tags"
put x "$dir/t"
rm "$dir/t"

cf_section "an attribute renamed away"
forget_requests
put $'a\nb' "$dir/tags"
is "$(sys away "$dir/tags" "$dir/tags~")" $'True True\n[\'a\', \'b\'] [\'mine\']\nok' \
    "is a copy under the new name, and stays"
is "$(scratch)" 'tags~' "one scratch file"
ok "also a read-only one, over it" mv -Tf "$dir/state" "$dir/tags~"
is "$(cat "$dir/state")" "$(cat "$dir/tags~")" "has its content"
is "$(stat -c %a "$dir/tags~")" 444 "and its mode"
rm -f "$dir/tags~"
cmd_fails_with "" mv "$dir/state" "$CF_TMP/state"
ok "mv to elsewhere leaves it" test -s "$dir/state"
is "$(calls changes)" 2 "two changes in all: a line each of the shell's printf"
is "$(scratch)" "" "none is left"

cf_section "a slow cloud"
forget_requests
fault hang "$TAGS"
put slow "$dir/t"
mv -Tf "$dir/t" "$dir/tags" 2>"$CF_TMP/mv.err" &
mover=$!
ok "the call arrives" wait_until 5 called changes 1
ok "other directories answer" timeout 4 ls -l "$other"
ok "so do files of this one that are open or known" timeout 4 cat "$other/state"
status=0
wait "$mover" || status=$?
is "$status" 1 "it fails"
like "$(cat "$CF_TMP/mv.err")" 'Connection timed out' "with ETIMEDOUT"
no_faults
is "$(journal 'map(select(.kind == "action")) | last | .result + " " + .error')" "unknown timeout" \
    "the journal says that the outcome is not known"
rm "$dir/t"

cf_section "ro"
cf_umount
cf_mount ro ttl=300
dir=$PROFILE/servers/by-id/$one
is "$(stat -c %a "$dir")" 555 "no names can be made"
for command in "touch $dir/x" "mkdir $dir/x" "ln -s x $dir/x" "rm $dir/state" "mv $dir/state $dir/x"; do
    # shellcheck disable=SC2086 # words
    cmd_fails_with "Read-only file system" $command
done
