#!/usr/bin/env bash
# A cloud that does its worst with names, ids and fields: every server and image is there, every
# tool ends well and copies what the cloud says, and nothing is changed.
# begins early
# not under: tsan
# shellcheck disable=SC2016 # what an inner shell expands
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/mount/tools/cloud.sh
. "$(dirname "$0")/tools/cloud.sh"
cf_need python3 jq curl rsync tar

SERVERS=1000 IMAGES=200
[ "$CF_MODE" == plain ] || SERVERS=300 IMAGES=100 # what is slow ten times over
cf_start_sim --servers $SERVERS --images $IMAGES --hostile
cf_mount ttl=3600
# Hostile records are told of, not refused.
cf_expect_log 'a record was left out'
cd "$PROFILE"

cf_section tree
ok "every server of the cloud, file by file" cloud tree "$PROFILE" servers
ok "every image of the cloud, file by file" cloud tree "$PROFILE" images
ok "every view and link of the servers" cloud views "$PROFILE" servers
ok "every view and link of the images" cloud views "$PROFILE" images
ok "the lists of the servers" cloud lists "$PROFILE" servers
ok "the lists of the images" cloud lists "$PROFILE" images


cf_section tools
ok "find -ls" bash -c 'find . -ls >/dev/null'
ok "grep -r" bash -c 'grep -r --exclude-dir=raw -e . -e "^$" servers images >/dev/null'
ok "tar" bash -c 'set -o pipefail; tar cf - servers images | tar tf - >"$1"' tar "$CF_TMP/tar"
is "$(grep -c '/by-id/[^/]*/raw.json$' "$CF_TMP/tar")" $((SERVERS + IMAGES)) "tar has every resource"
mkdir "$CF_TMP/tree"
ok "tar, and back again" bash -c 'set -o pipefail
    tar cf - --exclude=raw servers/by-id images/by-id | tar xf - -C "$1"' tar "$CF_TMP/tree"
ok "cp -r" bash -c 'cp -r images/by-id "$1"' cp "$CF_TMP/cp"
ok "rsync -a" rsync -a --exclude=/*/raw/ images/by-id/ "$CF_TMP/rsync/"
ok "what tar copied of the servers" cloud copy "$CF_TMP/tree/servers/by-id" "$PROFILE" servers
ok "what tar copied of the images" cloud copy "$CF_TMP/tree/images/by-id" "$PROFILE" images
ok "what cp copied" cloud copy "$CF_TMP/cp" "$PROFILE" images
ok "what rsync copied" cloud copy "$CF_TMP/rsync" "$PROFILE" images
ok "diff -r of two copies" diff -r --no-dereference --exclude=raw "$CF_TMP/cp" "$CF_TMP/rsync"
ok "diff -r of the mount and a copy" diff -r --no-dereference images/by-id "$CF_TMP/cp"

# stat and what wc counts, for every file that can be read.
sizes() {
    find servers/by-id images/by-id -type f "$@" -print0 | python3 -c '
import os, sys
n = bad = 0
for path in sys.stdin.buffer.read().split(b"\0")[:-1]:
    with open(path, "rb") as f:
        size, text = os.lstat(path).st_size, f.read()
    n += 1
    if len(text) != size:
        bad += 1
        print(path, size, len(text))
assert n > 20 * int(sys.argv[1]), n
sys.exit(bad > 0)' "$SERVERS"
}
ok "stat and wc -c agree for every file" sizes -not -path '*/raw/*'
is "$(find images/by-id -maxdepth 2 -type f -perm /0444 -exec wc -c {} + | awk '$2 != "total"' |
    wc -l)" "$(find images/by-id -maxdepth 2 -type f -perm /0444 -exec stat -c %s {} + | wc -l)" \
    "wc has counted as many as stat"
is "$(calls changes)" 0 "nothing was changed in the cloud"
at_most "$(calls total)" 12 "ten pages of servers, two of images"
cd /
cf_umount

# Somebody who is not root, on the kind of mount that the manual shows for backups.
cf_section "a backup by its owner"
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
    cf_mount ttl=3600 ro allow_other uid=65534 gid=65534
    chmod 711 "$CF_TMP"
    cd "$PROFILE"
    is "$(find . -type f ! -perm /0400 -printf '%f\n' | sort | uniq -c)" "" \
        "ro: there is no file that cannot be read"
    ok "tar" setpriv --reuid 65534 --regid 65534 --clear-groups bash -c '
        set -o pipefail
        tar cf - images 2>/dev/null | tar tf - >/dev/null'
    ok "find" setpriv --reuid 65534 --regid 65534 --clear-groups find . -size +1000000
    cd /
    cf_umount
else
    skip "tar" "only root can become somebody else"
fi
is "$(calls changes)" 0 "nothing was changed in the cloud"
