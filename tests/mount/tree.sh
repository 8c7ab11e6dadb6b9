#!/usr/bin/env bash
# What is in a mount: the files of the contract's section 2, their modes and their contents.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/mount/tools/cloud.sh
. "$(dirname "$0")/tools/cloud.sh"
cf_need python3 jq curl

S=9168b536-cd40-4630-b43f-b259807c6e87 # a server
I=77c1b6a4-0000-4000-8000-00000000ce76 # its image

cf_start_sim --servers 8 --images 4
sim POST /_sim/images '{"id":"'$I'","name":"centos_7","status":"active","tags":["web","ECS","db"],
    "checksum":"d41d8cd98f00b204e9800998ecf8427e","owner":"acme","visibility":"private",
    "size":1234567890123,"description":"the base","system":"centos7.6","systemType":"Linux",
    "container_format":"bare","disk_format":"qcow2","min_disk":20,"min_ram":512,"protected":false,
    "created_at":"2018-09-07T12:14:25.000+0000","updated_at":"2018-09-08T20:00:01.500+0800",
    "direct_url":"rbd://pool/secret","locations":[{"url":"rbd://pool/secret"}]}' >/dev/null
sim POST /_sim/servers '{"regionID":"cn-north-3","availability_zone":"nova","name":"网站 1","id":"'$S'",
    "status":"ACTIVE","task_state":null,"image":{"id":"'$I'","name":"centos_7"},
    "root_volume":{"volumetype":"SATA","size":50},
    "flavor":{"disk":50,"original_name":"s1.medium.2","ram":4096,"vcpus":2},
    "security_groups":[{"name":"default"},{"name":"web"}],
    "nics":[{"fixed_ip":"10.0.0.5"},{"fixed_ip":"10.0.1.5"}],
    "eip":{"ip_addr":"203.0.113.9","bandwidth":10},"key_name":"k1",
    "feeData":{"chargetype":"prePaid","nextFeeTime":"2024-02-01 08:00:00"},
    "created":"2012-08-20T21:11:09Z","host":"node-7","adminPass":"hush"}' >/dev/null
server 11111111-1111-4111-8111-111111111111 SHUTOFF twin
server 22222222-2222-4222-8222-222222222222 ACTIVE twin
server 33333333-3333-4333-8333-333333333333 ACTIVE by-name      # a fixed name
server 44444444-4444-4444-8444-444444444444 ACTIVE $S           # another one's id
server list.tsv ACTIVE odd-id                                   # an id that is a fixed name
server 55555555-5555-4555-8555-555555555555 ERROR broken
before=$(date +%s)
cf_mount ttl=600
cd "$PROFILE"

# has MODE FILE…: they are there with that mode.
has() {
    local wanted=$1 file
    shift
    for file; do
        is "$(mode "$file")" "$wanted" "$file has mode $wanted"
    done
}
# shows FILE TEXT: exactly that, and st_size says so.
shows() {
    is "$(cat "$1" && echo .)" "$2." "$1 shows $(tr '\n' '|' <<<"${2%$'\n'}")"
    is "$(stat -c %s "$1")" "$(printf %s "$2" | wc -c)" "$1 has its exact size"
}
# lists DIRECTORY NAME…: that and nothing else.
lists() {
    local directory=$1
    shift
    is "$(cd "$directory" && find . -mindepth 1 -maxdepth 1 -printf '%f\n' | sort)" \
        "$(printf '%s\n' "$@" | sort)" "$directory lists what it should"
}

cf_section mount
lists "$MNT" .cirrusfs sim
has 0444 "$MNT"/.cirrusfs/{version,config,stats,attributes.tsv,log}
lists "$MNT/.cirrusfs" version config stats attributes.tsv log
is "$(cat "$MNT/.cirrusfs/version")" "$(cirrusfs version | grep -o '[0-9][0-9.a-z+-]*' | head -n 1)" \
    "version is the program's"
