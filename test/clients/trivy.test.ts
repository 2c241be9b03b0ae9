import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { awsCall } from '../support/aws-call.ts';
import { describeClient } from '../support/client.ts';
import { pushImage } from '../support/images.ts';
import { imageOfFiles } from '../support/scanned-images.ts';
import { checkout, pinnedNode, startServer } from '../support/server.ts';
import { writeTrivyDatabase } from './trivy-database.ts';
import { CHANGELOG_FIXES, filesOf, LODASH, RELEASE_NAMES } from './trivy-facts.ts';

const REPOSITORY = 'trivy/scanned';
const MODIFIED = '2026-01-02T03:04:05Z';
/** Trivy takes seconds to start, and more where much else is done. */
const SCAN_SECONDS = 240;

await describeClient('Trivy', { programs: ['trivy'], mustBeInCi: true }, (client) => {
  it('finds what the builtin scanner finds, of the same facts', async () => {
    const records = join(client.home, 'records.json');
    await writeFile(records, JSON.stringify(osvRecords()));
    const { url, data } = client.server;
    await client.run([pinnedNode, join(checkout, 'bin', 'gantry.js'), 'vulndb', 'import', records, '--data', data]);
    const cache = join(client.home, 'trivy');
    await writeTrivyDatabase(cache, trivyFacts());
    const args = ['--scanner', 'trivy', '--trivy-binary', client.program('trivy'), '--trivy-cache', cache];
    await using other = await startServer({ args });
    for (const release of RELEASE_NAMES) {
      const ours = await findingsOn(url, release);
      const theirs = await findingsOn(other.url, release);
      assert.ok(ours.length > 50, `${release}: only ${ours.length} findings`);
      assert.ok(ours.some((line) => line.includes('lodash')));
      assert.deepEqual(theirs, ours, release);
    }
  });

  it('finds the same by a server of Trivy, which asks for a token', async () => {
    const cache = join(client.home, 'served');
    await writeTrivyDatabase(cache, trivyFacts());
    const address = `127.0.0.1:${await freePort()}`;
    const token = randomUUID();
    const words = ['server', '--skip-db-update', '--cache-dir', cache, '--listen', address, '--token', token];
    const trivy = spawn(client.program('trivy'), words, { stdio: 'ignore', cwd: client.home });
    try {
      await until(async () => (await fetch(`http://${address}/healthz`)).ok);
      const args = [
        '--scanner',
        'trivy',
        '--trivy-binary',
        client.program('trivy'),
        '--trivy-server',
        `http://${address}`,
      ];
      await using other = await startServer({ args, env: { GANTRY_TRIVY_SERVER_TOKEN: token } });
      assert.deepEqual(await findingsOn(other.url, '12.5'), await findingsOn(client.server.url, '12.5'));
      await using stranger = await startServer({ args, env: { GANTRY_TRIVY_SERVER_TOKEN: randomUUID() } });
      const { status, description = '' } = (await scannedOn(stranger.url, '12.5')).imageScanStatus;
      assert.equal(status, 'FAILED');
      assert.match(description, /^Trivy ended with 1: .*GANTRY_TRIVY_SERVER_TOKEN/);
    } finally {
      trivy.kill('SIGKILL');
    }
  });

  it('fails a scan with what to do where Trivy or its database is not', async () => {
    const cache = join(client.home, 'none');
    const binary = client.program('trivy');
    await using withoutDatabase = await startServer({
      args: ['--scanner', 'trivy', '--trivy-binary', binary, '--trivy-cache', cache],
    });
    assert.equal(
      (await scannedOn(withoutDatabase.url, '12.1')).imageScanStatus.description,
      `Trivy has no vulnerability database: \`trivy image --download-db-only --cache-dir ${cache}\` fetches it.`,
    );
    const full = join(client.home, 'full');
    await writeTrivyDatabase(full, trivyFacts());
    await using withoutTrivy = await startServer({
      args: ['--scanner', 'trivy', '--trivy-binary', '/nowhere/trivy', '--trivy-cache', full],
    });
    assert.equal(
      (await scannedOn(withoutTrivy.url, '12.1')).imageScanStatus.description,
      "There is no program '/nowhere/trivy' that can be run: `--trivy-binary` says where Trivy is.",
    );
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let second = 0; second < SCAN_SECONDS; second += 1) {
    if (await isSo().catch(() => false)) return;
    await sleep(1000);
  }
  throw new Error('Trivy does not answer');
}

/** Each as one line, in order. */
async function findingsOn(url: string, release: string): Promise<string[]> {
  const { imageScanStatus, imageScanFindings } = await scannedOn(url, release);
  assert.equal(imageScanStatus.status, 'COMPLETE', imageScanStatus.description ?? '');
  const lines = imageScanFindings.findings.map(({ name, severity, attributes }) => {
    const named = attributes.filter(({ key }) => key === 'package_name' || key === 'package_version');
    return [name, severity, ...named.map(({ value }) => value)].join(' ');
  });
  return lines.sort();
}

interface Scanned {
  readonly imageScanStatus: { readonly status: string; readonly description?: string };
  readonly imageScanFindings: {
    readonly findings: readonly {
      readonly name: string;
      readonly severity: string;
      readonly attributes: readonly { readonly key: string; readonly value: string }[];
    }[];
  };
}

async function scannedOn(url: string, release: string): Promise<Scanned> {
  const image = { repositoryName: REPOSITORY, imageId: { imageTag: release } };
  // Refused where it is there already.
  await awsCall(url, 'CreateRepository', { repositoryName: REPOSITORY });
  await pushImage(url, REPOSITORY, release, imageOfFiles([filesOf(release)]));
  await awsCall(url, 'StartImageScan', image);
  for (let second = 0; second < SCAN_SECONDS; second += 1) {
    const scanned = (await awsCall(url, 'DescribeImageScanFindings', { ...image, maxResults: 1000 })).json() as Scanned;
    if (!['IN_PROGRESS', 'PENDING'].includes(scanned.imageScanStatus.status)) return scanned;
    await sleep(1000);
  }
  throw new Error(`${release} was not scanned within ${SCAN_SECONDS} seconds`);
}

/** The facts as OSV publishes them … */
function osvRecords(): object[] {
  const record = (id: string, cve: string, ecosystem: string, name: string, fixed: string, more: object = {}) => ({
    id,
    modified: MODIFIED,
    aliases: [cve],
    affected: [
      {
        package: { ecosystem, name },
        ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed }] }],
        ...more,
      },
    ],
  });
  return [
    ...facts().map(({ source, cve, fixed, urgency }) =>
      record(`DEBIAN-${cve}`, cve, 'Debian:12', source, fixed, { ecosystem_specific: { urgency } }),
    ),
    record('GHSA-35jh-r3h4-6jhm', LODASH.cve, 'npm', 'lodash', LODASH.fixed, {
      database_specific: { severity: 'HIGH' },
    }),
  ];
}

/** … and as Trivy keeps them. */
function trivyFacts() {
  const debian: Record<string, Record<string, object>> = {};
  for (const { source, cve, fixed, urgency } of facts()) {
    debian[source] = { ...debian[source], [cve]: { FixedVersion: fixed, Severity: SEVERITIES.indexOf(urgency) } };
  }
  return {
    advisories: {
      'debian 12': debian,
      'npm::GitHub Security Advisory Npm': {
        lodash: { [LODASH.cve]: { PatchedVersions: [LODASH.fixed], VulnerableVersions: [`< ${LODASH.fixed}`] } },
      },
    },
    vulnerabilities: { [LODASH.cve]: { Severity: 'HIGH' } },
    updatedAt: new Date(MODIFIED),
  };
}

/** Trivy keeps a severity as its place (trivy-db, `types.Severity`). */
const SEVERITIES = ['unknown', 'low', 'medium', 'high', 'critical'];

function facts() {
  return Object.entries(CHANGELOG_FIXES).flatMap(([source, fixes]) =>
    fixes.flatMap(([fixed, urgency, cves]) =>
      cves.split(' ').map((number) => ({ source, cve: `CVE-${number}`, fixed, urgency })),
    ),
  );
}
