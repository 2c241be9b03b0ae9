import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { inventoryLayer } from '../../src/drivers/scanners/builtin/inventory-layer.ts';
import { layerLimits } from '../../src/drivers/scanners/builtin/layers/layer-limits.ts';
import { findProgram, run } from '../support/programs.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const missing = ['rpm', 'rpmbuild', 'tar'].find((name) => findProgram(name) === undefined);

it('what rpm has installed is read as rpm lists it', {
  skip: missing && `${missing} is not on this machine`,
}, async () => {
  await using folder = await temporaryFolder();
  const root = join(folder.path, 'root');
  const database = join(root, 'var', 'lib', 'rpm');
  await build(folder.path);
  const rpm = ['rpm', '--define', '_db_backend sqlite', '--define', `_dbpath ${database}`];
  await run([
    'sh',
    '-c',
    'shift; "$@" -i --justdb --nodeps --ignorearch "$0"/*/*.rpm',
    join(folder.path, 'RPMS'),
    '',
    ...rpm,
  ]);
  const format = '%{NAME}|%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}|%{ARCH}|%{SOURCERPM}\\n';
  const listed = (await run([...rpm, '-qa', '--qf', format])).trim().split('\n').sort();
  assert.equal(listed.length, 4);
  const archive = join(folder.path, 'layer.tar');
  await run(['tar', '-C', root, '-cf', archive, '.']);
  const { files } = await inventoryLayer(
    { mediaType: 'application/vnd.oci.image.layer.v1.tar', chunks: createReadStream(archive) },
    { limits: layerLimits, temporaryFolder: tmpdir() },
  );
  const found = files.find(({ path }) => path === 'var/lib/rpm/rpmdb.sqlite');
  assert.equal(found?.unread, undefined);
  const read = found?.packages.map(({ name, version, architecture, source = { name, version } }) => {
    const sourceVersion = source.version.replace(/^\d+:/, '');
    return `${name}|${version}|${architecture}|${source.name}-${sourceVersion}.src.rpm`;
  });
  assert.deepEqual(read?.sort(), listed);
});

/** Packages with and without an epoch, two of one source, one of them with a version of its own. */
async function build(folder: string): Promise<void> {
  const spec = (name: string, version: string, more = '') =>
    `Name: ${name}\nVersion: ${version}\nRelease: 3.el9_4\nSummary: x\nLicense: MIT\n${more}\n%description\nx\n%files\n`;
  const specs = {
    plain: spec('plain', '1.2.3~rc1'),
    aged: spec('aged', '2.0^git1', 'Epoch: 2\nBuildArch: noarch'),
    parted: `${spec('parted', '4.5')}%package libs\nVersion: 4.6\nSummary: y\n%description libs\ny\n%files libs\n`,
  };
  for (const [name, text] of Object.entries(specs)) {
    const file = join(folder, `${name}.spec`);
    await writeFile(file, text);
    await run(['rpmbuild', '-bb', '--nodeps', '--define', `_topdir ${folder}`, file]);
  }
}
