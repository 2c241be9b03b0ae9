#!/bin/sh
# npm's `postinstall` of the checkout: sees that the Node that comes with it starts. Since 25 it asks for libatomic.so.1,
# which a bare Debian does not have; then it is started with the one that lies here (see atomic.c).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
modules=$here/../../node_modules
node=$modules/.bin/node

# A package was left out, or the machine has Node by other means.
[ -e "$node" ] || exit 0
if said=$("$node" --version 2>&1); then exit 0; fi

for processor in x64 arm64; do
  package=$modules/node-linux-$processor
  [ -e "$package/bin/node" ] || continue
  mkdir -p "$package/lib"
  cp "$here/libatomic-$processor.so" "$package/lib/libatomic.so.1"
  LD_LIBRARY_PATH=$package/lib "$package/bin/node" --version >/dev/null 2>&1 || continue
  rm "$node"
  cat >"$node" <<-START
	#!/bin/sh
	package=\$(dirname "\$(readlink -f "\$0")")/../node-linux-$processor
	LD_LIBRARY_PATH=\$package/lib\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH} exec "\$package/bin/node" "\$@"
	START
  chmod +x "$node"
  exit 0
done

echo "Node.js does not start on this machine: $said" >&2
echo 'On Debian, `apt-get install libatomic1 libstdc++6` brings what it asks for.' >&2
exit 1
