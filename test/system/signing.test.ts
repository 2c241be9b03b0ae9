import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ECR, SigningRule } from '@aws-sdk/client-ecr';
import { blobOf, digestOf, type Image, mediaTypes, pushImage, randomImage } from '../support/images.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { ecrClient, manifestOf, refused, uploadLayer } from './aws-client.ts';
import { type Gantry, gantryOn, refusalOn } from './gantry-command.ts';
import { until } from './until.ts';

const NOTARY = 'application/vnd.cncf.notary.signature';

let server: RunningServer;
let ecr: ECR;
let gantry: Gantry;
before(async () => {
  server = await startServer();
  ecr = ecrClient(server.url);
  gantry = gantryOn(server.data);
});
after(() => server[Symbol.asyncDispose]());

const created = async (name: string, ...more: string[]): Promise<string> =>
  JSON.parse(await gantry('signer', 'create', name, '--json', ...more)).arn;

const rule = (signingProfileArn: string, ...filters: string[]): SigningRule => ({
  signingProfileArn,
  ...(filters.length > 0 && {
    repositoryFilters: filters.map((filter) => ({ filter, filterType: 'WILDCARD_MATCH' as const })),
  }),
});

const configure = (...rules: SigningRule[]) => ecr.putSigningConfiguration({ signingConfiguration: { rules } });

async function pushed(repositoryName: string, tag: string, image: Image = randomImage([100])): Promise<string> {
  await ecr.createRepository({ repositoryName }).catch(() => {});
  await pushImage(server.url, repositoryName, tag, image);
  return image.manifest.digest;
}

/** What came of it, by the names of profiles, once nothing is left to be done. */
async function signed(repositoryName: string, imageTag: string): Promise<Record<string, string | undefined>> {
  const ask = () => ecr.describeImageSigningStatus({ repositoryName, imageId: { imageTag } });
  await until(async () => (await ask()).signingStatuses?.every(({ status }) => status !== 'IN_PROGRESS') ?? false);
  const { signingStatuses = [] } = await ask();
  return Object.fromEntries(
    signingStatuses.map(({ signingProfileArn, status, failureCode }) => [
      signingProfileArn?.split('/').at(-1),
      failureCode ?? status,
    ]),
  );
}

async function signaturesOf(repositoryName: string, imageDigest: string): Promise<string[]> {
  const { referrers = [] } = await ecr.listImageReferrers({ repositoryName, subjectId: { imageDigest } });
  return referrers.filter(({ artifactType }) => artifactType === NOTARY).map(({ digest }) => digest ?? '');
}

describe('a signing configuration', () => {
  it('is kept, replaced as a whole and deleted', async () => {
    const arn = await created('kept');
    await refused(
      ecr.getSigningConfiguration({}),
      'SigningConfigurationNotFoundException',
      /does not exist in the registry with id/,
    );
    await refused(ecr.deleteSigningConfiguration({}), 'SigningConfigurationNotFoundException', /does not exist/);
    await configure(rule(arn));
    const { signingConfiguration } = await configure(rule(arn, 'a/*', 'b'));
    assert.deepEqual(signingConfiguration, { rules: [rule(arn, 'a/*', 'b')] });
    const { $metadata: _, ...got } = await ecr.getSigningConfiguration({});
    assert.deepEqual(got, { registryId: '000000000000', signingConfiguration });
    const { $metadata: __, ...deleted } = await ecr.deleteSigningConfiguration({});
    assert.deepEqual(deleted, got);
    await refused(ecr.getSigningConfiguration({}), 'SigningConfigurationNotFoundException', /does not exist/);
  });

  it('names profiles that there are, of this region and of any account', async () => {
    const arn = await created('named');
    const elsewhere: string = JSON.parse(
      await gantry('signer', 'create', 'named', '--json', '--account', '210987654321'),
    ).arn;
    await configure(rule(arn), rule(elsewhere));
    const refusedFor = (name: string, words: RegExp) => refused(configure(rule(name)), 'ValidationException', words);
    await refusedFor(arn.replace('named', 'unknown'), /does not exist; gantry signer create makes one/);
    await refusedFor(arn.replaceAll('us-east-1', 'eu-west-1'), /is not in the region of the registry, us-east-1/);
    const { signingConfiguration } = await ecr.getSigningConfiguration({});
    assert.equal(signingConfiguration?.rules?.length, 2);
    await gantry('signer', 'retire', 'named');
    await refusedFor(arn, /was retired/);
    await refused(configure(rule('arn:aws:signer:x')), 'InvalidParameterException', /signingProfileArn/);
  });
});

