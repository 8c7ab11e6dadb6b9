#!/usr/bin/env bash
# The contract test set on qingcloud.
# begins early
# not under: tsan
CF_DIALECT=qingcloud
# shellcheck source=tests/contract/cases.bash
. "$(dirname "$0")/../contract/cases.bash"

run_contract