like "$(cat "$MNT/.cirrusfs/config")" "ttl *= *600" "config has the options in force"
like_not "$(cat "$MNT/.cirrusfs/config")" "$CF_TOKEN" "config has no secret"
is "$(head -n 1 "$MNT/.cirrusfs/attributes.tsv")" $'path\ttype\tunit\taccess\tdescription' \
    "attributes.tsv has its header"
is "$(awk -F '\t' 'NF != 5' "$MNT/.cirrusfs/attributes.tsv")" "" "attributes.tsv has five columns"
like "$(cat "$MNT/.cirrusfs/attributes.tsv")" $'servers/by-id/<id>/ram_mb\tnumber\tMiB\t0444\t' \
    "attributes.tsv tells of ram_mb"
is "$(tail -n 1 "$MNT/.cirrusfs/stats")" "# EOF" "stats ends as OpenMetrics does"
ok "stats parses" python3 - "$MNT/.cirrusfs/stats" <<'END'
import re, sys
types = {}
for line in open(sys.argv[1]):
    if line.startswith('# TYPE '):
        types[line.split()[2]] = line.split()[3]
    elif not line.startswith('#'):
        name = re.fullmatch(r'([a-z_]+)(\{[^}]*\})? [0-9.e+-]+\n', line)[1]
        family = re.sub('_(total|bucket|count|sum|created)$', '', name)
        assert name in types or family in types, line
END

cf_section profile
shows provider $'inspur\n'
shows endpoint "$SIM_URL"$'\n'
ok "no region where none is configured" test ! -e region
has 0444 provider endpoint health events.jsonl journal.jsonl
has 0200 refresh
has 0555 servers images
like "$(cat health)" '^ok( |$)' "health begins with ok"
shows events.jsonl ""
shows journal.jsonl ""
lists . provider endpoint health refresh events.jsonl journal.jsonl servers images
cmd_fails_with "not permitted" mkdir servers/by-id/new
cmd_fails_with "not permitted" rmdir "servers/by-id/$S"
cmd_fails_with "not permitted" rm "servers/by-id/$S/zone"

cf_section server
cd "servers/by-id/$S"
shows id "$S"$'\n'
shows name $'网站 1\n'
shows status $'ACTIVE\n'
shows state $'running\n'
shows created $'2012-08-20T21:11:09Z\n'
shows zone $'nova\n'
shows region $'cn-north-3\n'
shows host $'node-7\n'
shows key_name $'k1\n'
shows flavor $'s1.medium.2\n'
shows vcpus $'2\n'
shows ram_mb $'4096\n'
shows root_disk_gb $'50\n'
shows addresses $'10.0.0.5\n10.0.1.5\n203.0.113.9\n'
shows private_addresses $'10.0.0.5\n10.0.1.5\n'
shows public_addresses $'203.0.113.9\n'
shows security_groups $'default\nweb\n'
shows charge_type $'prePaid\n'
shows expires $'2024-02-01T00:00:00Z\n'
shows power $'on\n'
shows last_error ""
shows captured ""
like "$(cat power_choices)" '\[on\]' "power_choices has the current word in brackets"
has 0444 id name status state created zone region host key_name flavor vcpus ram_mb root_disk_gb \
    addresses private_addresses public_addresses security_groups charge_type expires power_choices \
    last_error captured
has 0644 power
has 0200 console capture raw/refresh
has 0400 console_url raw.json
has 0500 raw
is "$(readlink image)" "../../../images/by-id/$I" "image is a link to the image's directory"
shows image/id "$I"$'\n'
# Neither tags, which the list has not, nor what the cloud has no value for.
lists . id name status state created zone region host key_name flavor vcpus ram_mb root_disk_gb \
    addresses private_addresses public_addresses security_groups charge_type expires image power \
    power_choices console console_url capture captured last_error raw.json raw
ok "no task, no description, no updated" test ! -e task -a ! -e description -a ! -e updated