describe('an image that is pushed', () => {
  it('is signed by each profile whose rule matches, once', async () => {
    const [one, two, three] = [
      await created('one'),
      await created('two', '--key-type', 'rsa-2048'),
      await created('three'),
    ];
    await configure(rule(one, 'app/*'), rule(two, 'app/web', 'other'), rule(three, 'lib*'), rule(one, 'app/web'));
    const image = randomImage([100]);
    const digest = await pushed('app/web', 'v1', image);
    assert.deepEqual(await signed('app/web', 'v1'), { one: 'COMPLETE', two: 'COMPLETE' });
    const signatures = await signaturesOf('app/web', digest);
    assert.equal(signatures.length, 2);
    await pushed('app/web', 'v2', image);
    assert.deepEqual(await signed('app/web', 'v2'), { one: 'COMPLETE', two: 'COMPLETE' });
    assert.deepEqual(await signaturesOf('app/web', digest), signatures, 'it was signed already');
    await pushed('application', 'v1');
    assert.deepEqual(await signed('application', 'v1'), {});
    for (const imageDigest of signatures) {
      const { signingStatuses } = await ecr.describeImageSigningStatus({
        repositoryName: 'app/web',
        imageId: { imageDigest },
      });
      assert.deepEqual(signingStatuses, [], 'signatures are not signed');
      assert.deepEqual(await signaturesOf('app/web', imageDigest), []);
    }
  });

  it('is signed anew when its signature was deleted, or only looks like one', async () => {
    await configure(rule(await created('again'), 'again'));
    const image = randomImage([100]);
    const digest = await pushed('again', 'v1', image);
    await signed('again', 'v1');
    const [first = ''] = await signaturesOf('again', digest);
    const { images = [] } = await ecr.batchGetImage({ repositoryName: 'again', imageIds: [{ imageDigest: first }] });
    await ecr.batchDeleteImage({ repositoryName: 'again', imageIds: [{ imageDigest: first }] });
    // Its manifest with another envelope: what the annotations say is anybody's word.
    const manifest = JSON.parse(images[0]?.imageManifest ?? '');
    const forged = blobOf(JSON.stringify({ payload: '', protected: '', signature: '', header: { x5c: [] } }));
    await uploadLayer(ecr, 'again', forged);
    const layer = { ...manifest.layers[0], digest: forged.digest, size: forged.bytes.length };
    const imageManifest = JSON.stringify({ ...manifest, layers: [layer] });
    await ecr.putImage({ repositoryName: 'again', imageManifest });
    await pushed('again', 'v2', image);
    assert.deepEqual(await signed('again', 'v2'), { again: 'COMPLETE' });
    const signatures = await signaturesOf('again', digest);
    assert.equal(signatures.length, 2);
    const listed = JSON.parse(await gantry('signature', 'list', `again@${digest}`, '--json'));
    const intact = listed.map(({ digest: of, isIntact }: { digest: string; isIntact: boolean }) => [
      of === digestOf(imageManifest),
      isIntact,
    ]);
    assert.deepEqual(intact.sort(), [
      [false, true],
      [true, false],
    ]);
  });

  it('is shown as failed, and why, when its profile is retired or gone', async () => {
    const [retired, gone] = [await created('retired'), await created('gone')];
    await configure(rule(retired, 'failed'));
    const refusal = refusalOn(server.data);
    assert.match(await refusal('signer', 'delete', 'retired'), /The signing configuration .* names/);
    await gantry('signer', 'retire', 'retired');
    await pushed('failed', 'v1');
    assert.deepEqual(await signed('failed', 'v1'), { retired: 'SigningProfileRetired' });
    const { signingStatuses } = await ecr.describeImageSigningStatus({
      repositoryName: 'failed',
      imageId: { imageTag: 'v1' },
    });
    assert.match(signingStatuses?.[0]?.failureReason ?? '', /retired was retired/);
    await gantry('signer', 'delete', 'gone');
    await refused(configure(rule(gone)), 'ValidationException', /does not exist/);
  });

  it("is not signed when it is a signature of cosign's", async () => {
    await configure(rule(await created('cosigned'), 'cosigned'));
    const digest = await pushed('cosigned', 'v1');
    const subject = { mediaType: mediaTypes.manifest, digest, size: 396 };
    const config = blobOf('{}');
    await uploadLayer(ecr, 'cosigned', config).catch(() => {});
    const artifactType = 'application/vnd.dev.sigstore.bundle.v0.3+json';
    const bundle = manifestOf(config, [], { artifactType, subject });
    const tagged = manifestOf(config, [], { annotations: { a: 'b' } });
    const other = manifestOf(config, [], { artifactType: 'application/vnd.example.sbom', subject });
    await ecr.putImage({ repositoryName: 'cosigned', imageManifest: bundle.bytes.toString(), imageTag: 'bundle' });
    const sig = `${digest.replace(':', '-')}.sig`;
    await ecr.putImage({ repositoryName: 'cosigned', imageManifest: tagged.bytes.toString(), imageTag: sig });
    await ecr.putImage({ repositoryName: 'cosigned', imageManifest: other.bytes.toString(), imageTag: 'sbom' });
    assert.deepEqual(await signed('cosigned', 'sbom'), { cosigned: 'COMPLETE' });
    for (const tag of ['bundle', sig]) assert.deepEqual(await signed('cosigned', tag), {});
    await refused(
      ecr.describeImageSigningStatus({ repositoryName: 'cosigned', imageId: { imageTag: 'none' } }),
      'ImageNotFoundException',
      /does not exist within the repository/,
    );
  });

  it('goes to where its images go with its signatures, which are not made there again', async () => {
    await configure(rule(await created('copied'), 'copied'));
    const west = ecrClient(server.url, { region: 'us-west-2' });
    const destinations = [{ region: 'us-west-2', registryId: '000000000000' }];
    await ecr.putReplicationConfiguration({ replicationConfiguration: { rules: [{ destinations }] } });
    const digest = await pushed('copied', 'v1');
    await signed('copied', 'v1');
    const [signature] = await signaturesOf('copied', digest);
    const subjectId = { imageDigest: digest };
    const there = async () => {
      const found = await west.listImageReferrers({ repositoryName: 'copied', subjectId }).catch(() => undefined);
      return found?.referrers?.map((referrer) => referrer.digest) ?? [];
    };
    await until(async () => (await there()).length > 0);
    assert.deepEqual(await there(), [signature]);
    const { signingStatuses } = await west.describeImageSigningStatus({ repositoryName: 'copied', imageId: subjectId });
    assert.deepEqual(signingStatuses, []);
    await ecr.putReplicationConfiguration({ replicationConfiguration: { rules: [] } });
  });
});
