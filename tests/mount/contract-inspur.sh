#!/usr/bin/env bash
# The contract test set on inspur.
# begins early
CF_DIALECT=inspur
# shellcheck source=tests/contract/cases.bash
. "$(dirname "$0")/../contract/cases.bash"

run_contract
