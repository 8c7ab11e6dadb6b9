#!/usr/bin/env bash
# raw.json and raw/: the cloud's own record, nothing lost, nothing altered, no secret.
# not under: tsan
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/mount/tools/cloud.sh
. "$(dirname "$0")/tools/cloud.sh"
cf_need python3 jq curl

R=aaaaaaaa-0000-4000-8000-000000000001
I=bbbbbbbb-0000-4000-8000-000000000002
cf_start_sim --servers 60 --images 20 --hostile
sim POST /_sim/servers '{"id":"'$R'","name":"n","status":"ACTIVE","exact":12345678901234567890,
    "tenth":0.10,"power":1e3,"minus":-0,"tiny":1E-400,"long":0.1234567890123456789,"yes":true,
    "no":false,"nothing":null,"empty":"","words":["a","","b\nc"],"mixed":[1,2.50,null,true],
    "objects":[{"k":"v"},{"k":[1,2]}],"deep":[[1],[2,3]],"none":[],"nil":{},"refresh":"theirs",
    "../escape":"e",".hidden":"h","with/slash":"s","per%cent":"p","til~de":"t","":"unnamed",
    "ünïcödé":"ü","graphics_passwd":"hush","VNCPassword":"hush","nested":{"adminPass":"hush",
    "user_data":"hush","inner":{"direct_url":"hush"}},"locations":[{"url":"hush"}]}' >/dev/null
image $I active plain
cf_mount ttl=3600
cf_expect_log 'a record was left out'
cd "$PROFILE"
RAW=servers/by-id/$R/raw

cf_section "every record"
ok "of the servers" cloud raw "$PROFILE" servers
ok "of the images" cloud raw "$PROFILE" images

cf_section numbers
for text in '"exact": 12345678901234567890' '"tenth": 0.10' '"power": 1e3' '"minus": -0' \
    '"tiny": 1E-400' '"long": 0.1234567890123456789'; do
    ok "$text" grep -qF -- "$text" "servers/by-id/$R/raw.json"
done
is "$(cat $RAW/exact $RAW/tenth $RAW/power $RAW/long)" \
    $'12345678901234567890\n0.10\n1e3\n0.1234567890123456789' "in raw/ too"

cf_section tree
is "$(cat $RAW/yes $RAW/no)" $'true\nfalse' "words"
is "$(stat -c %s $RAW/nothing)" 0 "null is an empty file"
is "$(cat $RAW/empty | wc -l)" 1 "the empty string is an empty line"
is "$(cat $RAW/words)" $'a\n\nb%0Ac' "an array of strings is lines"
is "$(cat $RAW/mixed)" $'1\n2.50\nnull\ntrue' "so is one of other scalars"
is "$(cat $RAW/objects/0/k $RAW/objects/1/k)" $'v\n1\n2' "an array of objects is directories"
is "$(cat $RAW/deep/1)" $'2\n3' "so is one of arrays"
is "$(cat $RAW/%2E.%2Fescape $RAW/%2Ehidden $RAW/with%2Fslash $RAW/per%25cent $RAW/til%7Ede \
    $RAW/% $RAW/ünïcödé)" $'e\nh\ns\np\nt\nunnamed\nü' "keys are made safe"
is "$(cat $RAW/%72efresh)" theirs "a key of the cloud's does not stand in the way of refresh"
is "$(mode $RAW/refresh) $(mode $RAW/exact) $(mode $RAW/nested)" "0200 0400 0500" "modes"

cf_section secrets
is "$(grep -rlF hush servers/by-id/$R "$(readlink -f servers/list.jsonl)" | wc -l)" 0 \
    "no secret can be read"
is "$(cat $RAW/graphics_passwd $RAW/VNCPassword $RAW/nested/adminPass $RAW/nested/inner/direct_url \
    $RAW/locations | sort -u)" "***" "they read ***"
is "$(jq -r '.locations' "servers/by-id/$R/raw.json")" "***" "in raw.json"

cf_section refresh
ok "a show call has fields that the list has not" test ! -e $RAW/keyCloakUserName
sim DELETE /_sim/counters >/dev/null
echo 1 >$RAW/refresh
is "$(calls "$SHOW_SERVER")" 1 "raw/refresh is one show call"
is "$(calls total)" 1 "and no other"
like "$(cat $RAW/keyCloakUserName)" . "its fields are there then"
ok "in raw.json" jq -e .keyCloakUserName servers/by-id/$R/raw.json
echo 1 >refresh
ok "they stay while the list says the same" test -e $RAW/keyCloakUserName
change servers $R '{"tenth":0.20}'
is "$(cat $RAW/tenth)" 0.10 "within the ttl nothing is asked for"
echo 1 >$RAW/refresh
is "$(cat $RAW/tenth)" 0.20 "but by raw/refresh"
change servers $R '{"status":"SHUTOFF"}'
echo 1 >$RAW/refresh
is "$(cat servers/by-id/$R/state)" stopped "the attributes are the newest too"
ok "and the views" test -L servers/by-state/stopped/n
change servers $R '{"status":"ACTIVE"}'
echo 1 >refresh
is "$(cat servers/by-id/$R/state)" running "the list changes the record"
ok "then its fields go" test ! -e $RAW/keyCloakUserName
fault status "$SHOW_SERVER" 1 'status: 404'
write_fails_with "No such file" 1 $RAW/refresh
ok "a show call alone takes nothing away" test -e servers/by-id/$R/status
echo 1 >images/by-id/$I/raw/refresh && pass "an image has it too"
is "$(calls 'GET /v1/images/{id}')" 1 "which is one show call"
