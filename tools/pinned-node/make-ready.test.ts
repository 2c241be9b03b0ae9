import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cp, mkdir, realpath, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pinnedNode } from '../../test/support/server.ts';
import { type TemporaryFolder, temporaryFolder } from '../../test/support/temporary-folder.ts';

const PACKAGE = `node-linux-${process.arch}`;

/** A checkout's folders after `npm ci`, with a Node of the test's. */
async function checkoutWith(makeNode: (path: string) => Promise<void>): Promise<TemporaryFolder> {
  const folder = await temporaryFolder('gantry-pinned-');
  await cp(import.meta.dirname, join(folder.path, 'tools', 'pinned-node'), { recursive: true });
  const modules = join(folder.path, 'node_modules');
  await mkdir(join(modules, PACKAGE, 'bin'), { recursive: true });
  await mkdir(join(modules, '.bin'));
  await makeNode(join(modules, PACKAGE, 'bin', 'node'));
  await symlink(join('..', PACKAGE, 'bin', 'node'), join(modules, '.bin', 'node'));
  return folder;
}

function run(command: string, words: readonly string[], env: Record<string, string> = {}) {
  return spawnSync(command, words, { encoding: 'utf8', env: { PATH: process.env.PATH, ...env } });
}

const makeReady = ({ path }: TemporaryFolder) => run('sh', [join(path, 'tools', 'pinned-node', 'make-ready.sh')]);
const nodeOf = ({ path }: TemporaryFolder) => join(path, 'node_modules', '.bin', 'node');

/** Starts as the dynamic linker lets it: when it finds the library where it is told to look. */
const NEEDS_LIBRARY = `#!/bin/sh
for folder in $(echo "$LD_LIBRARY_PATH" | tr : ' '); do
  [ ! -s "$folder/libatomic.so.1" ] || { echo "started with $*" && exit 0; }
done
echo 'cannot open shared object file' >&2
exit 127
`;

/** Runs a command where nobody finds the machine's libatomic; it says why it cannot. */
const HIDING = [
  '-m',
  'sh',
  '-c',
  'for f in $(ldconfig -p | sed -n "s/.*libatomic.so.1.*=> //p"); do mount --bind /dev/null "$(readlink -f "$f")" || exit 77; done; "$@"',
  'sh',
];
const withoutHiding =
  process.platform !== 'linux' || process.getuid?.() !== 0 || run('unshare', [...HIDING, 'true']).status !== 0
    ? 'only root of a Linux that lets it may hide a library'
    : false;

describe('the Node of the checkout', {
  skip: process.platform !== 'linux' && 'Linux alone has dynamic libraries so',
}, () => {
  it('is started with a library that the machine does not have', async () => {
    await using folder = await checkoutWith((path) => writeFile(path, NEEDS_LIBRARY, { mode: 0o755 }));
    assert.equal(run(nodeOf(folder), []).status, 127);
    const { status, stderr } = makeReady(folder);
    assert.equal(status, 0, stderr);
    assert.equal(run(nodeOf(folder), ['a b', 'c']).stdout, 'started with a b c\n');
    assert.equal(run(nodeOf(folder), [], { LD_LIBRARY_PATH: '/elsewhere' }).stdout, 'started with \n');
    assert.equal(makeReady(folder).status, 0);
  });

  it('stays as it is where it starts, and says what is missing where nothing helps', async () => {
    await using starts = await checkoutWith((path) => writeFile(path, '#!/bin/sh\necho fine\n', { mode: 0o755 }));
    assert.equal(makeReady(starts).status, 0);
    assert.equal(await realpath(nodeOf(starts)), join(starts.path, 'node_modules', PACKAGE, 'bin', 'node'));
    const broken = '#!/bin/sh\necho "no such processor" >&2\nexit 1\n';
    await using fails = await checkoutWith((path) => writeFile(path, broken, { mode: 0o755 }));
    const { status, stderr } = makeReady(fails);
    assert.equal(status, 1);
    assert.match(stderr, /^Node\.js does not start on this machine: no such processor\n.*libatomic1/);
  });

  it('runs programs on a machine without the library', { skip: withoutHiding }, async () => {
    await using folder = await checkoutWith(async (path) => symlink(await realpath(pinnedNode), path));
    const hidden = (...words: readonly string[]) => run('unshare', [...HIDING, ...words]);
    assert.notEqual(hidden(nodeOf(folder), '--version').status, 0);
    assert.equal(hidden('sh', join(folder.path, 'tools', 'pinned-node', 'make-ready.sh')).status, 0);
    const program = 'Promise.all([1, 2].map((n) => new Promise((done) => setTimeout(done, n, n)))).then(console.log)';
    const { stdout, stderr } = hidden(nodeOf(folder), '-e', program);
    assert.equal(stdout, '[ 1, 2 ]\n', stderr);
  });
});
