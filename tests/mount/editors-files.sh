#!/usr/bin/env bash
# Editing with programs that put a file beside and rename it, and with line editors. Contract
# section 3.
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
new() { printf '%s\n' "$2" >"$CF_TMP/new"; }
# backup_is BACKUP OLD EDIT…: an edit that leaves a backup, which must be the old content.
backup_is() {
    local status=0
    "${@:3}" || status=$?
    if [ "$status" -eq 0 ]; then
        cmp "$1" "$2" || return
    fi
    rm -f "$1"
    return "$status"
}

use_sed() { sed -i s/db/web/ "$1"; }
use_sed_backup() { printf '%s\n' "${FIRST[${1##*/}]}" >"$CF_TMP/old" && backup_is "$1.bak" "$CF_TMP/old" sed -i.bak s/db/web/ "$1"; }
use_perl() { perl -pi -e s/db/web/ "$1"; }
use_perl_backup() { printf '%s\n' "${FIRST[${1##*/}]}" >"$CF_TMP/old" && backup_is "$1.bak" "$CF_TMP/old" perl -pi.bak -e s/db/web/ "$1"; }
use_gawk() { gawk -i inplace '{ sub(/db/, "web"); print }' "$1"; }
use_sponge() { sed s/db/web/ "$1" | sponge "$1"; }
use_rsync() { new "$@" && rsync "$CF_TMP/new" "$1"; }
use_rsync_archive() { new "$@" && chmod 644 "$CF_TMP/new" && rsync -a "$CF_TMP/new" "$1"; }
use_rsync_inplace() { new "$@" && rsync --inplace "$CF_TMP/new" "$1"; }
use_rsync_append() { new "$@" && rsync --inplace --no-whole-file "$CF_TMP/new" "$1"; }
busybox_sed() { busybox sed -i s/db/web/ "$1"; }
busybox_awk() { busybox awk '{ sub(/db/, "web"); print }' "$1" >"$CF_TMP/new" && busybox cat "$CF_TMP/new" >"$1"; }
use_ed() { printf '%s\n' ',s/db/web/' w q | ed -s "$1"; }
use_ex() { ex -u NONE -i NONE -s "$1" -c '%s/db/web/' -c 'wq'; }

try "sed -i" use_sed
try "sed -i.bak" use_sed_backup
try_where perl "perl -pi" use_perl
try_where perl "perl -pi.bak" use_perl_backup
try_where gawk "gawk -i inplace" use_gawk
try_where sponge sponge use_sponge
try_where rsync rsync use_rsync
try_where rsync "rsync -a" use_rsync_archive
# These try once more what was refused.
try_where rsync "rsync --inplace" use_rsync_inplace refused=2
try_where rsync "rsync --inplace --no-whole-file" use_rsync_append refused=2
try_where busybox "busybox sed -i" busybox_sed
try_where busybox "busybox awk >" busybox_awk refused=2
try_where ed ed use_ed

vim_program=$(command -v "${CF_VIM:-vim}" || command -v vim.tiny || echo vim)
# In silent mode the messages of vim are not shown; its status is. Refused, it puts the old content
# back, which is a second write, and keeps the backup that it made.
for how in yes no auto auto,breaksymlink auto,breakhardlink; do
    eval "use_vim_${how/,/_}() {
        \$vim_program -es -u NONE -i NONE -V1 --cmd 'set backupskip= writebackup backupcopy=$how' \\
            -c '%s/db/web/' -c wq \"\$1\"
    }"
    try_where "$vim_program" "vim, backupcopy=$how" "use_vim_${how/,/_}" says= refused=2 keeps-backup
done
try_where ex "ex" use_ex says=

if command -v git >/dev/null; then
    cf_section "git with the mount as its work tree"
    begin_with tags
    gitc() { git --git-dir="$CF_TMP/git" --work-tree="$SERVER" -c core.fileMode=true -c user.name=x -c user.email=x@example.com "$@"; }
    git init -q --bare "$CF_TMP/git"
    ok "add" gitc add -- tags state id name
    is "$(gitc diff --cached --name-only | tr '\n' ' ')" "id name state tags " "they are staged"
    ok "commit" gitc commit -q -m first
    is "$(gitc status --porcelain --untracked-files=no)" "" "status is clean"
    is "$(gitc show :tags)" "${FIRST[tags]}" "the content"
    printf '%s\n' web >"$CF_TMP/new"
    dd if="$CF_TMP/new" of="${FILE[tags]}" bs=4096 conv=notrunc status=none
    is "$(gitc status --porcelain --untracked-files=no)" " M tags" "status sees an edit"
    like "$(gitc diff)" '\+web' "diff shows it"
    forget_requests
    cf_fails_with "" "checkout -f" gitc checkout -f -- tags
    cf_fails_with "" "reset --hard" gitc reset -q --hard
    is "$(cat "${FILE[tags]}")" web "neither changes anything"
    is "$(calls changes)" 0 "no call was made"
    is "$(scratch_files)" "" "no scratch file is left"
    cf_conform git "add, commit, status, diff" "work; the mount is the work tree"
    cf_conform git "checkout -f, reset --hard" "are refused; nothing changes"
else
    cf_absent git "there is no git here"
fi
