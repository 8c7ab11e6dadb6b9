#!/usr/bin/env bash
# Editing with shells and with programs that write into the file as it is. Contract section 3.
# not under: asan tsan
# shellcheck disable=SC2016 # the inner shells'
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=cloud.bash
. "$(dirname "$0")/cloud.bash"
# shellcheck source=editors.bash
. "$(dirname "$0")/editors.bash"
cf_need jq curl python3

editors_begin

# One WRITE a line from the builtins of bash and zsh; dash and busybox send one.
bash_echo() { bash -c 'echo "$1" >"$2"' - "$2" "$1"; }
bash_printf() { bash -c 'printf "%s\n" "$1" >"$2"' - "$2" "$1"; }
bash_here() { bash -c 'cat >"$2" <<<"$1"' - "$2" "$1"; }
dash_echo() { dash -c 'printf "%s\n" "$1" >"$2"' - "$2" "$1"; }
zsh_echo() { zsh -c 'print -r -- "$1" >"$2"' - "$2" "$1"; }
zsh_printf() { zsh -c 'printf "%s\n" "$1" >"$2"' - "$2" "$1"; }
busybox_echo() { busybox sh -c 'echo "$1" >"$2"' - "$2" "$1"; }
busybox_printf() { busybox sh -c 'printf "%s\n" "$1" >"$2"' - "$2" "$1"; }
try "bash echo" bash_echo lines again
try "bash printf" bash_printf lines
try "bash, a here-string" bash_here
try_where dash "dash printf" dash_echo says="I/O error"
try_where zsh "zsh print" zsh_echo
try_where zsh "zsh printf" zsh_printf
try_where busybox "busybox sh echo" busybox_echo
try_where busybox "busybox sh printf" busybox_printf says=

new() { printf '%s\n' "$2" >"$CF_TMP/new"; }
use_tee() { printf '%s\n' "$2" | tee "$1"; }
use_cat() { new "$@" && cat "$CF_TMP/new" >"$1"; }
use_cp() { new "$@" && cp "$CF_TMP/new" "$1"; }
use_cp_force() { new "$@" && cp -f --no-preserve=all "$CF_TMP/new" "$1"; }
use_cp_archive() { new "$@" && chmod 644 "$CF_TMP/new" && cp -a "$CF_TMP/new" "$1"; }
use_dd() { new "$@" && dd if="$CF_TMP/new" of="$1" status=none; }
use_install_in_place() { new "$@" && cat <"$CF_TMP/new" 1<>"$1"; }
use_sort() { printf '%s\n' "$2" | sort -o "$1"; }
use_no_newline() { printf %s "$2" | dd of="$1" bs=4096 iflag=fullblock status=none; }
busybox_tee() { printf '%s\n' "$2" | busybox tee "$1"; }
busybox_cp() { new "$@" && busybox cp "$CF_TMP/new" "$1"; }
busybox_dd() { new "$@" && busybox dd if="$CF_TMP/new" of="$1"; }
try tee use_tee
try "cat >" use_cat
try cp use_cp
try "cp -f" use_cp_force
try "cp -a" use_cp_archive
try dd use_dd
try "<> without truncating" use_install_in_place tags name
try "sort -o" use_sort tags
try "without a last newline" use_no_newline
try_where busybox "busybox tee" busybox_tee says="I/O error"
try_where busybox "busybox cp" busybox_cp refused=2
try_where busybox "busybox dd" busybox_dd

python() { python3 -c "$1" "${@:2}"; }
python_w() { python 'import sys; f = open(sys.argv[1], "w"); f.write(sys.argv[2] + "\n"); f.close()' "$@"; }
python_r() {
    python 'import sys
with open(sys.argv[1], "r+") as f:
    text = f.read().replace("db", "web")
    f.seek(0)
    f.write(text)
    f.truncate()' "$@"
}
python_path() { python 'import pathlib, sys; pathlib.Path(sys.argv[1]).write_text(sys.argv[2])' "$@"; }
python_replace() {
    python 'import os, sys, tempfile
fd, name = tempfile.mkstemp(dir=os.path.dirname(sys.argv[1]))
try:
    with open(fd, "w") as f:
        f.write(sys.argv[2] + "\n")
        f.flush()
        os.fsync(f.fileno())
    os.chmod(name, 0o644)
    os.replace(name, sys.argv[1])
except OSError:
    os.unlink(name)
    raise' "$@"
}
perl_w() { perl -e 'open(F, ">", $ARGV[0]) or die $!; print F "$ARGV[1]\n"; close(F) or die $!' "$@"; }
perl_rw() {
    perl -e 'open(F, "+<", $ARGV[0]) or die $!; my $t = join("", <F>); $t =~ s/db/web/;
seek(F, 0, 0); print F $t; truncate(F, length $t); close(F) or die $!' "$@"
}
node_write() { node -e 'require("fs").writeFile(process.argv[1], process.argv[2] + "\n", e => { if (e) { console.error(e.message); process.exit(1) } })' "$@"; }
# What python did not get rid of it tries again when it closes the file.
try "python, mode w" python_w refused=2
try "python, mode r+" python_r refused=3
try "python, Path.write_text" python_path refused=2
try "python, a temporary file and os.replace" python_replace
try_where perl "perl, mode >" perl_w
try_where perl "perl, mode +<" perl_rw
try_where node "node fs.writeFile" node_write says='EBUSY'

cf_section "python, mode x"
begin_with tags
cmd_fails_with "FileExistsError" python 'import sys; open(sys.argv[1], "x")' "${FILE[tags]}"
is "$(calls changes)" 0 "nothing was sent"

