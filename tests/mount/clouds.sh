#!/usr/bin/env bash
# Four clouds in one mount, under the same words; their credentials from the files of other
# programs; one that is wrong disturbs none.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/mount/cloud.bash
. "$(dirname "$0")/cloud.bash"
cf_need jq curl

CLOUDS=(inspur openstack qingcloud ucloudstack)
declare -A URL=()
for CF_DIALECT in "${CLOUDS[@]}"; do
    cf_start_sim --servers 30 --images 10
    URL[$CF_DIALECT]=$SIM_URL
done
port=${URL[qingcloud]##*:}

(
    umask 077
    mkdir "$CF_TMP/ucloud"
    cat >"$CF_TMP/qingcloud.yaml" <<END
# as qingcloud-cli has it
qy_access_key_id: '$CF_ACCESS_KEY'
qy_secret_access_key: '$CF_SECRET_KEY'
zone: pek3a
host: '127.0.0.1'
port: $port
protocol: 'http'
uri: '/iaas/'
END
    jq -n --arg url "${URL[ucloudstack]}/api" \
        '[{profile: "default", active: true, region: "elsewhere", base_url: "http://127.0.0.1:1/"},
          {profile: "lab", active: false, region: "cn", base_url: $url, timeout_sec: 15}]' \
        >"$CF_TMP/ucloud/config.json"
    jq -n --arg public "$CF_ACCESS_KEY" --arg private "$CF_SECRET_KEY" \
        '[{profile: "lab", public_key: $public, private_key: $private}]' >"$CF_TMP/ucloud/credential.json"
    cat >"$CF_TMP/clouds.yaml" <<END
clouds:
  lab:
    auth_type: v3applicationcredential
    auth:
      auth_url: ${URL[openstack]}/identity
      application_credential_id: $CF_ACCESS_KEY
      application_credential_secret: $CF_SECRET_KEY
    region_name: RegionOne
END
    cat >"$CF_TMP/config" <<END
[inspur]
provider = inspur
endpoint = ${URL[inspur]}
token = $CF_TOKEN

[qingcloud]
provider = qingcloud
credentials = qingcloud.yaml

[ucloudstack]
provider = ucloudstack
credentials = ucloud
credentials_profile = lab

[openstack]
provider = openstack
cloud = lab

[wrong]
provider = qingcloud
credentials = qingcloud.yaml
secret_key = fake-wrong-secret
END
)
cf_expect_log '\[?wrong\]?:'
export OS_CLIENT_CONFIG_FILE=$CF_TMP/clouds.yaml
cd / # what is relative starts beside the configuration
cf_mount -p '' ttl=300 rate=0 patience=30

cf_section "one tree"
cd "$MNT"
for cloud in "${CLOUDS[@]}"; do
    ok "[$cloud] is healthy" wait_until 20 says "$cloud/health" '^ok '
    is "$(cat "$cloud/provider")" "$cloud" "[$cloud] says what it is"
    ok "[$cloud] has its servers" test -d "$cloud/servers/by-id"
done
# The first look brings the listings.
ls ./*/servers/by-id >/dev/null 2>&1 || true
for cloud in "${CLOUDS[@]}"; do
    found=$(grep -l running ./*/servers/by-id/*/state 2>/dev/null | grep -c "^./$cloud/" || true)
    isnt "$found" 0 "one grep finds servers of $cloud"
    is "$found" "$(find "$cloud/servers/by-state/running" -type l | wc -l)" "as many as its view of $cloud has"
done

cf_section "a wrong key"
like "$(cat wrong/health)" '^unauthorized ' "is told in health"
write_fails_with "Key was rejected by service" now "$MNT/wrong/refresh"
for cloud in "${CLOUDS[@]}"; do
    ok "[$cloud] can be refreshed" put now "$MNT/$cloud/refresh"
    like "$(cat "$cloud/health")" '^ok ' "[$cloud] stays healthy"
done

cf_section "where it comes from"
like "$(cat .cirrusfs/config)" "from the file $CF_TMP/qingcloud.yaml" "config says so"
like "$(cat .cirrusfs/config)" "endpoint=http://127.0.0.1:$port/iaas/" "with the address"
like_not "$(cat .cirrusfs/config .cirrusfs/log "$DAEMON_LOG" ./*/journal.jsonl)" \
    "$CF_SECRET_KEY|fake-wrong-secret|$CF_TOKEN" "no secret shows"
cd /
cf_umount

cf_section "files that others can read"
mkdir "$CF_TMP/failing"
for file in clouds.yaml qingcloud.yaml ucloud/credential.json ucloud/config.json; do
    chmod 644 "$CF_TMP/$file"
    cmd_fails_with "chmod 600 '$CF_TMP/$file'" \
        timeout 20 "${CF_WRAP[@]}" "$CIRRUSFS" mount -f -c "$CF_TMP/config" "$CF_TMP/failing"
    cf_fails_with "chmod 600 '$CF_TMP/$file'" "check, with ${file##*/}" \
        timeout 20 "${CF_WRAP[@]}" "$CIRRUSFS" check -c "$CF_TMP/config"
    chmod 600 "$CF_TMP/$file"
done
