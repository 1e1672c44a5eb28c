#!/usr/bin/env bash
# Builds the pinned Kubo into .build/kubo/ipfs: minutes the first time, a second when Go's cache
# is warm. go.mod and go.sum here fix every module; nothing is taken that they do not name.
# An operator needs none of this: the published binary or image serves as well.
set -euo pipefail
cd "$(dirname "$0")"

if ! command -v go >/dev/null 2>&1; then
    echo "Go 1.26.5 or newer is needed to build Kubo; the Kubo tests skip without it," >&2
    echo "or take any ipfs binary from \$IPFS_BINARY or PATH." >&2
    exit 1
fi

target="$(cd ../.. && pwd)/.build/kubo"
mkdir -p "$target"
GOBIN="$target" GOWORK=off go install -mod=readonly github.com/ipfs/kubo/cmd/ipfs
"$target/ipfs" version
