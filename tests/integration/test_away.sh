#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 - clients that go away in the middle: the request is done once or not at all, and can be asked for again.
. "$(dirname "$0")/lib.sh"
dir=$WORK/cluster

start_cluster "$dir"
expect "clients that went away" "$PYTHON" "$HERE/away.py" --addresses "$(addresses "$dir")"
