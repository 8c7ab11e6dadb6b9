#!/usr/bin/env bash
# The contract test set on qingcloud.
# begins early
CF_DIALECT=qingcloud
# shellcheck source=tests/contract/cases.bash
. "$(dirname "$0")/../contract/cases.bash"

run_contract
