# shellcheck shell=bash disable=SC2034
# UCloudStack in the contract test set: see cases.bash.

STYLE=action
LIST_SERVERS=DescribeVMInstance
LIST_IMAGES=DescribeImage
IMAGE_CALLS=2
SERVER_ID=VMID
IMAGE_ID=ImageID
CONSOLE=vnc
CONSOLE_LIKE=$'^vnc://[^[:space:]]+:[0-9]+\n[^[:space:]]+$'

make_server() {
    jq -cn --arg id "$1" --arg name "$2" --argjson more "${3:-{\}}" \
        '{VMID: $id, Name: $name, Remark: "old words", State: "Running"} + $more'
}
make_image() {
    jq -cn --arg id "$1" --arg name "$2" --argjson more "${3:-{\}}" \
        '{ImageID: $id, Name: $name, ImageDescription: "old words", ImageStatus: "Used",
          ImageType: "Custom", Remarkable: true} + $more'
}
STOPPED='{"State":"Stopped"}'

declare -A WIRE=(
    [search servers]='DescribeVMInstance Keyword=sought. Limit=100 Offset=0; DescribeVMInstance Keyword=sought. Limit=100 Offset=100'
    [search images]='DescribeImage Keyword=sought image Limit=100 Offset=0'
    [show server]='DescribeVMInstance *VMIDs.0=@*'
    [start]='StartVMInstance VMID=@'
    [stop soft]='StopVMInstance VMID=@'
    [stop hard]='PoweroffVMInstance VMID=@'
    [reboot soft]='RestartVMInstance VMID=@'
    [reboot hard]='PoweroffVMInstance VMID=@; StartVMInstance VMID=@'
    [console]='GetVMVNCInfo VMID=@'
    [replace tags]=-
    [add tag]=-
    [remove tag]=-
    [rename server]='ModifyNameAndRemark Name=renamed Remark=old words ResourceID=@'
    [describe server]='ModifyNameAndRemark Name=described Remark=new words ResourceID=@'
    [image from server]='CreateCustomImage ImageDescription=words ImageName=golden VMID=@'
    [show image]='DescribeImage ImageIDs.0=@*'
    [rename image]='ModifyNameAndRemark Name=renamed Remark=old words ResourceID=@'
    [describe image]='ModifyNameAndRemark Name=described Remark=new words ResourceID=@'
    [image tags]=-
    [delete image]='DeleteCustomImage ImageID=@'
)
CAPTURE_STOPPED=1

SERVER_STATES='
{"State":"Running"} running
{"State":"Migrating"} running
{"State":"ChangeSGing"} running
{"State":"Stopped"} stopped
{"State":"Starting"} starting
{"State":"Stopping"} stopping
{"State":"Poweroffing"} stopping
{"State":"Restarting"} rebooting
{"State":"Initializing"} building
{"State":"Resizing"} resizing
{"State":"WaitReinstall"} rebuilding
{"State":"Reinstalling"} rebuilding
{"State":"Failed"} error
{"State":"Deleted"} deleted
{"State":"Terminated"} deleted
{"State":"Terminating"} deleting
{"State":"running"} running
{"State":"Wonderful"} unknown
'
IMAGE_STATES='
{"ImageStatus":"Making"} creating
{"ImageStatus":"Uploading"} creating
{"ImageStatus":"Used"} available
{"ImageStatus":"Available"} available
{"ImageStatus":"Unavailable"} disabled
{"ImageStatus":"Deleting"} deleting
{"ImageStatus":"Terminating"} deleting
{"ImageStatus":"Deleted"} deleted
{"ImageStatus":"Failed"} error
{"ImageStatus":"Wonderful"} unknown
'
REFUSAL=('"code":"1005"' "Device or resource busy")
REFUSED_ROUTE=RestartVMInstance
SECRETS='{"VNCPassword":"fake-graphics-secret"}'
SECRET_FILE=VNCPassword
