# shellcheck shell=bash disable=SC2034
# QingCloud in the contract test set: see cases.bash.

STYLE=action
LIST_SERVERS=DescribeInstances
LIST_IMAGES=DescribeImages
IMAGE_CALLS=2
SERVER_ID=instance_id
IMAGE_ID=image_id
CONSOLE=vnc
CONSOLE_LIKE='^vnc://[^[:space:]]+:[0-9]+'

make_server() {
    jq -cn --arg id "$1" --arg name "$2" --argjson more "${3:-{\}}" \
        '{instance_id: $id, instance_name: $name, status: "running", transition_status: ""} + $more'
}
make_image() {
    jq -cn --arg id "$1" --arg name "$2" --argjson more "${3:-{\}}" \
        '{image_id: $id, image_name: $name, status: "available", transition_status: "",
          provider: "self", visibility: "private"} + $more'
}
STOPPED='{"status":"stopped","transition_status":""}'

declare -A WIRE=(
    [search servers]='DescribeInstances limit=100 offset=0 search_word=sought. verbose=1; DescribeInstances limit=100 offset=100 search_word=sought. verbose=1'
    [search images]='DescribeImages limit=100 offset=0 search_word=sought image'
    [show server]='DescribeInstances instances.1=@ *verbose=1*'
    [start]='StartInstances instances.1=@'
    [stop soft]='StopInstances force=0 instances.1=@'
    [stop hard]='StopInstances force=1 instances.1=@'
    [reboot soft]='RestartInstances instances.1=@'
    [reboot hard]='StopInstances force=1 instances.1=@; StartInstances instances.1=@'
    [console]='CreateBrokers instances.1=@'
    [replace tags]='CreateTag tag_name=*; CreateTag tag_name=*; AttachTags *resource_tag_pairs.1.resource_id=@ *resource_tag_pairs.1.resource_type=instance *resource_tag_pairs.2.resource_id=@ *'
    [add tag]='CreateTag tag_name=mint; AttachTags resource_tag_pairs.1.resource_id=@ resource_tag_pairs.1.resource_type=instance resource_tag_pairs.1.tag_id=*'
    [remove tag]='DetachTags resource_tag_pairs.1.resource_id=@ resource_tag_pairs.1.resource_type=instance resource_tag_pairs.1.tag_id=* resource_tag_pairs.2.resource_id=@ *'
    [rename server]='ModifyInstanceAttributes instance=@ instance_name=renamed'
    [describe server]='ModifyInstanceAttributes description=new words instance=@'
    [image from server]='CaptureInstance image_name=golden instance=@; ModifyImageAttributes description=words image=*'
    [show image]='DescribeImages images.1=@ *'
    [rename image]='ModifyImageAttributes image=@ image_name=renamed'
    [describe image]='ModifyImageAttributes description=new words image=@'
    [image tags]='CreateTag *tag_name=gold*; AttachTags resource_tag_pairs.1.resource_id=@ resource_tag_pairs.1.resource_type=image *'
    [delete image]='DeleteImages images.1=@'
)
CAPTURE_STOPPED=1

SERVER_STATES='
{"status":"running","transition_status":""} running
{"status":"stopped","transition_status":""} stopped
{"status":"suspended","transition_status":""} paused
{"status":"stopped","transition_status":"starting"} starting
{"status":"suspended","transition_status":"resuming"} starting
{"status":"terminated","transition_status":"recovering"} starting
{"status":"running","transition_status":"stopping"} stopping
{"status":"running","transition_status":"suspending"} stopping
{"status":"running","transition_status":"restarting"} rebooting
{"status":"pending","transition_status":""} building
{"status":"pending","transition_status":"creating"} building
{"status":"running","transition_status":"resizing"} resizing
{"status":"stopped","transition_status":"resetting"} rebuilding
{"status":"terminated","transition_status":""} deleted
{"status":"ceased","transition_status":""} deleted
{"status":"running","transition_status":"terminating"} deleting
{"status":"RUNNING","transition_status":null} running
{"status":"wonderful","transition_status":""} unknown
'
IMAGE_STATES='
{"status":"pending","transition_status":""} creating
{"status":"pending","transition_status":"creating"} creating
{"status":"suspended","transition_status":"resuming"} creating
{"status":"deleted","transition_status":"recovering"} creating
{"status":"available","transition_status":""} available
{"status":"deprecated","transition_status":""} deprecated
{"status":"suspended","transition_status":""} disabled
{"status":"available","transition_status":"suspending"} disabled
{"status":"available","transition_status":"deleting"} deleting
{"status":"deleted","transition_status":""} deleted
{"status":"ceased","transition_status":""} deleted
'
# Images are asked for by their documented states; one in another state is not listed.
REFUSAL=('"code":"2400"' "Operation not permitted")
REFUSED_ROUTE=RestartInstances
SECRETS='{"graphics_passwd":"fake-graphics-secret"}'
SECRET_FILE=graphics_passwd