# What adds: a tag, a line of a description, and a name as a whole.
append_bash() { bash -c 'echo "$1" >>"$2"' - "$2" "$1"; }
append_tee() { bash -c 'echo "$1" | tee -a "$2"' - "$2" "$1"; }
append_python() { python 'import sys; f = open(sys.argv[1], "a"); f.write(sys.argv[2] + "\n"); f.close()' "$@"; }
append_node() { node -e 'require("fs").appendFileSync(process.argv[1], process.argv[2] + "\n")' "$@"; }
append_dd() { bash -c 'echo "$1" | dd of="$2" oflag=append conv=notrunc status=none' - "$2" "$1"; }
append_perl() { perl -e 'open(F, ">>", $ARGV[0]) or die $!; print F "$ARGV[1]\n"; close(F) or die $!' "$@"; }
append_dash() { dash -c 'echo "$1" >>"$2"' - "$2" "$1"; }
append_zsh() { zsh -c 'print -r -- "$1" >>"$2"' - "$2" "$1"; }
append_busybox() { busybox sh -c 'echo "$1" >>"$2"' - "$2" "$1"; }
try "bash >>" append_bash adds
try_where dash "dash >>" append_dash adds says="I/O error"
try_where zsh "zsh >>" append_zsh adds
try_where busybox "busybox sh >>" append_busybox adds
try "tee -a" append_tee adds
try "python, mode a" append_python adds refused=2
try_where perl "perl, mode >>" append_perl adds
try "dd oflag=append" append_dd adds
try_where node "node fs.appendFile" append_node adds says=EBUSY

cf_section "several WRITEs of one program"
begin_with tags
printf 'keep\nprod\nweb\n' >"$CF_TMP/new"
ok "dd bs=1" dd if="$CF_TMP/new" of="${FILE[tags]}" bs=1 status=none
is "$(in_cloud tags)" "${AFTER[tags]}" "the set in the end"
is "$(calls changes)" 14 "a change call for each WRITE"
begin_with description
ok "two echos in braces" bash -c '{ echo "$1"; echo "$2"; } >"$3"' - "first line" "second line" "${FILE[description]}"
is "$(in_cloud description)" $'first line\nsecond line' "the second continues the first"
is "$(calls changes)" 2 "two change calls"
begin_with tags
# The second writer stands at an offset that it has never written.
cf_fails_with "Invalid argument" "a WRITE behind the beginning that continues nothing" \
    python 'import os, sys
fd = os.open(sys.argv[1], os.O_WRONLY)
os.pwrite(fd, b"x\n", 4)' "${FILE[tags]}"
cf_fails_with "Invalid argument" "one of another process" python 'import os, sys
fd = os.open(sys.argv[1], os.O_WRONLY)
os.write(fd, b"one\n")
pid = os.fork()
if pid == 0:
    try:
        os.write(fd, b"two\n")
    except OSError as e:
        print(e, flush=True)
        os._exit(1)
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))' "${FILE[tags]}"
is "$(in_cloud tags)" one "what was accepted before it stays"
ok "one of another thread" python 'import os, sys, threading
fd = os.open(sys.argv[1], os.O_WRONLY)
os.write(fd, b"one\n")
t = threading.Thread(target=os.write, args=(fd, b"two\n"))
t.start()
t.join()' "${FILE[tags]}"
is "$(in_cloud tags)" $'one\ntwo' "continues"
begin_with tags
cf_fails_with "Stale file handle" "a change by somebody else between the two" python 'import os, subprocess, sys
fd = os.open(sys.argv[1], os.O_WRONLY)
os.write(fd, b"one\n")
subprocess.run(sys.argv[2:], check=True, stdout=subprocess.DEVNULL)
os.write(fd, b"two\n")' "${FILE[tags]}" curl -sS -X PUT -H "Content-Type: application/json" \
    --data '["somebody"]' "$SIM_URL/_sim/servers/${SERVER##*/}/tags"
is "$(in_cloud tags)" somebody "it is not undone"

cf_section "what means nothing"
begin_with tags
begin_with description
for kind in tags name description; do
    ok "truncate $kind" truncate -s 0 "${FILE[$kind]}"
    ok "chmod of $kind to what it is" chmod 644 "${FILE[$kind]}"
    ok "touch $kind" touch "${FILE[$kind]}"
    ok "sync $kind" sync "${FILE[$kind]}"
    cmd_fails_with "Operation not permitted" chmod 600 "${FILE[$kind]}"
done
is "$(cat "${FILE[tags]}" "${FILE[description]}")" "${FIRST[tags]}"$'\n'"${FIRST[description]}" "all is as it was"
is "$(calls changes)" 0 "nothing was sent"

cf_section "an empty line"
for kind in tags description; do
    begin_with "$kind"
    ok "is accepted for $kind" bash -c 'echo >"$1"' - "${FILE[$kind]}"
    is "$(cat "${FILE[$kind]}")$(in_cloud "$kind")" "" "clears it"
done
begin_with name
write_fails_with "Invalid argument" "" "${FILE[name]}"
is "$(calls changes)" 0 "but a name cannot be empty"

cf_section "programs that remove the target first"
begin_with tags
for command in "cp --remove-destination" "install -m 644" mv "cp -l"; do
    put web "$CF_TMP/source"
    # shellcheck disable=SC2086 # words
    cf_fails_with "" "$command" $command "$CF_TMP/source" "${FILE[tags]}"
    ok "$command: the source is still there" test -s "$CF_TMP/source"
done
for command in "cp --remove-destination" "install -m 644" mv; do
    # shellcheck disable=SC2086
    cf_fails_with "Operation not permitted" "$command" $command "$CF_TMP/source" "${FILE[tags]}"
    cf_conform "$command" "removes the target first" "is refused: EPERM"
done
is "$(cat "${FILE[tags]}")" "${FIRST[tags]}" "the file is as it was"
is "$(calls changes)" 0 "nothing was sent"
