import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import type { ImageInventory } from '../../../core/scanning/inventory.ts';
import { createTrivyScanner, type TrivyOptions } from './trivy-scanner.ts';

const UPDATED_AT = '2026-01-02T03:04:05.000Z';

const image: ImageInventory = {
  osRelease: { id: 'rocky', versionId: '9.3', name: 'Rocky Linux 9.3' },
  packages: [
    {
      type: 'rpm',
      name: 'openssl-libs',
      version: '1:3.0.7-24.el9',
      source: { name: 'openssl', version: '1:3.0.7-24.el9' },
      path: 'var/lib/rpm/rpmdb.sqlite',
    },
    { type: 'npm', name: 'lodash', version: '4.17.20', path: 'app/node_modules/lodash/package.json' },
  ],
  unread: [],
};

const REPORT = JSON.stringify({
  SchemaVersion: 2,
  Results: [
    {
      Class: 'lang-pkgs',
      Vulnerabilities: [
        {
          VulnerabilityID: 'CVE-2021-23337',
          VendorIDs: ['GHSA-35jh-r3h4-6jhm'],
          PkgIdentifier: { BOMRef: 'package-1' },
          FixedVersion: '3.0.1, 4.17.21, 5.0.0',
          PrimaryURL: 'https://advisories.example/1',
          Title: 'Command injection',
          Severity: 'HIGH',
          CVSS: {
            ghsa: { V3Vector: 'CVSS:3.1/AV:L', V3Score: 9 },
            nvd: { V2Vector: 'AV:N', V2Score: 6.5, V3Vector: 'CVSS:3.1/AV:N', V3Score: 7.2 },
          },
        },
      ],
    },
    { Class: 'custom', Vulnerabilities: null },
  ],
});
const REPORT_OF_OTHERS = JSON.stringify({
  SchemaVersion: 2,
  Results: [{ Vulnerabilities: [{ VulnerabilityID: 'CVE-2021-1', PkgRef: 'package-7' }] }],
});

