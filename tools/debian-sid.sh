#!/usr/bin/env bash
# debian-sid.sh FOLDER PACKAGE…
# Unpacks the programs of Debian sid's present packages into FOLDER (FOLDER/usr/bin/…) and installs nothing.
# For static Go programs, which need nothing else of sid. Needs apt and dpkg-deb, but neither root nor apt's own state.
# A package that cannot be had is named; the exit code then is 3. What is there already is not fetched again.
set -euo pipefail

folder=${1:?usage: debian-sid.sh FOLDER PACKAGE...}
shift
mkdir -p "$folder"
folder=$(realpath "$folder")
state=$folder/.apt
mkdir -p "$state/lists/partial" "$state/archives/partial" "$folder/.have"

archive() { # the mirror of Debian proper that this machine is set up with
  apt-get indextargets --format '$(REPO_URI) $(ORIGIN)' 'Created-By: Packages' 2>/dev/null |
    awk '$2 == "Debian" && $1 !~ /security/ { print $1; exit }'
}

configure() {
  local mirror keyring=/usr/share/keyrings/debian-archive-keyring.gpg signed=''
  mirror=$(archive)
  if [ -z "$mirror" ]; then
    echo 'debian-sid.sh: apt knows no archive of Debian yet; run apt-get update first' >&2
    exit 3
  fi
  [ -z "$(ls "$keyring" 2>/dev/null)" ] || signed="[signed-by=$keyring] "
  echo "deb ${signed}$mirror sid main" >"$state/sources.list"
  cat >"$state/apt.conf" <<-CONF
	Dir::Etc::sourcelist "$state/sources.list";
	Dir::Etc::sourceparts "-";
	Dir::State::lists "$state/lists";
	Dir::State::status "/dev/null";
	Dir::Cache "$state";
	Dir::Cache::archives "$state/archives";
	APT::Sandbox::User "";
	Acquire::Languages "none";
	CONF
  export APT_CONFIG=$state/apt.conf
}

fetch() {
  local package=$1
  rm -f "$state/archives/$package"_*.deb
  (cd "$state/archives" && timeout 300 apt-get -qq download "$package") || return 1
  dpkg-deb --extract "$state/archives/$package"_*.deb "$folder"
  rm -f "$state/archives/$package"_*.deb
  touch "$folder/.have/$package"
}

missing=0
updated=''
for package in "$@"; do
  [ ! -e "$folder/.have/$package" ] || continue
  if [ -z "$updated" ]; then
    configure
    timeout 300 apt-get -qq update || true
    updated=yes
  fi
  if ! fetch "$package"; then
    echo "debian-sid.sh: $package cannot be had" >&2
    missing=3
  fi
done
exit "$missing"
