import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { type LayerInventory, mergeInventories } from '../../../core/scanning/inventory.ts';
import { ScanError } from '../../../core/scanning/scanner.ts';
import { inventoryLayer } from './inventory-layer.ts';
import { layerLimits } from './layers/layer-limits.ts';
import { inPieces, type SomeEntry, someArchive } from './layers/some-archive.ts';
import { someGoProgram, someRpmDatabase, someZip } from './some-files.ts';

const MEDIA_TYPE = 'application/vnd.oci.image.layer.v1.tar+gzip';

async function layerOf(
  entries: readonly SomeEntry[],
  limits = layerLimits,
  mediaType = MEDIA_TYPE,
): Promise<LayerInventory> {
  await using folder = await temporaryFolder();
  const chunks = inPieces(gzipSync(someArchive(entries)), 3000);
  const inventory = await inventoryLayer({ mediaType, chunks }, { limits, temporaryFolder: folder.path });
  assert.deepEqual(await readdir(folder.path), [], 'nothing stays behind');
  return inventory;
}

/** `name version` of all packages of an image with these layers, with the source behind a slash. */
async function packagesOf(...layers: readonly (readonly SomeEntry[])[]): Promise<string[]> {
  const inventories = await Promise.all(layers.map((entries) => layerOf(entries)));
  return mergeInventories(JSON.parse(JSON.stringify(inventories)))
    .packages.map(
      ({ name, version, source }) => `${name} ${version}${source ? ` / ${source.name} ${source.version}` : ''}`,
    )
    .sort();
}

const dpkgStatus = `Package: libc6
Status: install ok installed
Architecture: amd64
Source: glibc
Version: 2.36-9+deb12u4
Description: a library
 Version: not this
 .

Package: bash
Status: install ok installed
Source: bash (5.2.15-2)
Version: 5.2.15-2+b2

Package: gone
Status: deinstall ok config-files
Version: 1.0

Package: zlib1g
Status: install ok unpacked
Version: 1:1.2.13.dfsg-1
Source: zlib
`;

const node = (name: string, version: string) => JSON.stringify({ name, version });
const program = { mode: 0o755, type: '0' };

const ONLY_SQLITE = 'and only those of SQLite are read (rpm 4.16 and later)';

