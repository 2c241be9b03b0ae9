import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { http } from '../support/http.ts';
import { descriptor, mediaTypes } from '../support/images.ts';
import { DEBIAN_FILES, imageOfFiles } from '../support/scanned-images.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { eventually, httpAs, pushImageAs, startEnforcedServer } from './access-server.ts';
import { refusalOn } from './gantry-command.ts';
import { type ScanningWorld, scanningWorld } from './scanning-world.ts';

interface GateNote {
  readonly repository: string;
  readonly imageDigest: string;
  readonly decision: string;
  readonly dryRun: boolean;
  readonly gate: string;
  readonly reasons: readonly string[];
}

/** What the audit trail says of gates, in order. */
function notesIn(folder: string): GateNote[] {
  const file = join(folder, 'audit.jsonl');
  const lines = existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
    : [];
  return lines.flatMap((line) => JSON.parse(line).additionalEventData?.gates ?? []);
}

/** The decision that was noted last; entries are written a moment later. */
function lastNote(folder: string): string {
  const note = notesIn(folder).at(-1);
  return note ? `${note.decision} ${note.dryRun} ${note.imageDigest} ${note.gate}: ${note.reasons}` : '';
}

const accept = { Accept: `${mediaTypes.manifest}, ${mediaTypes.index}` };

/** Status of what docker does first and next. */
const pull = async ({ server }: Pick<ScanningWorld, 'server'>, repository: string, reference: string) =>
  (await http(`${server.url}/v2/${repository}/manifests/${reference}`, { headers: accept })).status;

const says = (world: ScanningWorld, reference: string, status: number) =>
  eventually(() => pull(world, 'app', reference), status);

