#!/usr/bin/env bash
# Makes libatomic-x64.so and libatomic-arm64.so of atomic.c; needs gcc for both processors:
#   apt-get install gcc gcc-aarch64-linux-gnu
set -euo pipefail
cd "$(dirname "$0")"

versions=$(mktemp)
trap 'rm -f "$versions"' EXIT
echo 'LIBATOMIC_1.0 { global: __atomic_compare_exchange; local: *; };' >"$versions"

build() { # COMPILER NAME OPTION…
  "$1" -O2 -Wall -Wextra -Werror -std=gnu11 "${@:3}" -shared -fPIC -ffreestanding -fno-tree-loop-distribute-patterns \
    -fno-asynchronous-unwind-tables -nostdlib -s -Wl,-soname,libatomic.so.1 -Wl,--version-script="$versions" \
    -Wl,--build-id=none -Wl,-z,defs -Wl,-z,noexecstack -Wl,-z,norelro -Wl,-z,noseparate-code \
    -o "libatomic-$2.so" atomic.c
}

build x86_64-linux-gnu-gcc x64
build aarch64-linux-gnu-gcc arm64 -mno-outline-atomics
