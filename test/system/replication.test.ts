import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ECR } from '@aws-sdk/client-ecr';
import { blobOf, descriptor, mediaTypes, pushBlob, pushImage, pushManifest, randomImage } from '../support/images.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { ecrClient, refused } from './aws-client.ts';
import {
  addPeer,
  clientOf,
  defaultAccount,
  digestAt,
  pulled,
  remote,
  replicated,
  replicateTo,
  until,
} from './replication-world.ts';

/** Without a token a push goes to the registry that the server was started with. */
async function loginAt(ecr: ECR) {
  const { authorizationData } = await ecr.getAuthorizationToken({});
  return { Authorization: `Basic ${authorizationData?.[0]?.authorizationToken}` };
}

const local = { region: 'us-west-2', registryId: defaultAccount };

describe('replication', () => {
  let server: RunningServer;
  let peer: RunningServer;
  let third: RunningServer;
  let ecr: ECR;
  const thirdPlace = { region: 'ap-south-1', registryId: '333333333333' };

  before(async () => {
    [server, peer, third] = await Promise.all([startServer(), startServer(), startServer()]);
    ecr = ecrClient(server.url);
    await addPeer(server, peer);
    await addPeer(peer, third, [], thirdPlace);
  });
  after(async () => {
    for (const each of [server, peer, third]) await each?.[Symbol.asyncDispose]();
  });

  it('is off until it is configured, and again when its rules are taken away', async () => {
    const none = { registryId: defaultAccount, replicationConfiguration: { rules: [] } };
    assert.partialDeepStrictEqual(await ecr.describeRegistry(), none);
    const rules = [
      { destinations: [local, remote], repositoryFilters: [{ filter: 'prod/', filterType: 'PREFIX_MATCH' as const }] },
      { destinations: [local] },
    ];
    const put = await ecr.putReplicationConfiguration({ replicationConfiguration: { rules } });
    assert.deepEqual(put.replicationConfiguration, { rules });
    assert.deepEqual((await ecr.describeRegistry()).replicationConfiguration, { rules });
    assert.deepEqual(
      (await ecrClient(server.url, { region: 'us-west-2' }).describeRegistry()).replicationConfiguration,
      { rules: [] },
    );
    await ecr.putReplicationConfiguration({ replicationConfiguration: { rules: [] } });
    assert.partialDeepStrictEqual(await ecr.describeRegistry(), none);
  });

  it('copies a pushed image to another region and to a peer, and says so', async () => {
    await replicateTo(ecr, local, remote);
    const image = randomImage([5000, 300_000]);
    await pushImage(server.url, 'team/app', 'v1', image);
    const statuses = await replicated(ecr, 'team/app', 'v1');
    assert.deepEqual(statuses, [
      { ...local, status: 'COMPLETE' },
      { ...remote, status: 'COMPLETE' },
    ]);
    for (const there of [ecrClient(server.url, local), clientOf(peer)]) {
      assert.equal(await digestAt(there, 'team/app', 'v1'), image.manifest.digest);
      const { images = [] } = await there.batchGetImage({ repositoryName: 'team/app', imageIds: [{ imageTag: 'v1' }] });
      assert.equal(images[0]?.imageManifest, image.manifest.bytes.toString());
      for (const layer of image.layers) {
        assert.deepEqual(await pulled(there, 'team/app', layer.digest), layer.bytes);
      }
    }
    const { imageId } = await ecr.describeImageReplicationStatus({
      repositoryName: 'team/app',
      imageId: { imageDigest: image.manifest.digest },
    });
    assert.deepEqual(imageId, { imageDigest: image.manifest.digest });
  });

  it('copies what was pushed after it was configured, of repositories that its filters name', async () => {
    await ecr.putReplicationConfiguration({ replicationConfiguration: { rules: [] } });
    const before = randomImage();
    await pushImage(server.url, 'prod/app', 'before', before);
    const repositoryFilters = [{ filter: 'prod/', filterType: 'PREFIX_MATCH' as const }];
    await ecr.putReplicationConfiguration({
      replicationConfiguration: { rules: [{ destinations: [remote], repositoryFilters }] },
    });
    const [wanted, unwanted] = [randomImage(), randomImage()];
    await pushImage(server.url, 'dev/app', 'v1', unwanted);
    await pushImage(server.url, 'prod/app', 'v1', wanted);
    await replicated(ecr, 'prod/app', 'v1');
    assert.equal(await digestAt(clientOf(peer), 'prod/app', 'v1'), wanted.manifest.digest);
    assert.equal(await digestAt(clientOf(peer), 'prod/app', 'before'), undefined);
    assert.equal(await digestAt(clientOf(peer), 'dev/app', 'v1'), undefined);
    const { replicationStatuses } = await ecr.describeImageReplicationStatus({
      repositoryName: 'dev/app',
      imageId: { imageTag: 'v1' },
    });
    assert.deepEqual(replicationStatuses, []);
  });

  it('copies indexes with what they list, and referrers when they are pushed', async () => {
    await replicateTo(ecr, remote);
    const [amd64, arm64] = [randomImage(), randomImage()];
    for (const image of [amd64, arm64]) await pushImage(server.url, 'multi/app', image.manifest.digest, image);
    const index = blobOf(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.index,
        manifests: [amd64, arm64].map(({ manifest }) => descriptor(mediaTypes.manifest, manifest)),
      }),
    );
    assert.equal((await pushManifest(server.url, 'multi/app', 'v1', index, mediaTypes.index)).status, 201);
    await replicated(ecr, 'multi/app', 'v1');
    const there = clientOf(peer);
    assert.equal(await digestAt(there, 'multi/app', 'v1'), index.digest);
    const { imageDetails = [] } = await there.describeImages({ repositoryName: 'multi/app' });
    assert.deepEqual(
      imageDetails.map(({ imageDigest }) => imageDigest).sort(),
      [amd64.manifest.digest, arm64.manifest.digest, index.digest].sort(),
    );
    const empty = blobOf('{}');
    await pushBlob(server.url, 'multi/app', empty);
    const signature = blobOf(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.manifest,
        artifactType: 'application/x-signature',
        config: descriptor(mediaTypes.empty, empty),
        layers: [descriptor(mediaTypes.empty, empty)],
        subject: descriptor(mediaTypes.index, index),
      }),
    );
    await pushManifest(server.url, 'multi/app', signature.digest, signature, mediaTypes.manifest);
    const subjectId = { imageDigest: index.digest };
    const referrers = async () =>
      (await there.listImageReferrers({ repositoryName: 'multi/app', subjectId })).referrers ?? [];
    const [found] = await until(referrers, (list) => list.length > 0);
    assert.equal(found?.digest, signature.digest);
  });

  it('follows a tag, and deletes nothing', async () => {
    await replicateTo(ecr, remote);
    const [first, second] = [randomImage(), randomImage()];
    await pushImage(server.url, 'moving/app', 'latest', first);
    await pushImage(server.url, 'moving/app', 'latest', second);
    const there = clientOf(peer);
    await until(
      () => digestAt(there, 'moving/app', 'latest'),
      (digest) => digest === second.manifest.digest,
    );
    await ecr.batchDeleteImage({ repositoryName: 'moving/app', imageIds: [{ imageTag: 'latest' }] });
    const third = randomImage();
    await pushImage(server.url, 'moving/app', 'other', third);
    await replicated(ecr, 'moving/app', 'other');
    assert.equal(await digestAt(there, 'moving/app', 'latest'), second.manifest.digest);
  });

  it('leaves an immutable tag of the destination alone', async () => {
    await replicateTo(ecr, local, remote);
    const there = [ecrClient(server.url, local), clientOf(peer)];
    const mine = randomImage();
    for (const each of there) {
      await each.createRepository({ repositoryName: 'fixed/app', imageTagMutability: 'IMMUTABLE' });
    }
    const first = randomImage();
    await pushImage(server.url, 'fixed/app', 'v1', first);
    await replicated(ecr, 'fixed/app', 'v1');
    await pushImage(server.url, 'fixed/app', 'v1', mine);
    const statuses = await replicated(ecr, 'fixed/app', 'v1');
    assert.deepEqual(
      statuses.map(({ status }) => status),
      ['COMPLETE', 'COMPLETE'],
    );
    for (const each of there) {
      assert.equal(await digestAt(each, 'fixed/app', 'v1'), first.manifest.digest);
      const { imageDetails = [] } = await each.describeImages({
        repositoryName: 'fixed/app',
        imageIds: [{ imageDigest: mine.manifest.digest }],
      });
      assert.equal(imageDetails[0]?.imageTags, undefined);
    }
  });

  it('has the repository made at a peer as for a copy', async () => {
    await replicateTo(ecr, remote);
    const there = clientOf(peer);
    const template = { prefix: 'made', appliedFor: ['REPLICATION' as const], imageTagMutability: 'IMMUTABLE' as const };
    await there.createRepositoryCreationTemplate(template);
    await pushImage(server.url, 'made/app', 'v1', randomImage());
    await replicated(ecr, 'made/app', 'v1');
    const { repositories = [] } = await there.describeRepositories({ repositoryNames: ['made/app'] });
    assert.equal(repositories[0]?.imageTagMutability, 'IMMUTABLE');
  });

  it('takes nobody at their word who says what no registry is called', async () => {
    const { manifest, mediaType } = randomImage();
    const headers = { 'Gantry-Replicated-From': 'me/us-east-1' };
    const answer = await pushManifest(server.url, 'some/app', 'v1', manifest, mediaType, headers);
    assert.equal(answer.status, 400);
    assert.match(answer.text(), /UNSUPPORTED.*Gantry-Replicated-From must be an account and a region/);
  });

  it('sends layers again that the destination has no more', async () => {
    await replicateTo(ecr, remote);
    const there = clientOf(peer);
    const image = randomImage([5000]);
    await pushImage(server.url, 'lost/app', 'v1', image);
    await replicated(ecr, 'lost/app', 'v1');
    await there.deleteRepository({ repositoryName: 'lost/app', force: true });
    const next = { ...randomImage(), layers: image.layers };
    const manifest = blobOf(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.manifest,
        config: descriptor(mediaTypes.config, next.config),
        layers: image.layers.map((layer) => descriptor(mediaTypes.layer, layer)),
      }),
    );
    await pushImage(server.url, 'lost/app', 'v2', { ...next, manifest });
    assert.deepEqual(await replicated(ecr, 'lost/app', 'v2'), [{ ...remote, status: 'COMPLETE' }]);
    assert.deepEqual(await pulled(there, 'lost/app', image.layers[0]!.digest), image.layers[0]!.bytes);
  });

  it('goes one hop within a server', async () => {
    const west = ecrClient(server.url, local);
    await replicateTo(ecr, local);
    await replicateTo(west, { region: 'eu-central-1', registryId: defaultAccount });
    const image = randomImage();
    await pushImage(server.url, 'hop/app', 'v1', image);
    await replicated(ecr, 'hop/app', 'v1');
    const { replicationStatuses } = await west.describeImageReplicationStatus({
      repositoryName: 'hop/app',
      imageId: { imageTag: 'v1' },
    });
    assert.deepEqual(replicationStatuses, []);
  });

  it('goes one hop between servers', async () => {
    await replicateTo(ecr, remote);
    const there = clientOf(peer);
    await replicateTo(there, thirdPlace);
    const [hopping, own] = [randomImage(), randomImage()];
    await pushImage(server.url, 'hop/far', 'v1', hopping);
    await replicated(ecr, 'hop/far', 'v1');
    const status = await there.describeImageReplicationStatus({
      repositoryName: 'hop/far',
      imageId: { imageTag: 'v1' },
    });
    assert.deepEqual(status.replicationStatuses, []);
    // What the second server is pushed itself does go on.
    await pushImage(peer.url, 'hop/far', 'own', own, await loginAt(there));
    assert.deepEqual(await replicated(there, 'hop/far', 'own'), [{ ...thirdPlace, status: 'COMPLETE' }]);
    const last = clientOf(third, thirdPlace);
    assert.equal(await digestAt(last, 'hop/far', 'own'), own.manifest.digest);
    assert.equal(await digestAt(last, 'hop/far', 'v1'), undefined);
    await there.putReplicationConfiguration({ replicationConfiguration: { rules: [] } });
  });

  it('refuses rules that cannot be', async () => {
    const invalid = 'InvalidParameterException';
    const words = (why: string) =>
      `Invalid parameter at 'replicationConfiguration' failed to satisfy constraint: '${why}'`;
    const own = { region: 'us-east-1', registryId: defaultAccount };
    await refused(
      replicateTo(ecr, own),
      invalid,
      words('Replication destination cannot be the same as the source registry'),
    );
    const many = Array.from({ length: 26 }, (_, at) => ({ region: `eu-west-${at + 1}`, registryId: '111122223333' }));
    const tooMany = 'Replication configuration cannot have more than 25 unique destinations; this one has 26';
    await refused(replicateTo(ecr, ...many), invalid, words(tooMany));
    await replicateTo(ecr, ...many.slice(1), ...many.slice(1, 3));
    const rules = Array.from({ length: 26 }, () => ({ destinations: [local] }));
    await refused(
      ecr.putReplicationConfiguration({ replicationConfiguration: { rules } }),
      invalid,
      /less than or equal to 25/,
    );
    await refused(replicateTo(ecr, { region: 'us-west-2', registryId: '12' }), invalid, /\[0-9\]\{12\}/);
    await ecr.putReplicationConfiguration({ replicationConfiguration: { rules: [] } });
    const nothing = { repositoryName: 'nobody/made', imageId: { imageTag: 'v1' } };
    await refused(ecr.describeImageReplicationStatus(nothing), 'RepositoryNotFoundException', /nobody\/made/);
    await ecr.createRepository({ repositoryName: 'empty/app' });
    const missing = { ...nothing, repositoryName: 'empty/app' };
    await refused(ecr.describeImageReplicationStatus(missing), 'ImageNotFoundException', /imageTag:'v1'/);
  });
});