/** An audit trail is kept in a folder of its own. */
async function worldWithImage(): Promise<ScanningWorld & { readonly digest: string; readonly trail: string }> {
  const folder = await temporaryFolder('gantry-gates-');
  const world = await scanningWorld({ args: ['--audit', join(folder.path, 'audit.jsonl')] });
  await world.ecr.createRepository({ repositoryName: 'app' });
  const digest = await world.push('app', 'v1');
  return {
    ...world,
    digest,
    trail: folder.path,
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

describe('gates', () => {
  it('refuse images with findings at or above a severity, by tag and digest and on both faces', async () => {
    await using world = await worldWithImage();
    const { ecr, gantry, server, digest } = world;
    await ecr.startImageScan({ repositoryName: 'app', imageId: { imageTag: 'v1' } });
    await world.scanned('app', 'v1');
    assert.match(await gantry('gate', 'set', 'app', '--severity', 'high'), /no findings of HIGH or above/);
    await says(world, 'v1', 200);
    await gantry('gate', 'set', 'app', '--severity', 'medium');
    await says(world, 'v1', 403);
    assert.equal(await pull(world, 'app', digest), 403);
    const { body } = await http(`${server.url}/v2/app/manifests/v1`);
    const [error] = JSON.parse(body.toString()).errors;
    assert.equal(error.code, 'DENIED');
    assert.match(error.message, /cannot be pulled: it has findings of MEDIUM or above: CVE-2024-8096, CVE-2024-9681/);
    const { images, failures } = await ecr.batchGetImage({ repositoryName: 'app', imageIds: [{ imageTag: 'v1' }] });
    assert.deepEqual(images, []);
    assert.equal(failures?.[0]?.failureCode, 'ImageInaccessible');
    assert.match(failures[0].failureReason ?? '', /findings of MEDIUM or above/);
    const head = await http(`${server.url}/v2/app/manifests/v1`, { method: 'HEAD' });
    assert.equal(head.status, 200, 'who pushes looks at what a tag is on');
    const better = imageOfFiles([{ ...DEBIAN_FILES, 'var/lib/dpkg/status': '' }], 'better');
    await world.push('app', 'v1', better);
    assert.equal(await pull(world, 'app', 'v1'), 200);

    const check = JSON.parse(await gantry('gate', 'check', `app@${digest}`, '--json'));
    assert.deepEqual(
      check.images.map(({ outcome }: { outcome: string }) => outcome),
      ['refused'],
    );
    await gantry('gate', 'remove', 'app');
    await says(world, digest, 200);
    assert.match(await refusalOn(server.data)('gate', 'show', 'app'), /app has no gate/);
  });

  it('let pass what is excepted, as long as it is, and tell who did that', async () => {
    await using world = await worldWithImage();
    const { ecr, gantry, digest } = world;
    await ecr.startImageScan({ repositoryName: 'app', imageId: { imageTag: 'v1' } });
    await world.scanned('app', 'v1');
    await gantry('gate', 'set', 'app', '--severity', 'MEDIUM');
    await says(world, 'v1', 403);
    const terms = ['--until', '2999-01-01', '--reason', 'not reachable'];
    for (const cve of ['CVE-2024-8096', 'CVE-2024-9681']) await gantry('gate', 'except', 'app', '--cve', cve, ...terms);
    await eventually(async () => {
      const { images } = JSON.parse(await gantry('gate', 'check', 'app:v1', '--json'));
      return images[0].reasons[0];
    }, 'it has findings of MEDIUM or above: CVE-2025-10148');
    assert.equal(await pull(world, 'app', 'v1'), 403);
    await gantry('gate', 'except', 'app', '--cve', 'CVE-2025-10148', '--image', digest, ...terms);
    await says(world, 'v1', 200);
    await gantry('gate', 'except', 'app', '--cve', 'CVE-2024-9681', '--end');
    await says(world, 'v1', 403);
    await gantry('gate', 'except', 'app', '--image', digest, ...terms);
    await says(world, 'v1', 200);
    await eventually(
      async () => lastNote(world.trail).replace(/ by operator:.*$/, ''),
      `excepted false ${digest} no findings of MEDIUM or above: it has findings of MEDIUM or above: CVE-2024-9681,the image is excepted until 2999-01-01T00:00:00.000Z`,
    );
    const { exceptions } = JSON.parse(await gantry('gate', 'show', 'app', '--json'));
    assert.equal(exceptions.length, 3);
    assert.match(exceptions[0].author, /^operator:./);
  });

  it('refuse what was never scanned, after a time of grace, and record a dry run alone', async () => {
    await using world = await worldWithImage();
    const { ecr, gantry, digest, trail } = world;
    await gantry('gate', 'set', 'app', '--scanned', '--dry-run');
    await eventually(async () => {
      assert.equal(await pull(world, 'app', 'v1'), 200);
      return lastNote(trail);
    }, `refused true ${digest} scanned; dry run: it was never scanned`);
    await gantry('gate', 'set', 'app', '--scanned', '--grace', '1h');
    await eventually(async () => {
      assert.equal(await pull(world, 'app', 'v1'), 200);
      return lastNote(trail).slice(0, 14);
    }, 'in-grace false');
    await gantry('gate', 'set', 'app', '--scanned');
    await says(world, 'v1', 403);
    const { manifest } = imageOfFiles([DEBIAN_FILES]);
    const index = {
      schemaVersion: 2,
      mediaType: mediaTypes.index,
      manifests: [descriptor(mediaTypes.manifest, manifest)],
    };
    await ecr.putImage({ repositoryName: 'app', imageTag: 'all', imageManifest: JSON.stringify(index) });
    assert.deepEqual([await pull(world, 'app', 'all'), await pull(world, 'app', digest)], [200, 403]);
    await ecr.startImageScan({ repositoryName: 'app', imageId: { imageTag: 'v1' } });
    await world.scanned('app', 'v1');
    assert.equal(await pull(world, 'app', 'v1'), 200);
  });

  it('stand where access is enforced too, behind what policies allow', async () => {
    await using enforced = await startEnforcedServer();
    const { server, gantry, rootKey } = enforced;
    const ecr = enforced.ecr(rootKey);
    await ecr.createRepository({ repositoryName: 'app' });
    const { authorizationData = [] } = await ecr.getAuthorizationToken({});
    const token = Buffer.from(authorizationData[0]?.authorizationToken ?? '', 'base64').toString();
    const password = token.slice('AWS:'.length);
    assert.equal((await pushImageAs(password, server.url, 'app', imageOfFiles([DEBIAN_FILES]))).status, 201);
    await gantry('gate', 'set', 'app', '--scanned');
    const ask = async () => (await httpAs(password, `${server.url}/v2/app/manifests/latest`)).status;
    await eventually(ask, 403);
    assert.equal((await http(`${server.url}/v2/app/manifests/latest`)).status, 401);
    await eventually(
      async () => lastNote(server.data).replace(/ sha256:[0-9a-f]+/, ''),
      'refused false scanned: it was never scanned',
    );
  });
});
