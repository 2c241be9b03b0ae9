import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import type { Finding } from '../../../core/scanning/finding.ts';
import { type ImageInventory, mergeInventories } from '../../../core/scanning/inventory.ts';
import type { InstalledPackage } from '../../../core/scanning/package.ts';
import { ScanError } from '../../../core/scanning/scanner.ts';
import { createBuiltinScanner } from './builtin-scanner.ts';
import { inPieces, someArchive } from './layers/some-archive.ts';
import { someZip } from './some-files.ts';
import { debianRecords, type SomeRecord, someRecord } from './some-records.ts';
import { importOsv } from './vulnerabilities/import-osv.ts';
import { VulnerabilityDatabase } from './vulnerabilities/vulnerability-database.ts';

/** A scanner with these records. */
async function scannerWith(records: readonly unknown[]) {
  const folder = await temporaryFolder();
  const databaseFile = join(folder.path, 'vulnerabilities.sqlite');
  const scanner = createBuiltinScanner({ databaseFile, temporaryFolder: folder.path });
  const add = async (more: readonly unknown[]) => {
    await writeFile(join(folder.path, 'records.json'), JSON.stringify(more));
    using database = new VulnerabilityDatabase(databaseFile);
    return await importOsv(database, [join(folder.path, 'records.json')]);
  };
  await add(records);
  return {
    scanner,
    add,
    folder: folder.path,
    databaseFile,
    async [Symbol.asyncDispose]() {
      scanner[Symbol.dispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

function image(
  packages: readonly (InstalledPackage & { path?: string })[],
  id = 'debian',
  versionId = '12',
): ImageInventory {
  return { osRelease: { id, versionId }, packages: packages.map((one) => ({ path: 'x', ...one })), unread: [] };
}

const names = (findings: readonly Finding[]) =>
  findings.map(({ name, package: { name: of }, fixedVersion = '' }) => `${name} ${of} ${fixedVersion}`).sort();

describe('the scanner with a database of its own', () => {
  it('says of an image what the changelogs of its packages say', async () => {
    await using given = await scannerWith(debianRecords());
    const status = `Package: libcurl4\nStatus: install ok installed\nSource: curl\nVersion: 7.88.1-10+deb12u7\n
Package: curl\nStatus: install ok installed\nVersion: 7.88.1-10+deb12u15\n
Package: zlib1g\nStatus: install ok installed\nSource: zlib\nVersion: 1:1.2.13.dfsg-1\n
Package: libc6\nStatus: install ok installed\nSource: glibc (2.36-9+deb12u13)\nVersion: 2.36-9+deb12u14\n`;
    const archive = someArchive([
      { name: 'etc/os-release', bytes: 'ID=debian\nVERSION_ID="12"\n' },
      { name: 'var/lib/dpkg/status', bytes: status },
    ]);
    const mediaType = 'application/vnd.oci.image.layer.v1.tar';
    const layer = await given.scanner.readLayer({ mediaType, chunks: inPieces(archive) });
    const { findings, doubts } = await given.scanner.match(mergeInventories([layer]));
    assert.deepEqual(doubts, []);
    assert.deepEqual(names(findings), [
      'CVE-2024-8096 libcurl4 7.88.1-10+deb12u8',
      'CVE-2025-10148 libcurl4 7.88.1-10+deb12u15',
      'CVE-2026-0861 libc6 2.36-9+deb12u14',
    ]);
    assert.deepEqual(findings[0], {
      name: findings[0]!.name,
      recordId: `DEBIAN-${findings[0]!.name}`,
      aliases: [`DEBIAN-${findings[0]!.name}`],
      summary: 'What is wrong with curl',
      uri: `https://tracker.example/${findings[0]!.name}`,
      severity: 'UNDEFINED',
      package: {
        type: 'dpkg',
        name: 'libcurl4',
        version: '7.88.1-10+deb12u7',
        source: { name: 'curl', version: '7.88.1-10+deb12u7' },
        path: 'var/lib/dpkg/status',
      },
      fixedVersion: findings[0]!.fixedVersion,
      modifiedAt: new Date('2026-01-02T03:04:05Z'),
    });
  });

  it('has a finding for each weakness of each package, however many records say so', async () => {
    const vector = 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N';
    await using given = await scannerWith([
      someRecord('GHSA-1', 'npm', 'lodash', '4.17.21', { aliases: ['CVE-2021-23337'] }),
      someRecord('SNYK-1', 'npm', 'lodash', '4.17.21', {
        aliases: ['CVE-2021-23337'],
        severity: [{ type: 'CVSS_V3', score: vector }],
      }),
      someRecord('DSA-1', 'Debian:12', 'curl', '9', { upstream: ['CVE-2024-0001', 'CVE-2024-0002'] }),
      someRecord('GHSA-2', 'npm', 'lodash', '4.17.20'),
    ]);
    const { findings } = await given.scanner.match(
      image([
        { type: 'npm', name: 'lodash', version: '4.17.20' },
        { type: 'dpkg', name: 'curl', version: '8' },
      ]),
    );
    assert.deepEqual(names(findings), [
      'CVE-2021-23337 lodash 4.17.21',
      'CVE-2024-0001 curl 9',
      'CVE-2024-0002 curl 9',
    ]);
    const [lodash] = findings;
    assert.equal(lodash!.recordId, 'GHSA-1', 'rated as another record of the CVE is');
    assert.deepEqual(lodash!.cvss, { version: '3.1', vector, score: 7.5 });
    assert.equal(lodash!.severity, 'HIGH');
  });

  it('takes the word of the distribution before a score, and a score before the word of a record', async () => {
    const vector = (score: string) => ({ severity: [{ type: 'CVSS_V3', score }] });
    const critical = vector('CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H');
    const affected = (ecosystem: string, name: string, more: object) => ({
      affected: [{ package: { ecosystem, name }, versions: ['1'], ...more }],
    });
    await using given = await scannerWith([
      { id: 'CVE-2020-0001', modified: '2026-01-01', ...critical },
      someRecord('DEBIAN-CVE-2020-0001', 'Debian:12', 'scored', '2'),
      someRecord('DEBIAN-CVE-2020-0002', 'Debian:12', 'urgent', '2', {
        ...critical,
        ...affected('Debian:12', 'urgent', { ecosystem_specific: { urgency: 'unimportant' } }),
      }),
      someRecord('GHSA-3', 'npm', 'word', '2', { database_specific: { severity: 'MODERATE' } }),
      someRecord('GHSA-4', 'npm', 'both', '2', { ...critical, database_specific: { severity: 'LOW' } }),
      someRecord('GHSA-5', 'npm', 'new', '2', {
        ...vector('CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N'),
        database_specific: { severity: 'CRITICAL' },
      }),
    ]);
    const packages = ['scored', 'urgent'].map((name) => ({ type: 'dpkg', name, version: '1' }) as const);
    const modules = ['word', 'both', 'new'].map((name) => ({ type: 'npm', name, version: '1' }) as const);
    const { findings } = await given.scanner.match(image([...packages, ...modules]));
    assert.deepEqual(
      findings.map(({ package: { name }, severity }) => `${name} ${severity}`),
      ['scored CRITICAL', 'urgent INFORMATIONAL', 'word MEDIUM', 'both CRITICAL', 'new CRITICAL'],
    );
  });

  it("leaves languages' packages to the distribution that they came with", async () => {
    await using given = await scannerWith([someRecord('PYSEC-1', 'PyPI', 'requests', '99')]);
    const requests = { type: 'python', name: 'Requests', version: '2.28.1' } as const;
    const paths = ['usr/lib/python3/dist-packages/r/METADATA', 'usr/local/lib/python3.11/dist-packages/r/METADATA'];
    const { findings } = await given.scanner.match(
      image([{ type: 'dpkg', name: 'bash', version: '5' }, ...paths.map((path) => ({ ...requests, path }))]),
    );
    assert.deepEqual(
      findings.map(({ package: { path } }) => path),
      [paths[1]],
    );
    assert.equal((await given.scanner.match(image([{ ...requests, path: paths[0]! }]))).findings.length, 1);
  });

  it('knows at once what is imported while it runs', async () => {
    await using given = await scannerWith([someRecord('CVE-2024-1111', 'npm', 'a', '2')]);
    const one = image([{ type: 'npm', name: 'a', version: '1' }]);
    assert.deepEqual(names((await given.scanner.match(one)).findings), ['CVE-2024-1111 a 2']);
    const before = await given.scanner.data();
    const newer = { modified: '2026-02-01T00:00:00Z' };
    await given.add([
      someRecord('CVE-2024-1111', 'npm', 'a', '3', newer),
      someRecord('CVE-2024-2222', 'npm', 'a', '1.5', newer),
    ]);
    assert.deepEqual(names((await given.scanner.match(one)).findings), ['CVE-2024-1111 a 3', 'CVE-2024-2222 a 1.5']);
    const after = await given.scanner.data();
    assert.ok(after!.revision > before!.revision);
    assert.deepEqual([after!.records, after!.updatedAt], [2, new Date(newer.modified)]);

    const older = await given.add([someRecord('CVE-2024-1111', 'npm', 'a', '9', { modified: '2025-01-01T00:00:00Z' })]);
    assert.deepEqual(older, { records: 1, changed: 0, broken: [] });
    assert.equal((await given.scanner.data())!.revision, after!.revision);
    await given.add([
      someRecord('CVE-2024-1111', 'npm', 'a', '3', { modified: '2026-03-01', withdrawn: '2026-03-01' }),
    ]);
    assert.deepEqual(names((await given.scanner.match(one)).findings), ['CVE-2024-2222 a 1.5']);
  });

  it('says when there is nothing that it could know', async () => {
    await using folder = await temporaryFolder();
    const databaseFile = join(folder.path, 'none.sqlite');
    using scanner = createBuiltinScanner({ databaseFile });
    const refused = (code: string) =>
      assert.rejects(scanner.match(image([])), (error) => error instanceof ScanError && error.code === code);
    await refused('no-database');
    assert.equal(await scanner.data(), undefined);
    new VulnerabilityDatabase(databaseFile).close();
    await refused('no-database');
    using other = new DatabaseSync(databaseFile);
    other.exec('pragma user_version = 99');
    assert.throws(() => new VulnerabilityDatabase(databaseFile), /import anew/);
  });
});

describe('an import of records', () => {
  it('takes files, lines, archives and folders, and tells what is broken', async () => {
    await using folder = await temporaryFolder();
    const inner = join(folder.path, 'given', 'more');
    await mkdir(inner, { recursive: true });
    const text = (record: SomeRecord) => JSON.stringify(record);
    const [a, b, c, d, e] = ['1', '2', '3', '4', '5'].map((at) => someRecord(`CVE-2024-000${at}`, 'npm', 'a', '2'));
    await writeFile(join(inner, 'a.json'), text(a!));
    await writeFile(join(inner, 'ignored.txt'), 'no record');
    await writeFile(join(inner, '..', 'broken.json'), '{');
    await writeFile(join(inner, '..', 'lines.jsonl'), `${text(b!)}\n\n${text(c!)}\n{"id":"x"}\n`);
    const archive = someZip({ 'D.json': text(d!), 'torn.json': text(a!), 'E.json': text(e!), readme: 'x' });
    archive.fill(0xff, archive.indexOf('torn.json') + 9, archive.indexOf('torn.json') + 30);
    await writeFile(join(folder.path, 'all.zip'), archive);
    using database = new VulnerabilityDatabase(join(folder.path, 'db.sqlite'));
    const report = await importOsv(database, [join(folder.path, 'given'), join(folder.path, 'all.zip')]);
    assert.deepEqual([report.records, report.changed], [5, 5]);
    assert.deepEqual(report.broken.map((place) => place.slice(folder.path.length)).sort(), [
      '/all.zip:torn.json',
      '/given/broken.json',
      '/given/lines.jsonl:4',
    ]);
    assert.equal(database.find('npm', 'a').length, 5);
    await assert.rejects(importOsv(database, [join(folder.path, 'missing.json')]), /ENOENT/);
  });

  it('keeps of the listed versions those that no range says', async () => {
    await using folder = await temporaryFolder();
    using database = new VulnerabilityDatabase(join(folder.path, 'db.sqlite'));
    const ranges = [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '2.0' }] }];
    const affected = [{ package: { ecosystem: 'PyPI', name: 'A.b' }, ranges, versions: ['1.0', '1.5', '2.5'] }];
    await writeFile(join(folder.path, 'a.json'), JSON.stringify({ id: 'P-1', modified: '2026-01-01', affected }));
    await importOsv(database, [join(folder.path, 'a.json')]);
    assert.deepEqual(database.find('PyPI', 'a-b')[0]!.versions, ['2.5']);
  });
});