cf_section image
cd "$PROFILE/images/by-id/$I"
shows id "$I"$'\n'
shows name $'centos_7\n'
shows status $'active\n'
shows state $'available\n'
shows tags $'ECS\ndb\nweb\n'
shows description $'the base\n'
shows size $'1234567890123\n'
shows min_disk_gb $'20\n'
shows min_ram_mb $'512\n'
shows os $'centos7.6\n'
shows os_family $'linux\n'
shows visibility $'private\n'
shows owner $'acme\n'
shows format $'qcow2\n'
shows checksum $'d41d8cd98f00b204e9800998ecf8427e\n'
shows created $'2018-09-07T12:14:25Z\n'
shows updated $'2018-09-08T12:00:01Z\n'
has 0644 name description
has 0444 tags size owner last_error
has 0400 raw.json
lists . id name status state tags description size min_disk_gb min_ram_mb os os_family visibility \
    owner format checksum created updated last_error raw.json raw
ok "raw.json keeps secrets to itself" test "$(jq -c '[.direct_url, .locations]' raw.json)" \
    == '["***","***"]'

cf_section collections
cd "$PROFILE"
ok "every server is as the cloud has it" cloud tree "$PROFILE" servers
ok "every image is as the cloud has it" cloud tree "$PROFILE" images
ok "the views of servers" cloud views "$PROFILE" servers
ok "the views of images" cloud views "$PROFILE" images
ok "list.tsv and list.jsonl of servers" cloud lists "$PROFILE" servers
ok "list.tsv and list.jsonl of images" cloud lists "$PROFILE" images
has 0444 servers/fetched
like "$(cat servers/fetched)" '^20[0-9-]+T[0-9:]+(\.[0-9]+)?Z$' "fetched is a time"
at_most "$before" "$(date -d "$(cat servers/fetched)" +%s)" "fetched is when the listing began"
like "$(readlink servers/list.tsv)" '^\.snapshots/[0-9]{10}/list\.tsv$' "list.tsv leads to a version"
has 0444 "$(readlink -f servers/list.tsv)"
has 0400 "$(readlink -f servers/list.jsonl)"
like_not "$(find servers -maxdepth 1 -printf '%f ')" snapshots ".snapshots is not listed"
ok ".snapshots can be entered" test -d servers/.snapshots
ok "its version can be entered" test -f "servers/$(readlink servers/list.tsv)"
cmd_fails_with "No such file" cat servers/.snapshots/9999999999/list.tsv
for file in servers/power servers/power.plan servers/last_error servers/search images/delete; do
    if [ -e "$file" ]; then
        pass "$file is there"
    else
        skip "$file" "not made yet"
    fi
done

cf_section shorthand
is "$(readlink "servers/$S")" "by-id/$S" "an id leads to its directory"
is "$(readlink 'servers/网站 1')" "by-id/$S" "a unique name too"
is "$(cat servers/broken/id)" 55555555-5555-4555-8555-555555555555 "and through it to a file"
ok "a shared name has none" test ! -e servers/twin
ok "a fixed name wins over a name" test -d servers/by-name -a ! -L servers/by-name
is "$(cat "servers/$S/name")" "网站 1" "an id wins over a name"
like "$(readlink servers/list.tsv)" '^\.snapshots/' "a fixed name wins over an id"
ok "it is not listed" test -z "$(find servers -maxdepth 1 -name "$S" -o -maxdepth 1 -name broken)"
is "$(find servers/by-name -name 'twin*' -printf '%f\n' | sort)" \
    $'twin~11111111-1111-4111-8111-111111111111\ntwin~22222222-2222-4222-8222-222222222222' \
    "those that share a name carry their ids"
is "$(find . -type l -printf '%l\n' | grep -c '^/' || true)" 0 "no link is absolute"
is "$(find . -type l -exec readlink -m {} + | grep -vc "^$PROFILE/" || true)" 0 \
    "no link leaves the profile"

cf_section times
epoch() { date -d "$1" +%s; }
now=$(date +%s)
is "$(stat -c %Y "servers/by-id/$S")" "$(epoch 2012-08-20T21:11:09Z)" \
    "a server's time is the cloud's"
