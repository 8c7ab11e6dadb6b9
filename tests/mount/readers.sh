#!/usr/bin/env bash
# Every program that reads shows what is true: every attribute of every resource, read by each of
# them in the mount and, for comparison, in a copy on an ordinary file system that was checked
# against the cloud. Contract sections 1 and 2.
# begins early
#
# not under: asan tsan
# shellcheck disable=SC2016 # the inner shells'
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tools/cloud.sh
. "$(dirname "$0")/tools/cloud.sh"
cf_need python3 jq curl diff
export LC_ALL=C.UTF-8

cf_start_sim --servers 2 --images 2
sim POST /_sim/images "$(jq -cn '{id: "77c1b6a4-0000-4000-8000-00000000ce76", name: "大的 one",
    status: "active", visibility: "private", tags: ["db", "web"], os_type: null,
    description: ([range(400) | "line \(.) of a long description"] | join("\n")),
    created_at: "2024-01-01T00:00:00.000+0000"}')" >/dev/null
server aaaaaaaa-0000-4000-8000-000000000001 SHUTOFF $'a tab\tand % and ~'
cf_mount ttl=3600 rate=0
for id in $(ids servers); do
    cat "$PROFILE/servers/by-id/$id/tags" >/dev/null # from now on it is listed
done

# The truth: a copy that agrees with the cloud, file by file.
TRUTH=$CF_TMP/truth
mkdir -p "$TRUTH/servers" "$TRUTH/images"
for kind in servers images; do
    cp -a "$PROFILE/$kind/by-id" "$TRUTH/$kind"
    cp -L "$PROFILE/$kind/list.tsv" "$PROFILE/$kind/list.jsonl" "$PROFILE/$kind/fetched" "$TRUTH/$kind"
    ok "the copy of $kind is what the cloud has" cloud copy "$TRUTH/$kind/by-id" "$PROFILE" "$kind"
    ok "raw/ of $kind is what the cloud has" cloud raw "$PROFILE" "$kind"
    ok "the lists of $kind are what the cloud has" cloud lists "$PROFILE" "$kind"
done
cp "$PROFILE/provider" "$PROFILE/endpoint" "$TRUTH"

