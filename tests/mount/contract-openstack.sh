#!/usr/bin/env bash
# begins early
# The contract test set on openstack.
# not under: tsan
CF_DIALECT=openstack
# shellcheck source=tests/contract/cases.bash
. "$(dirname "$0")/../contract/cases.bash"

run_contract