is "$(stat -c %Y "images/by-id/$I")" "$(epoch 2018-09-08T12:00:01Z)" "an image's is its updated"
is "$(stat -c %Y "servers/by-id/$S/status")" "$(epoch 2012-08-20T21:11:09Z)" \
    "and that of a value that never changed since"
is "$(stat -c %Z "servers/by-id/$S/status")" "$(stat -c %Y "servers/by-id/$S/status")" \
    "ctime is mtime"
at_most "$before" "$(stat -c %Y servers/by-id)" "by-id changed when its members came"
touch "$CF_TMP/then"
change servers $S '{"status":"SHUTOFF"}'
echo 1 >refresh
at_most "$now" "$(stat -c %Y "servers/by-id/$S/status")" "a value's time is when it changed"
is "$(stat -c %Y "servers/by-id/$S/zone")" "$(epoch 2012-08-20T21:11:09Z)" "not that of its neighbours"
is "$(find servers/by-id -newer "$CF_TMP/then" -type f -path "*/$S/*" -not -path '*/raw/*' \
    -printf '%f\n' | sort | tr '\n' ' ')" "power power_choices raw.json state status " \
    "find -newer finds what changed"
at_most "$now" "$(stat -c %Y refresh)" "a control file's time is when it was written"
is "$(stat -c %Y "images/by-id/$I")" "$(epoch 2018-09-08T12:00:01Z)" "an unchanged image's stays"

cf_section "inode numbers"
inodes() { find "$PROFILE" -not -path '*/.snapshots*' -printf '%i %P\n' | grep -v '/list\.' | sort -k 2; }
numbers=$(inodes)
change servers "$S" '{"key_name":"k2"}'
echo 1 >refresh
is "$(inodes)" "$numbers" "they stay over a refresh"
is "$(awk '{ print $1 }' <<<"$numbers" | sort | uniq -d)" "" "no two have the same"

cf_section statfs
servers=$(ids servers | wc -l)
images=$(ids images | wc -l)
is "$(stat -f -c %c "$MNT")" "$((servers + images))" "f_files counts the resources"
is "$(stat -f -c %b "$MNT")" 0 "no blocks"
ok "df -i" df -i "$MNT"
cd /
cf_umount

cf_section owner
cf_mount
is "$(stat -c %u:%g "$PROFILE/servers/by-id/$S/status")" "$(id -u):$(id -g)" "who mounts owns"
cf_umount
cf_mount uid=12345 gid=54321
is "$(stat -c %u:%g "$MNT" "$PROFILE" "$PROFILE/servers/by-id/$S" "$PROFILE/servers/by-id/$S/status" \
    "$PROFILE/servers/by-id/$S/image" "$PROFILE/health" | sort -u)" 12345:54321 "uid= and gid="
cf_umount
cf_mount umask=0077
is "$(mode "$PROFILE/servers/by-id/$S/status")" 0400 "umask= of a file"
is "$(mode "$PROFILE/servers/by-id/$S/power")" 0600 "umask= of a file that is written"
is "$(mode "$PROFILE/servers/by-id/$S")" 0700 "umask= of a directory"
cf_umount
cf_mount ro raw=world
is "$(mode "$PROFILE/servers/by-id/$S/power")" 0444 "ro: power is only read"
is "$(mode "$PROFILE/images/by-id/$I/name")" 0444 "ro: name is only read"
is "$(find "$PROFILE/servers/by-id/$S" "$PROFILE/images/by-id/$I" -perm 0200 -printf '%P ')" "" \
    "ro: nothing that is only written"
write_fails_with "ead-only file system" off "$PROFILE/servers/by-id/$S/power"
is "$(mode "$PROFILE/servers/by-id/$S/raw.json")" 0444 "raw=world: raw.json"
is "$(mode "$PROFILE/servers/by-id/$S/raw")" 0555 "raw=world: raw/"
is "$(mode "$PROFILE/servers/by-id/$S/raw/id")" 0444 "raw=world: a file of it"
is "$(mode "$(readlink -f "$PROFILE/servers/list.jsonl")")" 0444 "raw=world: list.jsonl"
is "$(calls changes)" 0 "nothing was changed in the cloud"
