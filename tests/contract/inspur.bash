# shellcheck shell=bash disable=SC2034
# Inspur Cloud ECS in the contract test set: see cases.bash.

STYLE=rest
LIST_SERVERS="GET /v1/servers/{page}/{size}"
LIST_IMAGES="GET /v1/images"
# The whole list of images is the public ones' and the private ones' call together.
IMAGE_CALLS=2 # pages of the 120 images
SERVER_ID=id
IMAGE_ID=id
CONSOLE=novnc
CONSOLE_LIKE='^https?://[^[:space:]]+$'

# server ID NAME JSON: makes one that runs; JSON: more members.
make_server() {
    jq -cn --arg id "$1" --arg name "$2" --argjson more "${3:-{\}}" \
        '{id: $id, name: $name, status: "ACTIVE", task_state: null} + $more'
}
make_image() {
    jq -cn --arg id "$1" --arg name "$2" --argjson more "${3:-{\}}" \
        '{id: $id, name: $name, status: "active", visibility: "private", protected: false} + $more'
}
STOPPED='{"status":"SHUTOFF","task_state":null}'

# What goes over the wire for an operation; "-": this cloud has no such call. @ stands for the
# id, * for anything.
declare -A WIRE=(
    [search servers]='GET /v1/servers/1/100?searchValue=sought.; GET /v1/servers/2/100?searchValue=sought.'
    [search images]='GET /v1/images?page=1&pageSize=100&searchValue=sought%20image'
    [show server]='GET /v1/servers/@'
    [start]='POST /v1/servers/@/action {"os-start":{}}'
    [stop soft]='POST /v1/servers/@/action {"os-stop":{}}'
    [stop hard]='POST /v1/servers/action {"os-stop":{"servers":\[{"id":"@"}\],"type":"HARD"}}'
    [reboot soft]='POST /v1/servers/@/action {"reboot":{"type":"SOFT"}}'
    [reboot hard]='POST /v1/servers/@/action {"reboot":{"type":"HARD"}}'
    [console]='POST /v1/servers/@/action {"os-getVNCConsole":{"type":"novnc"}}'
    [replace tags]='POST /v1/servers/@/tags?tags=blue,red'
    [add tag]='POST /v1/servers/@/tags?tags=blue,mint,red'
    [remove tag]='POST /v1/servers/@/tags?tags=blue'
    [rename server]=-
    [describe server]=-
    [image from server]='POST /v1/servers/@/action {"createImage":{"description":"words","name":"golden"*}}'
    [show image]='GET /v1/images/@'
    [rename image]='PATCH /v1/images/@ *"path":"/name"*"value":"renamed"*'
    [describe image]='PATCH /v1/images/@ *"path":"/description"*"value":"new words"*'
    [image tags]=-
    [delete image]='DELETE /v1/images/@'
)
CAPTURE_STOPPED=

SERVER_STATES='
{"status":"ACTIVE","task_state":null} running
{"status":"PASSWORD","task_state":null} running
{"status":"SHUTOFF","task_state":null} stopped
{"status":"STOPPED","task_state":null} stopped
{"status":"PAUSED","task_state":null} paused
{"status":"SHUTOFF","task_state":"powering-on"} starting
{"status":"ACTIVE","task_state":"powering-off"} stopping
{"status":"REBOOT","task_state":null} rebooting
{"status":"HARD_REBOOT","task_state":null} rebooting
{"status":"BUILD","task_state":null} building
{"status":"RESIZE","task_state":null} resizing
{"status":"REBUILD","task_state":null} rebuilding
{"status":"ERROR","task_state":null} error
{"status":"DELETED","task_state":null} deleted
{"status":"SOFT_DELETED","task_state":null} deleted
{"status":"ACTIVE","task_state":"deleting"} deleting
{"status":"active","task_state":null} running
{"status":"WONDERFUL","task_state":null} unknown
'
IMAGE_STATES='
{"status":"queued"} creating
{"status":"saving"} creating
{"status":"active"} available
{"status":"deactivated"} disabled
{"status":"pending_delete"} deleting
{"status":"deleted"} deleted
{"status":"killed"} error
{"status":"WONDERFUL"} unknown
'
# A refusal that is no HTTP error: the code, its errno.
REFUSAL=('"status":200,"code":"101.001012"' "Device or resource busy")
REFUSED_ROUTE="POST /v1/servers/{id}/action"
SECRETS='{"adminPass":"fake-graphics-secret","metadata":{"graphics_passwd":"fake-graphics-secret"}}'
SECRET_FILE=adminPass
