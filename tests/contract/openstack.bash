# shellcheck shell=bash disable=SC2034
# OpenStack (Nova, Glance) in the contract test set: see cases.bash.

STYLE=rest
LIST_SERVERS=servers.list
LIST_IMAGES=images.list
IMAGE_CALLS=2
SERVER_ID=id
IMAGE_ID=id
CONSOLE=novnc
CONSOLE_LIKE='^https?://[^[:space:]]+token[^[:space:]]+$'
PROJECT=5f1d7c3a9b8e4d2f8a6c0e1b2d3f4a5c

make_server() {
    jq -cn --arg id "$1" --arg name "$2" --argjson more "${3:-{\}}" \
        '{id: $id, name: $name, status: "ACTIVE", "OS-EXT-STS:task_state": null} + $more'
}
make_image() {
    jq -cn --arg id "$1" --arg name "$2" --arg project "$PROJECT" --argjson more "${3:-{\}}" \
        '{id: $id, name: $name, status: "active", visibility: "private", owner: $project,
          protected: false} + $more'
}
STOPPED='{"status":"SHUTOFF","OS-EXT-STS:task_state":null}'

declare -A WIRE=(
    [search servers]='GET /compute/v2.1/servers/detail?limit=100&sort_key=created_at&sort_dir=asc&name=sought%5C.; GET /compute/v2.1/servers/detail?limit=100&sort_key=created_at&sort_dir=asc&name=sought%5C.&marker=*'
    [search images]='GET /image/v2/images?limit=100&sort_key=created_at&sort_dir=asc&name=sought%20image'
    [show server]='GET /compute/v2.1/servers/@'
    [start]='POST /compute/v2.1/servers/@/action {"os-start":null}'
    [stop soft]='POST /compute/v2.1/servers/@/action {"os-stop":null}'
    [stop hard]=-
    [reboot soft]='POST /compute/v2.1/servers/@/action {"reboot":{"type":"SOFT"}}'
    [reboot hard]='POST /compute/v2.1/servers/@/action {"reboot":{"type":"HARD"}}'
    [console]='POST /compute/v2.1/servers/@/remote-consoles {"remote_console":{"protocol":"vnc","type":"novnc"}}'
    [replace tags]='PUT /compute/v2.1/servers/@/tags {"tags":\["blue","red"\]}'
    [add tag]='PUT /compute/v2.1/servers/@/tags/mint'
    [remove tag]='PUT /compute/v2.1/servers/@/tags {"tags":\["blue"\]}'
    [rename server]='PUT /compute/v2.1/servers/@ {"server":{"name":"renamed"}}'
    [describe server]='PUT /compute/v2.1/servers/@ {"server":{"description":"new words"}}'
    [image from server]='POST /compute/v2.1/servers/@/action {"createImage":{"metadata":{"description":"words"},"name":"golden"}}'
    [show image]='GET /image/v2/images/@'
    [rename image]='PATCH /image/v2/images/@ \[{"op":"add","path":"/name","value":"renamed"}\]'
    [describe image]='PATCH /image/v2/images/@ \[{"op":"add","path":"/description","value":"new words"}\]'
    [image tags]='PUT /image/v2/images/@/tags/gold'
    [delete image]='DELETE /image/v2/images/@'
)
CAPTURE_STOPPED=

# Deleted ones are in no list but that of changes.
SERVER_STATES='
{"status":"ACTIVE","OS-EXT-STS:task_state":null} running
{"status":"PASSWORD","OS-EXT-STS:task_state":null} running
{"status":"MIGRATING","OS-EXT-STS:task_state":"migrating"} running
{"status":"RESCUE","OS-EXT-STS:task_state":null} running
{"status":"SHUTOFF","OS-EXT-STS:task_state":null} stopped
{"status":"SHELVED","OS-EXT-STS:task_state":null} stopped
{"status":"SHELVED_OFFLOADED","OS-EXT-STS:task_state":null} stopped
{"status":"PAUSED","OS-EXT-STS:task_state":null} paused
{"status":"SUSPENDED","OS-EXT-STS:task_state":null} suspended
{"status":"SHUTOFF","OS-EXT-STS:task_state":"powering-on"} starting
{"status":"ACTIVE","OS-EXT-STS:task_state":"powering-off"} stopping
{"status":"REBOOT","OS-EXT-STS:task_state":"reboot_started"} rebooting
{"status":"HARD_REBOOT","OS-EXT-STS:task_state":"rebooting_hard"} rebooting
{"status":"SHUTOFF","OS-EXT-STS:task_state":"rebooting_hard"} rebooting
{"status":"BUILD","OS-EXT-STS:task_state":"spawning"} building
{"status":"RESIZE","OS-EXT-STS:task_state":"resize_prep"} resizing
{"status":"VERIFY_RESIZE","OS-EXT-STS:task_state":null} resizing
{"status":"REBUILD","OS-EXT-STS:task_state":"rebuilding"} rebuilding
{"status":"ERROR","OS-EXT-STS:task_state":null} error
{"status":"ACTIVE","OS-EXT-STS:task_state":"deleting"} deleting
{"status":"active","OS-EXT-STS:task_state":null} running
{"status":"WONDERFUL","OS-EXT-STS:task_state":null} unknown
'
IMAGE_STATES='
{"status":"queued"} creating
{"status":"saving"} creating
{"status":"importing"} creating
{"status":"active"} available
{"status":"deactivated"} disabled
{"status":"pending_delete"} deleting
{"status":"deleted"} deleted
{"status":"killed"} error
{"status":"WONDERFUL"} unknown
'
REFUSAL=('"status":409,"code":"conflictingRequest"' "Device or resource busy")
REFUSED_ROUTE=server.action.reboot
SECRETS='{"adminPass":"fake-graphics-secret","metadata":{"graphics_passwd":"fake-graphics-secret"}}'
SECRET_FILE=adminPass
