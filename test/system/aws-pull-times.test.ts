import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ECR } from '@aws-sdk/client-ecr';
import {
  ACCOUNT,
  assumeRole,
  basic,
  ecrAs,
  passwordOf,
  policyOf,
  prepareAccess,
  startEnforcedServer,
  until,
} from '../support/access.ts';
import { http } from '../support/http.ts';
import { blobOf, descriptor, mediaTypes, pushImage, pushManifest, randomImage } from '../support/images.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { ecrClient, refused } from './aws-client.ts';

const NEVER_BY_ITSELF = ['--pull-time-flush-seconds', '3600'];

async function pulledAt(ecr: ECR, repositoryName: string, imageDigest: string): Promise<Date | undefined> {
  const { imageDetails } = await ecr.describeImages({ repositoryName, imageIds: [{ imageDigest }] });
  return imageDetails?.[0]?.lastRecordedPullTime;
}

describe('lastRecordedPullTime', () => {
  let server: RunningServer;
  let ecr: ECR;
  before(async () => {
    server = await startServer({ args: ['--pull-time-flush-seconds', '1'] });
    ecr = ecrClient(server.url);
  });
  after(() => server[Symbol.asyncDispose]());

  it('tells the last pull by docker or by the API, soon after it, and no HEAD', async () => {
    const repositoryName = 'pulled';
    const images = Array.from({ length: 3 }, () => randomImage([10]));
    for (const image of images) await pushImage(server.url, repositoryName, image.manifest.digest, image);
    const [byDocker, byApi, looked] = images.map(({ manifest }) => manifest.digest) as [string, string, string];
    const manifest = (digest: string) => `${server.url}/v2/${repositoryName}/manifests/${digest}`;
    const began = Date.now();
    await http(manifest(looked), { method: 'HEAD' });
    await http(manifest(byDocker));
    await ecr.batchGetImage({ repositoryName, imageIds: [{ imageDigest: byApi }] });
    for (const digest of [byDocker, byApi]) {
      await until(async () => (await pulledAt(ecr, repositoryName, digest)) !== undefined);
      const at = Number(await pulledAt(ecr, repositoryName, digest));
      assert.ok(at >= began - 1000 && at <= Date.now() + 1000, new Date(at).toISOString());
    }
    assert.equal(await pulledAt(ecr, repositoryName, looked), undefined);
  });

  it('of an index tells pulls of its children too', async () => {
    const repositoryName = 'indexed';
    const child = randomImage([10]);
    await pushImage(server.url, repositoryName, child.manifest.digest, child);
    const manifests = [descriptor(mediaTypes.manifest, child.manifest)];
    const index = blobOf(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }));
    await pushManifest(server.url, repositoryName, 'multi', index, mediaTypes.index);
    await http(`${server.url}/v2/${repositoryName}/manifests/${child.manifest.digest}`);
    await until(async () => (await pulledAt(ecr, repositoryName, child.manifest.digest)) !== undefined);
    assert.ok(await pulledAt(ecr, repositoryName, index.digest));
  });

  it('is recorded when the server stops, and there after a restart', async () => {
    await using folder = await temporaryFolder();
    const image = randomImage([10]);
    const { digest } = image.manifest;
    {
      await using first = await startServer({ data: folder.path, args: NEVER_BY_ITSELF });
      await pushImage(first.url, 'kept', 'v1', image);
      await http(`${first.url}/v2/kept/manifests/v1`);
      assert.equal(await pulledAt(ecrClient(first.url), 'kept', digest), undefined);
      assert.equal(await first.stop(), 0);
    }
    await using second = await startServer({ data: folder.path, args: NEVER_BY_ITSELF });
    assert.ok(await pulledAt(ecrClient(second.url), 'kept', digest));
  });
});