describe('the inventory of a layer', () => {
  it("has what dpkg has installed, also in distroless images' folder", async () => {
    assert.deepEqual(await packagesOf([{ name: 'var/lib/dpkg/status', bytes: dpkgStatus }]), [
      'bash 5.2.15-2+b2 / bash 5.2.15-2',
      'libc6 2.36-9+deb12u4 / glibc 2.36-9+deb12u4',
      'zlib1g 1:1.2.13.dfsg-1 / zlib 1:1.2.13.dfsg-1',
    ]);
    const distroless = [
      { name: 'var/lib/dpkg/status.d/tzdata', bytes: 'Package: tzdata\nVersion: 2024a-0+deb12u1\n' },
      { name: 'var/lib/dpkg/status.d/tzdata.md5sums', bytes: 'Package: no\nVersion: 1\n' },
    ];
    assert.deepEqual(await packagesOf(distroless), ['tzdata 2024a-0+deb12u1']);
  });

  it('has what apk has installed', async () => {
    const installed =
      'C:Q1\nP:libcrypto3\nV:3.1.4-r5\nA:x86_64\no:openssl\nF:lib\n\nP:musl\nV:1.2.4_git20230717-r4\no:musl\n';
    const expected = ['libcrypto3 3.1.4-r5 / openssl 3.1.4-r5', 'musl 1.2.4_git20230717-r4'];
    assert.deepEqual(await packagesOf([{ name: 'lib/apk/db/installed', bytes: installed }]), expected);
    assert.deepEqual(await packagesOf([{ name: './usr/lib/apk/db/installed', bytes: installed }]), expected);
  });

  it('has what rpm has installed', async () => {
    const database = someRpmDatabase([
      { name: 'openssl-libs', version: '3.0.7', release: '27.el9', epoch: 1, source: 'openssl-3.0.7-27.el9.src.rpm' },
      { name: 'bash', version: '5.1.8', release: '9.el9', epoch: 0, source: 'bash-5.1.8-9.el9.src.rpm' },
      { name: 'gpg-pubkey', version: 'fd431d51', release: '4ae0493b' },
    ]);
    assert.deepEqual(await packagesOf([{ name: 'var/lib/rpm/rpmdb.sqlite', bytes: database }]), [
      'bash 5.1.8-9.el9',
      'openssl-libs 1:3.0.7-27.el9 / openssl 1:3.0.7-27.el9',
    ]);
  });

  it('runs nothing that a database asks for, and says what it cannot read', async () => {
    const endless =
      "with recursive n(i, blob) as (select 1, x'00' union all select i + 1, blob from n) select * from n";
    const view = someRpmDatabase([], `create view Packages as ${endless}`);
    const broken = someRpmDatabase([{ name: 'a', version: '1', release: '1' }]).fill(0xff, 5000);
    for (const bytes of [view, broken, Buffer.from('no database')]) {
      const { files } = await layerOf([{ name: 'usr/lib/sysimage/rpm/rpmdb.sqlite', bytes }]);
      assert.deepEqual(files[0]!.packages, []);
      assert.match(files[0]!.unread ?? '', /cannot be read/);
    }
    const old = mergeInventories([await layerOf([{ name: 'var/lib/rpm/Packages', bytes: 'berkeley' }])]);
    assert.deepEqual(old.unread, [
      { path: 'var/lib/rpm/Packages', reason: `rpm's database is one of Berkeley DB, ${ONLY_SQLITE}` },
    ]);
  });

  it('has packages of Node and Python', async () => {
    const layer = [
      { name: 'app/package.json', bytes: node('app', '1.0.0') },
      { name: 'app/node_modules/lodash/package.json', bytes: node('lodash', '4.17.20') },
      { name: 'app/node_modules/@a/b/package.json', bytes: node('@a/b', '2.0.0') },
      { name: 'app/node_modules/lodash/test/package.json', bytes: node('no', '1.0.0') },
      { name: 'app/node_modules/broken/package.json', bytes: '{' },
      { name: 'app/node_modules/null/package.json', bytes: 'null' },
      {
        name: 'usr/local/lib/python3.12/site-packages/Flask-2.0.dist-info/METADATA',
        bytes: `Metadata-Version: 2.1\r\nName: Flask\r\nVersion: 2.0\r\n\r\nName: no\nVersion: 1\n${'x'.repeat(400_000)}`,
      },
      { name: 'usr/lib/x/six.egg-info', bytes: 'Name: six\nVersion: 1.16.0\n' },
      { name: 'usr/lib/x/y.egg-info/PKG-INFO', bytes: 'Name: y\nVersion: 3\n' },
    ];
    assert.deepEqual(await packagesOf(layer), ['@a/b 2.0.0', 'Flask 2.0', 'lodash 4.17.20', 'six 1.16.0', 'y 3']);
  });

  it('has the modules of programs made with Go', async () => {
    const modules = [
      'path\texample.com/app',
      'mod\texample.com/app\t(devel)\t',
      'dep\tgolang.org/x/net\tv0.7.0\th1:x=',
      'dep\texample.com/old\tv1.0.0\th1:x=',
      '=>\texample.com/new\tv1.1.0\th1:x=',
      'dep\texample.com/folder\tv1.0.0\th1:x=',
      '=>\t./folder\t\t',
      'build\t-compiler=gc',
    ];
    const expected = ['example.com/new v1.1.0', 'golang.org/x/net v0.7.0', 'stdlib 1.21.3'];
    const behind = someGoProgram('go1.21.3', modules, { at: 700_000 });
    assert.deepEqual(await packagesOf([{ name: 'app', ...program, bytes: behind }]), expected);
    const candidate = someGoProgram('go1.22rc1 X:loopvar', modules.slice(0, 3));
    assert.deepEqual(await packagesOf([{ name: 'app', ...program, bytes: candidate }]), [
      'golang.org/x/net v0.7.0',
      'stdlib 1.22-rc1',
    ]);
    assert.deepEqual(await packagesOf([{ name: 'app', bytes: behind }]), [], 'it cannot be run');
    const old = await layerOf([{ name: 'app', ...program, bytes: someGoProgram('go1.17', modules, { flags: 0 }) }]);
    assert.match(old.files[0]!.unread ?? '', /Go before 1\.18/);
    const torn = await layerOf([{ name: 'app', ...program, bytes: behind.subarray(0, 66_000) }]);
    assert.deepEqual(torn.files, []);
  });

  it('has the artifacts of jars, and of jars within', async () => {
    const pom = (group: string, artifact: string, version: string) => ({
      [`META-INF/maven/${group}/${artifact}/pom.properties`]: `#made\nversion=${version}\ngroupId=${group}\nartifactId=${artifact}\n`,
    });
    const inner = someZip(pom('org.inner', 'two', '2.0'));
    const outer = someZip({ ...pom('org.outer', 'one', '1.0'), 'BOOT-INF/lib/two.jar': inner, 'x.jar': 'none' }, false);
    assert.deepEqual(await packagesOf([{ name: 'opt/app.jar', bytes: outer }]), [
      'org.inner:two 2.0',
      'org.outer:one 1.0',
    ]);
    const { files } = await layerOf([{ name: 'opt/broken.war', bytes: 'PK' }]);
    assert.match(files[0]!.unread ?? '', /archive cannot be read/);
    const bomb = someZip({ 'META-INF/maven/a/b/pom.properties': Buffer.alloc(10_000_000) });
    assert.match((await layerOf([{ name: 'b.jar', bytes: bomb }])).files[0]!.unread ?? '', /10000000 bytes/);
  });

  it('says which system it is', async () => {
    const layers = [
      [{ name: 'usr/lib/os-release', bytes: 'PRETTY_NAME="Debian GNU/Linux 12"\nID=debian\nVERSION_ID="12"\n' }],
      [{ name: 'etc/os-release', type: '2', linkName: '../usr/lib/os-release' }],
    ];
    const merged = mergeInventories(await Promise.all(layers.map((entries) => layerOf(entries))));
    assert.deepEqual(merged.osRelease, { id: 'debian', versionId: '12', name: 'Debian GNU/Linux 12' });
  });

  it('is refused what is no layer, or says too much', async () => {
    const refused = (code: string, ...given: Parameters<typeof layerOf>) =>
      assert.rejects(layerOf(...given), (error) => error instanceof ScanError && error.code === code);
    await refused('unsupported-media-type', [], layerLimits, 'application/vnd.cncf.helm.chart.content.v1.tar+gzip');
    const many = Array.from({ length: 20 }, (_, at) => ({ name: `.wh.${at}` }));
    await refused('too-many-entries', many, { ...layerLimits, recordsMax: 10 });
    for (const name of ['a/.wh.', 'a/.wh..', '.wh...']) await refused('hostile-path', [{ name }]);
    await refused('hostile-path', [{ name: 'a/../../.wh.x' }]);
  });

  it('can be of every media type of layers', async () => {
    const oci = ['v1.tar', 'v1.tar+gzip', 'v1.tar+zstd', 'nondistributable.v1.tar+gzip'];
    const types = [
      ...oci.map((end) => `application/vnd.oci.image.layer.${end}`),
      'application/vnd.docker.image.rootfs.diff.tar.gzip',
      'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
    ];
    for (const type of types) assert.deepEqual((await layerOf([], layerLimits, type)).files, [], type);
  });
});

