#!/usr/bin/env bash
# Editing with the editors of a terminal. Contract section 3.
# not under: asan tsan
#
# Not below /tmp, which vim's backupskip exempts.
# shellcheck disable=SC2034 # for lib.sh
TMPDIR=/var/tmp
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=cloud.bash
. "$(dirname "$0")/cloud.bash"
# shellcheck source=editors.bash
. "$(dirname "$0")/editors.bash"
cf_need jq curl python3

tools=$(cd "$(dirname "$0")/tools" && pwd)
editors_begin

# on_screen STEP… -- PROGRAM…
on_screen() { "$tools/type.py" $((10 * CF_SLOW)) "$@"; }
# keys TEXT: as it is typed.
keys() { printf %s "${1//$'\n'/\\r}"; }

# Each writes once and then leaves; what it asks when it was refused is answered by the last key.
use_nano() {
    on_screen wait:db 'type:\x0b\x0b\x0b\x0b' "type:$(keys "$2")" 'type:\x0f' wait:Write 'type:\r' \
        'wait:Wrote|Error' 'type:\x18' 'wait:Save modified' type:n -- nano -I "$1"
}
use_micro() {
    rm -rf "$CF_TMP/micro" && mkdir "$CF_TMP/micro"
    on_screen wait:db 'type:\x01' "type:$(keys "$2")" 'type:\x13' \
        'wait:Saved|busy' 'type:\x11' 'wait:Save changes' type:n -- micro -config-dir "$CF_TMP/micro" "$1"
}
# Below the directory, so that the name fits into its bottom line.
use_busybox_vi() {
    (
        cd "${1%/*}" || return
        on_screen wait:db 'type::%s/db/web/\r' 'type::w\r' 'wait:[0-9]+L, [0-9]+C|rror|busy' \
            'type::q!\r' -- busybox vi "${1##*/}"
    )
}
use_joe() {
    (
        cd "${1%/*}" || return
        on_screen wait:db 'type:\x19\x19\x19\x19' "type:$(keys "$2")" 'type:\x0bd' 'wait:Name of file' \
            'type:\r' 'wait:saved|rror' 'type:\x03' 'wait:Lose changes' type:y \
            -- joe -nobackups -nolocks "${1##*/}"
    )
}
# Beside its backup it leaves, refused, what it saves by itself.
use_emacs() {
    on_screen wait:db 'type:\x18h\x17' "type:$(keys "$2")" 'type:\x18\x13' 'wait:Wrote|busy' \
        'type:\x18\x03' 'wait:Save file' type:n 'wait:exit anyway' 'type:yes\r' -- emacs -nw -Q "$1"
}
vim_program=$(command -v "${CF_VIM:-vim}" || command -v vim.tiny || echo vim)
use_vim() {
    (
        cd "${1%/*}" || return
        on_screen wait:db 'type::%s/db/web/\r' 'type::w\r' 'wait:written|E[0-9]+' 'type::q!\r' \
            -- "$vim_program" "${vim_options[@]}" "${1##*/}"
    )
}

try_where nano nano use_nano no-status says="Error writing"
try_where joe joe use_joe no-status says="rror"
# 45 MB to fetch: not a package that the tests install.
if [ -z "${CF_EMACS:-}" ] && ! command -v emacs >/dev/null; then
    cf_absent "emacs -nw" "there is no emacs here, and CF_EMACS does not ask for one"
else
    try "emacs -nw" use_emacs no-status refused=3 backups
fi
# It says that it has saved, whatever the system said (2.0.11).
try_where micro micro use_micro no-status says=
try_where busybox "busybox vi" use_busybox_vi no-status says="0C|rror|busy"
vim_options=(-u NONE -i NONE)
try_where "$vim_program" "vim -u NONE" use_vim no-status refused=2 says=E keeps-backup
vim_options=()
try_where "$vim_program" "vim, the distribution's settings" use_vim no-status refused=2 says=E keeps-backup