# Every file that can be read; ATTRIBUTES without those below raw/, for programs that take one file.
mapfile -t FILES < <(cd "$TRUTH" && find . -type f -perm -u+r -printf '%P\n' | sort)
mapfile -t ATTRIBUTES < <(printf '%s\n' "${FILES[@]}" | grep -v /raw/)
mapfile -t TEXTS < <(cd "$TRUTH" && find -L "${FILES[@]}" -size +0)
mapfile -t JSONS < <(printf '%s\n' "${FILES[@]}" | grep -E '\.jsonl?$')
printf '# %s files, %s attributes\n' ${#FILES[@]} ${#ATTRIBUTES[@]}
ok "there are some hundred files" test "${#FILES[@]}" -gt 300
ok "some are empty" test "${#TEXTS[@]}" -lt "${#FILES[@]}"
ok "one is longer than two pages" test -n "$(find "$TRUTH" -name description -size +8k)"

# verdict PROGRAM OPERATION WHAT DETAIL: a line for the page too; DETAIL is empty when all is well.
verdict() {
    is "$4" "" "$1: $2 $3"
    cf_conform "$1" "$2" "$([ -z "$4" ] && echo "as on a disk" || echo "differs")"
}

# in_place DIRECTORY COMMAND…: all that it says, and its status.
in_place() {
    (
        cd "$1" || return
        "${@:2}"
        echo "status $?"
    ) 2>&1 </dev/null
}

# reads_with PROGRAM COMMAND…: it says the same in both places, and more than its status.
reads_with() {
    local name=$1 program=${2##*/} differs
    shift 2
    if [[ $(type -t "$program") != @(function|builtin) ]] && ! command -v "$program" >/dev/null; then
        cf_absent "$name" "there is no $program here"
        return
    fi
    in_place "$TRUTH" "$program" "$@" >"$CF_TMP/true.out" || true
    in_place "$PROFILE" "$program" "$@" >"$CF_TMP/mount.out" || true
    differs=$(diff -a "$CF_TMP/true.out" "$CF_TMP/mount.out" | head -n 10 || true)
    [ "$(wc -l <"$CF_TMP/true.out")" -gt "${LINES_AT_LEAST:-40}" ] ||
        differs+="only: $(head -n 5 "$CF_TMP/true.out")"
    verdict "$name" reads "the same as on a disk" "$differs"
}
# Which of its words is the program: for those that are called through another one.
reads_if() {
    if command -v "$1" >/dev/null; then
        reads_with "${@:2}"
    else
        cf_absent "$2" "there is no $1 here"
    fi
}

# each COMMAND…: for every attribute, its name at the end.
each() {
    local file
    for file in "${ATTRIBUTES[@]}"; do
        "$@" "$file"
    done
}

cf_section "text"
reads_with cat cat "${FILES[@]}"
reads_with "head" head "${FILES[@]}"
reads_with "head -c" head -c 3 "${FILES[@]}"
reads_with "tail" tail "${FILES[@]}"
reads_with "tail -c" tail -c 3 "${FILES[@]}"
reads_with tac tac "${FILES[@]}"
reads_with grep grep -n '' "${FILES[@]}"
grep_all() { grep -rnc . servers/by-id images/by-id | sort; }
reads_with "grep -r" grep_all
reads_with wc wc "${FILES[@]}"
reads_with sort sort "${FILES[@]}"
reads_with gawk gawk '{ print FILENAME, FNR, $0 }' "${FILES[@]}"
reads_with awk awk '{ print FILENAME, FNR, $0 }' "${FILES[@]}"
reads_with sed sed -ns 'F;=;p' "${FILES[@]}"
reads_with perl perl -ne 'print "$ARGV: $_"' "${FILES[@]}"
reads_with nl nl -ba "${FILES[@]}"
reads_with paste paste -s "${FILES[@]}"
reads_with less less "${FILES[@]}"
reads_with "jq -R" jq -R . "${TEXTS[@]}"
reads_with jq jq . "${JSONS[@]}"
reads_with ripgrep rg -nuu --sort path '' "${FILES[@]}"
reads_with "ripgrep, mmap" rg -nuu --mmap --sort path '' "${FILES[@]}"
one_fzf() { fzf --filter "r" <"$1"; }
reads_if fzf fzf each one_fzf
use_vim() { "$1" -es -u NONE -i NONE -n "${@:2}" -c 'argdo %print' -c 'qa!'; }
vim_program=$(command -v "${CF_VIM:-vim}" || command -v vim.tiny || echo vim)
reads_if "$vim_program" vim use_vim "$vim_program" "${TEXTS[@]}"

cf_section "bytes"
reads_with od od -c "${FILES[@]}"
reads_with md5sum md5sum "${FILES[@]}"
reads_with sha256sum sha256sum "${FILES[@]}"
reads_with cksum cksum "${FILES[@]}"
reads_with xxd each xxd
one_dd() { dd if="$1" bs=7 status=none; }
reads_with dd each one_dd
all_gzip() { gzip -nc "$@" | gzip -dc; }
reads_with gzip all_gzip "${FILES[@]}"
use_git() { printf '%s\n' "$@" | git hash-object --stdin-paths; }
reads_if git "git hash-object" use_git "${FILES[@]}"
all_curl() { printf -- "file://$PWD/%s\n" "$@" | sed 's/%/%25/g' | xargs curl -sS; }
reads_with "curl file://" all_curl "${ATTRIBUTES[@]}"

cf_section "comparing"
# agrees PROGRAM COMMAND…: a program that compares the two places says nothing.
agrees() {
    local name=$1 said status=0
    shift
    if ! command -v "$1" >/dev/null; then
        cf_absent "$name" "there is no $1 here"
        return
    fi
    said=$("$@" 2>&1 </dev/null) || status=$?
    [ "$status" -eq 0 ] || said+=" (status $status)"
    verdict "$name" compares "nothing differs" "$said"
}
agrees "diff -r" diff -r "$TRUTH/servers/by-id" "$PROFILE/servers/by-id"
agrees "diff -r" diff -r "$TRUTH/images/by-id" "$PROFILE/images/by-id"
all_cmp() {
    local file
    for file in "${ATTRIBUTES[@]}"; do
        "$@" "$TRUTH/$file" "$PROFILE/$file" || echo "$file"
    done
}
verdict cmp compares "nothing differs" "$(all_cmp cmp 2>&1)"
agrees "rsync -c" rsync -rlcni --exclude=refresh --exclude=console --exclude=capture "$TRUTH/servers/by-id/" "$PROFILE/servers/by-id/"
if command -v git >/dev/null; then
    agrees "git diff --no-index" git diff --no-index --stat "$TRUTH/images/by-id" "$PROFILE/images/by-id"
fi

cf_section "sizes"
reads_with stat stat -Lc '%n %s %F' "${FILES[@]}"
reads_with "find -printf" find -L "${FILES[@]}" -printf '%p %s %y\n'
reads_with "find -size +0" find -L "${FILES[@]}" -size +0c
reads_with "du -b" du -bL "${FILES[@]}"
# shellcheck disable=SC2012 # it is ls that is tried
size_of_ls() { ls -lL "$@" | awk '{ print $5, $9 }'; }
reads_with "ls -l" size_of_ls "${FILES[@]}"
all_tests() {
    local file
    for file; do
        [ -s "$file" ] && echo "$file"
    done
}
reads_with "test -s" all_tests "${FILES[@]}"

cf_section "shells"
shell_read() {
    "$@" 'for f; do while IFS= read -r line; do printf "%s\n" "$line"; done <"$f"; done' - "${FILES[@]}"
}
shell_substitute() { "$@" 'for f; do printf "%s\n" "$(cat "$f")"; done' - "${ATTRIBUTES[@]}"; }
reads_if bash "bash \$(<)" bash -c 'for f; do printf "%s\n" "$(<"$f")"; done' - "${FILES[@]}"
reads_if bash "bash read" shell_read bash -c
reads_if bash "bash mapfile" bash -c 'for f; do mapfile -t a <"$f"; printf "%s|" "${a[@]}"; echo; done' - "${FILES[@]}"
reads_if dash "dash read" shell_read dash -c
reads_if dash "dash \$(cat)" shell_substitute dash -c
reads_if zsh "zsh \$(<)" zsh -c 'for f; do print -r -- "$(<"$f")"; done' - "${FILES[@]}"
reads_if zsh "zsh read" shell_read zsh -c
reads_if busybox "busybox sh read" shell_read busybox sh -c

cf_section "busybox"
for applet in cat head tail wc md5sum sha1sum hexdump od tac; do
    reads_if busybox "busybox $applet" busybox "$applet" "${FILES[@]}"
done
reads_if busybox "busybox grep" busybox grep -n '' "${FILES[@]}"
reads_if busybox "busybox awk" busybox awk '{ print FILENAME, $0 }' "${FILES[@]}"
reads_if busybox "busybox sed" busybox sed -n 'p' "${FILES[@]}"
reads_if busybox "busybox sort" busybox sort "${FILES[@]}"
reads_if busybox "busybox stat" busybox stat -Lc '%n %s' "${FILES[@]}"
reads_if busybox "busybox find" busybox find -L "${TEXTS[@]}" -size +0c
one_busybox_dd() { busybox dd if="$1" bs=5 2>/dev/null; }
reads_if busybox "busybox dd" each one_busybox_dd
if command -v busybox >/dev/null; then
    agrees "busybox diff" busybox diff -rq "$TRUTH/images/by-id" "$PROFILE/images/by-id"
    verdict "busybox cmp" compares "nothing differs" "$(all_cmp busybox cmp 2>&1)"
fi

cf_section "languages"
# Below the directory, the names on standard input.
python_all() { printf '%s\0' "${FILES[@]}" | python3 -c "import os, sys, pathlib
for n in sys.stdin.buffer.read().split(b'\0')[:-1]:
    n = os.fsdecode(n)
    print(n, $1)" ; }
reads_with "python open().read()" python_all 'open(n, newline="").read()'
reads_with "python readlines" python_all 'open(n).readlines()'
reads_with "python Path.read_bytes" python_all 'pathlib.Path(n).read_bytes()'
reads_with "python, without a buffer" python_all 'open(n, "rb", 0).read()'
reads_with "perl slurp" perl -e 'undef $/; for (@ARGV) { open(F, "<", $_) or die; my $t = <F>; print "$_: ", length($t // ""), " ", -s $_, " $t\n" }' "${FILES[@]}"
reads_with "perl sysread" perl -e 'for (@ARGV) { open(F, "<", $_) or die; sysread(F, my $t, -s $_); print "$_: $t\n" }' "${FILES[@]}"
reads_if node "node readFileSync" node -e 'process.argv.slice(1).forEach(f => console.log(f, JSON.stringify(require("fs").readFileSync(f, "utf8"))))' "${FILES[@]}"
reads_if node "node createReadStream" node -e '(async () => { for (const f of process.argv.slice(1)) { let t = ""; for await (const c of require("fs").createReadStream(f, {highWaterMark: 5})) t += c.toString("latin1"); console.log(f, t) } })()' "${ATTRIBUTES[@]}"

cf_section "copies"
# copies PROGRAM COMMAND…: it copies images/by-id from its working directory to $COPY.
COPY=$CF_TMP/copy
copies() {
    local name=$1 said=
    if ! command -v "$2" >/dev/null; then
        cf_absent "$name" "there is no $2 here"
        return
    fi
    rm -rf "$COPY"
    mkdir "$COPY"
    said=$(cd "$PROFILE/images/by-id" && bash -c "set -o pipefail; $3" 2>&1 </dev/null) || said+=" failed"
    said+=$(diff -r "$TRUTH/images/by-id" "$COPY" 2>&1 || true)
    verdict "$name" copies "the whole" "$(head -n 10 <<<"$said")"
}
export COPY
copies "cp -r" cp 'cp -r . "$COPY"'
copies "cp -a" cp 'cp -a . "$COPY"'
copies "cp --sparse=always" cp 'cp -r --sparse=always . "$COPY"'
copies "cp --reflink=auto" cp 'cp -r --reflink=auto . "$COPY"'
copies "rsync -a" rsync 'rsync -a ./ "$COPY"'
copies "rsync -az, through a second rsync" rsync 'rsync -a --no-whole-file --checksum ./ "$COPY"'
copies tar tar 'tar cf - . | tar xf - -C "$COPY"'
copies "tar -z" tar 'tar czf - . | tar xzf - -C "$COPY"'
copies cpio cpio 'find . | cpio -o --quiet | (cd "$COPY" && cpio -id --quiet)'
copies zip zip 'zip -qr "$COPY.zip" . && cd "$COPY" && python3 -m zipfile -e "$COPY.zip" .'
copies "busybox cp" busybox 'busybox cp -a . "$COPY"'
copies "busybox tar" busybox 'busybox tar cf - . | busybox tar xf - -C "$COPY"'
copies "python shutil" python3 'python3 -c "import shutil, sys; shutil.copytree(\".\", sys.argv[1], dirs_exist_ok=True)" "$COPY"'
copies "find -exec install" install 'find . -type d -exec mkdir -p "$COPY/{}" \; && find . -type f -exec install -m 600 {} "$COPY/{}" \;'

cf_section "finding"
use_fd() { "$1" -uu --type f --base-directory images/by-id | sort; }
FD=$(command -v fdfind || command -v fd || echo fd)
reads_if "$FD" fd use_fd "$FD"
use_find() { (cd images/by-id && find . -type f | sort); }
reads_with find use_find
use_python_walk() { python3 -c 'import os
for top, dirs, files in os.walk("images/by-id"):
    dirs.sort()
    for f in sorted(files):
        p = os.path.join(top, f)
        print(p, os.path.getsize(p))'; }
reads_with "python os.walk" use_python_walk
use_globstar() { bash -O globstar -c 'for f in images/by-id/**; do [ -f "$f" ] && echo "$f"; done; true'; }
reads_with "bash **" use_globstar

cf_section "system calls"
# show_calls WAY…: a case each.
calls_all() { printf '%s\0' "${FILES[@]}" | python3 "$TOOLS/readers.py" "$TRUTH" "$PROFILE" "$@"; }
show_calls() {
    local way out
    out=$(calls_all "$@" 2>&1) || true
    for way; do
        verdict "system call $way" reads "the same as on a disk" \
            "$(sed -n "s/^$way: //p" <<<"$out" | grep -vx "read" | head -n 10)$(grep -qx "$way: read" <<<"$out" || echo "$out")"
    done
}
mapfile -t ways < <(python3 "$TOOLS/readers.py" --ways | grep -vx o_direct)
show_calls "${ways[@]}"
sim DELETE /_sim/counters >/dev/null
mapfile -t FILES < <(printf '%s\n' "${ATTRIBUTES[@]}" | grep -e '^servers/by-id/aaaaaaaa' -e '^images/by-id/77c1b6a4')
show_calls o_direct
ok "O_DIRECT asks the cloud, for many files at once no more than for each" \
    calls_at_most "$LIST_SERVERS" ${#FILES[@]}
isnt "$(calls "$LIST_SERVERS")" 0 "O_DIRECT has asked the cloud"

cf_section "inotify"
if command -v inotifywait >/dev/null; then
    id=77c1b6a4-0000-4000-8000-00000000ce76
    inotifywait -mq -e modify,attrib,close_write --format '%e' "$PROFILE/images/by-id/$id/name" \
        >"$CF_TMP/inotify" 2>&1 &
    watcher=$!
    watches() { grep -q '^inotify wd' "/proc/$watcher/fdinfo/"*; }
    ok "inotifywait watches" wait_until 10 watches
    change images $id '{"name":"by somebody"}'
    echo 1 >"$PROFILE/refresh"
    ok "the change shows" wait_until 10 test "$(cat "$PROFILE/images/by-id/$id/name")" == "by somebody"
    is "$(cat "$CF_TMP/inotify")" "" "a change in the cloud raises no event"
    echo local >"$PROFILE/images/by-id/$id/name"
    ok "a write from here does" wait_until 10 grep -q CLOSE_WRITE "$CF_TMP/inotify"
    kill $watcher
    wait $watcher || true
    cf_conform inotifywait watches "sees what is written here, not what changes in the cloud"
else
    cf_absent inotifywait "there is no inotifywait here"
fi