describe('pull time update exclusions', () => {
  let server: RunningServer;
  let ecr: ECR;
  before(async () => {
    server = await startServer({ args: ['--quota', 'pull-time-exclusions=3'] });
    ecr = ecrClient(server.url);
  });
  after(() => server[Symbol.asyncDispose]());
  const arn = (name: string) => `arn:aws:iam::111122223333:role/${name}`;

  it('are registered, listed in pages and deregistered', async () => {
    for (const name of ['b', 'team/a', 'c']) {
      const { principalArn, createdAt } = await ecr.registerPullTimeUpdateExclusion({ principalArn: arn(name) });
      assert.equal(principalArn, arn(name));
      assert.ok(Math.abs(Number(createdAt) - Date.now()) < 60_000);
    }
    const first = await ecr.listPullTimeUpdateExclusions({ maxResults: 2 });
    assert.deepEqual(first.pullTimeUpdateExclusions, [arn('b'), arn('c')]);
    const second = await ecr.listPullTimeUpdateExclusions({ nextToken: first.nextToken });
    assert.deepEqual(second.pullTimeUpdateExclusions, [arn('team/a')]);
    assert.equal(second.nextToken, undefined);
    await refused(
      ecr.registerPullTimeUpdateExclusion({ principalArn: arn('b') }),
      'ExclusionAlreadyExistsException',
      "The pull time update exclusion for principal 'arn:aws:iam::111122223333:role/b' already exists in the registry with id '000000000000'",
    );
    await refused(
      ecr.registerPullTimeUpdateExclusion({ principalArn: arn('d') }),
      'LimitExceededException',
      "The registry with id '000000000000' can have at most 3 pull time update exclusions (quota pull-time-exclusions; an operator raises it with --quota pull-time-exclusions=NUMBER)",
    );
    assert.deepEqual(
      (await ecrClient(server.url, { region: 'eu-west-1' }).listPullTimeUpdateExclusions({})).pullTimeUpdateExclusions,
      [],
    );
    for (const name of ['b', 'team/a', 'c']) {
      const gone = await ecr.deregisterPullTimeUpdateExclusion({ principalArn: arn(name) });
      assert.equal(gone.principalArn, arn(name));
    }
    await refused(
      ecr.deregisterPullTimeUpdateExclusion({ principalArn: arn('b') }),
      'ExclusionNotFoundException',
      "The pull time update exclusion for principal 'arn:aws:iam::111122223333:role/b' does not exist in the registry with id '000000000000'",
    );
    assert.deepEqual((await ecr.listPullTimeUpdateExclusions({})).pullTimeUpdateExclusions, []);
  });

  it('are of roles and users, and of nothing else', async () => {
    const constraint =
      "Invalid parameter at 'principalArn' failed to satisfy constraint: 'Member must satisfy regular expression pattern: ^arn:aws(-[a-z]+)*:iam::[0-9]{12}:(role|user)/[\\w+=,.@-]+(/[\\w+=,.@-]+)*$'";
    for (const principalArn of [
      'root',
      'arn:aws:iam::111122223333:root',
      'arn:aws:sts::111122223333:assumed-role/a/b',
    ]) {
      await refused(ecr.registerPullTimeUpdateExclusion({ principalArn }), 'InvalidParameterException', constraint);
      await refused(ecr.deregisterPullTimeUpdateExclusion({ principalArn }), 'InvalidParameterException', constraint);
    }
    const long = arn('x'.repeat(200));
    await refused(ecr.registerPullTimeUpdateExclusion({ principalArn: long }), 'InvalidParameterException', /200/);
    for (const nextToken of ['', 'nonsense']) {
      await refused(ecr.listPullTimeUpdateExclusions({ nextToken }), 'InvalidParameterException', /'nextToken'/);
    }
  });
});

describe('pull times where access is enforced', () => {
  it('are moved by users, and not by a role that is excluded', async () => {
    await using server = await startEnforcedServer({ args: ['--pull-time-flush-seconds', '1'] });
    const access = prepareAccess(server);
    const ecr = ecrAs(server.url, access.root);
    const scanned = randomImage([10]);
    const used = randomImage([10]);
    const headersAs = async (credentials: Parameters<typeof passwordOf>[1]) =>
      basic(await passwordOf(server.url, credentials));
    await ecr.createRepository({ repositoryName: 'app' });
    const root = await headersAs(access.root);
    for (const image of [scanned, used]) await pushImage(server.url, 'app', image.manifest.digest, image, root);
    const statements = [{ Effect: 'Allow', Action: ['ecr:*', 'sts:AssumeRole'], Resource: '*' }];
    const user = await access.user('puller', { statements });
    const trust = policyOf({
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
      Action: 'sts:AssumeRole',
    });
    await access.gantry(['role', 'create', 'scanner', '--trust-policy', '-'], trust);
    await access.gantry(
      ['policy', 'attach', '--role', 'scanner', '--name', 'own', '--document', '-'],
      policyOf(...statements),
    );
    const principalArn = `arn:aws:iam::${ACCOUNT}:role/scanner`;
    const scanner = await assumeRole(server.url, principalArn, user);
    await ecr.registerPullTimeUpdateExclusion({ principalArn });
    const pull = async (digest: string, headers: Record<string, string>) =>
      assert.equal((await http(`${server.url}/v2/app/manifests/${digest}`, { headers })).status, 200);
    for (const { manifest } of [scanned, used]) await pull(manifest.digest, await headersAs(scanner));
    await ecrAs(server.url, scanner).batchGetImage({
      repositoryName: 'app',
      imageIds: [{ imageDigest: scanned.manifest.digest }],
    });
    await pull(used.manifest.digest, await headersAs(user));
    await until(async () => (await pulledAt(ecr, 'app', used.manifest.digest)) !== undefined);
    assert.equal(await pulledAt(ecr, 'app', scanned.manifest.digest), undefined);
  });
});
