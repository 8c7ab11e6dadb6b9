#!/usr/bin/env bash
# The contract test set on ucloudstack.
# begins early
# not under: tsan
CF_DIALECT=ucloudstack
# shellcheck source=tests/contract/cases.bash
. "$(dirname "$0")/../contract/cases.bash"

run_contract
