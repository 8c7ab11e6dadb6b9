#!/usr/bin/env bash
# The contract test set on openstack.
CF_DIALECT=openstack
# shellcheck source=tests/contract/cases.bash
. "$(dirname "$0")/../contract/cases.bash"

run_contract