/** Programs that behave as Trivy does at its worst; what Trivy itself says is tried in test/clients. */
describe('a scan by Trivy', () => {
  it('gives Trivy the packages and has its findings be those of the packages', async () => {
    await using world = await worldOf(
      `for last; do :; done; cp "$last" "$(dirname "$0")/given"; cat <<'END'\n${REPORT}\nEND`,
    );
    const { findings, doubts } = await world.match();
    assert.deepEqual(doubts, ['Trivy does not judge the 1 packages of Rocky Linux 9.3']);
    assert.deepEqual(findings, [
      {
        name: 'CVE-2021-23337',
        recordId: 'CVE-2021-23337',
        aliases: ['GHSA-35jh-r3h4-6jhm'],
        summary: 'Command injection',
        uri: 'https://advisories.example/1',
        severity: 'HIGH',
        cvss: { version: '3.1', vector: 'CVSS:3.1/AV:N', score: 7.2 },
        package: image.packages[1],
        fixedVersion: '4.17.21',
        modifiedAt: new Date(UPDATED_AT),
      },
    ]);
    const given = JSON.parse(await readFile(join(world.folder, 'given'), 'utf8'));
    assert.deepEqual(given.components[1].properties, [
      { name: 'aquasecurity:trivy:SrcName', value: 'openssl' },
      { name: 'aquasecurity:trivy:SrcVersion', value: '3.0.7' },
      { name: 'aquasecurity:trivy:SrcRelease', value: '24.el9' },
      { name: 'aquasecurity:trivy:SrcEpoch', value: '1' },
    ]);
    assert.deepEqual(await readdir(world.temporaryFolder), []);
  });

  const failures: readonly (readonly [
    what: string,
    script: string,
    reason: RegExp,
    options?: Partial<TrivyOptions>,
  ])[] = [
    ['says no JSON', 'echo no', /is no JSON/],
    ['says something of another form', `echo '{"SchemaVersion":1}'`, /of another form than 2: 1/],
    ['says null', 'echo null', /of another form/],
    ['names other packages', `echo '${REPORT_OF_OTHERS}'`, /that it was not asked about: "package-7"/],
    [
      'fails',
      'printf "2026\\t\\033[31mFATAL\\033[0m\\tout of luck\\n" >&2; exit 3',
      /^Trivy ended with 3: out of luck$/,
    ],
    ['is killed', 'kill -KILL $$', /ended by SIGKILL, perhaps for want of memory/],
    ['says too much', 'cat /dev/zero', /more than 1000 bytes/, { outputBytesMax: 1000 }],
    ['takes too long', 'sleep 1000', /longer than 1 seconds/, { timeoutSeconds: 1 }],
  ];
  for (const [what, script, reason, options] of failures) {
    it(`fails where the program ${what}`, async () => {
      await using world = await worldOf(script, options);
      await assert.rejects(world.match(), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'scanner-failed');
        assert.match(error.message, reason);
        return true;
      });
      assert.deepEqual(await readdir(world.temporaryFolder), []);
    });
  }

  it('leaves no process behind of one that takes too long', async () => {
    await using world = await worldOf('sleep 1000 & echo $! > "$(dirname "$0")/pid"; wait', { timeoutSeconds: 2 });
    await assert.rejects(world.match(), /longer than 2 seconds/);
    const pid = Number(await readFile(join(world.folder, 'pid'), 'utf8'));
    for (let tries = 0; tries < 500 && (await isThere(pid)); tries += 1) await sleep(20);
    assert.equal(await isThere(pid), false);
  });

  it('finds the package by its name, version and file where a server has dropped the reference', async () => {
    const report = JSON.stringify({
      SchemaVersion: 2,
      Results: [
        {
          Vulnerabilities: [{ VulnerabilityID: 'CVE-1', PkgName: 'openssl-libs', InstalledVersion: '1:3.0.7-24.el9' }],
        },
        {
          Vulnerabilities: [
            {
              VulnerabilityID: 'CVE-2',
              PkgName: 'lodash',
              InstalledVersion: '4.17.20',
              PkgPath: 'app/node_modules/lodash/package.json',
            },
          ],
        },
      ],
    });
    await using world = await worldOf(`echo '${report}'`);
    const { findings } = await world.match();
    assert.deepEqual(
      findings.map((finding) => [finding.name, finding.package]),
      [
        ['CVE-1', image.packages[0]],
        ['CVE-2', image.packages[1]],
      ],
    );
  });

  it('says what makes a database where there is none', async () => {
    await using world = await worldOf('exit 0');
    const { scanner } = world.with({ cacheFolder: '/nowhere/trivy' });
    assert.equal(await scanner.data(), undefined);
    await assert.rejects(scanner.match(image), {
      code: 'no-database',
      message: /`trivy image --download-db-only --cache-dir \/nowhere\/trivy` fetches it/,
    });
  });
});

/** A scanner whose program is a script. */
async function worldOf(script: string, options: Partial<TrivyOptions> = {}) {
  const { path: folder, [Symbol.asyncDispose]: remove } = await temporaryFolder();
  const binary = join(folder, 'trivy');
  const spare = join(folder, 'temporary');
  await mkdir(join(folder, 'db'));
  await mkdir(spare);
  await writeFile(join(folder, 'db', 'metadata.json'), JSON.stringify({ UpdatedAt: UPDATED_AT }));
  await writeFile(binary, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const withOptions = (more: Partial<TrivyOptions>) => ({
    scanner: createTrivyScanner({
      trivy: { binary, cacheFolder: folder, ...options, ...more },
      temporaryFolder: spare,
    }),
  });
  return {
    folder,
    temporaryFolder: spare,
    with: withOptions,
    match: () => withOptions({}).scanner.match(image),
    [Symbol.asyncDispose]: remove,
  };
}

async function isThere(pid: number): Promise<boolean> {
  const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // Dead, and not yet taken note of by whoever must.
  return state !== undefined && !/\) Z /.test(state);
}