describe('the inventory of an image', () => {
  const lodash = { name: 'app/node_modules/lodash/package.json', bytes: node('lodash', '4.17.20') };
  const ms = { name: 'app/node_modules/ms/package.json', bytes: node('ms', '2.0.0') };
  const tool = { name: 'bin/tool', ...program, bytes: someGoProgram('go1.21.3', []) };
  const both = ['lodash 4.17.20', 'ms 2.0.0'];

  it('is that of all layers, and a later file replaces an earlier', async () => {
    assert.deepEqual(await packagesOf([lodash], [ms]), both);
    assert.deepEqual(await packagesOf([lodash, ms], [{ ...lodash, bytes: node('lodash', '4.17.21') }]), [
      'lodash 4.17.21',
      'ms 2.0.0',
    ]);
    assert.deepEqual(await packagesOf([lodash, ms], [{ ...lodash, bytes: '{' }]), ['ms 2.0.0']);
  });

  it('has nothing that a whiteout takes away', async () => {
    assert.deepEqual(await packagesOf([lodash, ms], [{ name: 'app/node_modules/.wh.lodash' }]), ['ms 2.0.0']);
    assert.deepEqual(await packagesOf([lodash, ms], [{ name: '.wh.app' }]), []);
    assert.deepEqual(await packagesOf([lodash, ms], [{ name: 'app/.wh.node' }]), both);
    assert.deepEqual(await packagesOf([lodash, tool], [{ name: 'bin/.wh.tool' }]), ['lodash 4.17.20']);
  });

  it('has nothing of a folder that is opaque but what the layer itself has', async () => {
    const opaque = { name: 'app/node_modules/.wh..wh..opq' };
    assert.deepEqual(await packagesOf([lodash], [ms, opaque]), ['ms 2.0.0']);
    assert.deepEqual(await packagesOf([lodash], [opaque, ms]), ['ms 2.0.0']);
    assert.deepEqual(await packagesOf([lodash, ms], [{ name: '.wh..wh..opq' }]), []);
    assert.deepEqual(await packagesOf([lodash], [{ name: 'app/.wh..wh.plnk/x' }]), ['lodash 4.17.20']);
  });

  it('has what comes back after it was taken away', async () => {
    assert.deepEqual(await packagesOf([lodash], [{ name: '.wh.app' }], [lodash]), ['lodash 4.17.20']);
  });

  it('has nothing that a link or another program replaces', async () => {
    assert.deepEqual(await packagesOf([tool], [{ name: 'bin/tool', type: '2', linkName: 'other' }]), []);
    assert.deepEqual(await packagesOf([tool], [{ name: 'bin/tool', ...program, bytes: '#!/bin/sh' }]), []);
    assert.deepEqual(await packagesOf([lodash], [{ name: 'app/node_modules', type: '2', linkName: '/x' }]), []);
    assert.deepEqual(await packagesOf([tool], [{ name: 'bin/tools', ...program, bytes: '' }]), ['stdlib 1.21.3']);
    assert.deepEqual(await packagesOf([tool, { name: 'bin/tool', type: '2', linkName: 'x' }]), [], 'in one layer');
  });
});
