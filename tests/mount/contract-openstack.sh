#!/usr/bin/env bash
# The contract test set on openstack.
# begins early
# not under: tsan
CF_DIALECT=openstack
# shellcheck source=tests/contract/cases.bash
. "$(dirname "$0")/../contract/cases.bash"

run_contract
