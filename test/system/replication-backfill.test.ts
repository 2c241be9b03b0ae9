import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ECR, ReplicationDestination } from '@aws-sdk/client-ecr';
import { blobOf, descriptor, mediaTypes, pushImage, pushManifest, randomImage } from '../support/images.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';
import { ecrClient, refused } from './aws-client.ts';
import { addPeer, clientOf, defaultAccount, digestAt, remote, replicateTo, until } from './replication-world.ts';

const west = { region: 'us-west-2', registryId: defaultAccount };
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

describe('replication backfill', () => {
  let data: TemporaryFolder;
  let server: RunningServer;
  let peer: RunningServer;
  let ecr: ECR;

  const start = async () => {
    server = await startServer({ data: data.path, args: ['--log-level', 'silent'] });
    ecr = ecrClient(server.url);
  };
  before(async () => {
    data = await temporaryFolder();
    [peer] = await Promise.all([startServer(), start()]);
    await addPeer(server, peer);
  });
  after(async () => {
    for (const each of [server, peer, data]) await each?.[Symbol.asyncDispose]();
  });

  const begin = async (destination: ReplicationDestination) => {
    const { replicationBackfillId = '' } = await ecr.startReplicationBackfill({ destination });
    return replicationBackfillId;
  };
  const ended = (replicationBackfillId: string) =>
    until(
      () => ecr.describeReplicationBackfillResults({ replicationBackfillId }),
      ({ endedAt }) => endedAt !== undefined,
    );

  it('copies what was there before, each pair of image and tag, and lists what came of it', async () => {
    const [one, two] = [randomImage(), randomImage()];
    await pushImage(server.url, 'old/app', 'v1', one);
    await pushManifest(server.url, 'old/app', 'latest', one.manifest, one.mediaType);
    await pushImage(server.url, 'old/app', 'v2', two);
    const index = blobOf(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.index,
        manifests: [descriptor(mediaTypes.manifest, one.manifest)],
      }),
    );
    await pushManifest(server.url, 'old/app', 'multi', index, mediaTypes.index);
    await pushImage(server.url, 'other/app', 'v1', randomImage());
    const repositoryFilters = [{ filter: 'old/', filterType: 'PREFIX_MATCH' as const }];
    const rules = [{ destinations: [west, remote], repositoryFilters }];
    await ecr.putReplicationConfiguration({ replicationConfiguration: { rules } });
    for (const [destination, there] of [
      [west, ecrClient(server.url, west)],
      [remote, clientOf(peer)],
    ] as const) {
      const started = await ecr.startReplicationBackfill({ destination });
      assert.match(started.replicationBackfillId ?? '', UUID);
      assert.partialDeepStrictEqual(started, { registryId: defaultAccount, destination, status: 'PREPARING' });
      assert.ok(started.startedAt instanceof Date);
      const end = await ended(started.replicationBackfillId ?? '');
      const progress = {
        totalReplicationCount: 4,
        completedReplicationCount: 4,
        failedReplicationCount: 0,
        failureCodes: [],
      };
      assert.partialDeepStrictEqual(end, { destination, status: 'COMPLETE', progress });
      const pairs = end.results?.map(({ repositoryName, imageId, status }) => [
        repositoryName,
        imageId?.imageDigest,
        imageId?.imageTag,
        status,
      ]);
      const expected = [
        [one.manifest.digest, 'latest'],
        [one.manifest.digest, 'v1'],
        [two.manifest.digest, 'v2'],
        [index.digest, 'multi'],
      ].sort();
      assert.deepEqual(
        pairs,
        expected.map((pair) => ['old/app', ...pair, 'COMPLETE']),
      );
      for (const [digest, tag = ''] of expected) assert.equal(await digestAt(there, 'old/app', tag), digest);
      assert.equal(await digestAt(there, 'other/app', 'v1'), undefined);
    }
    const status = await ecr.describeImageReplicationStatus({ repositoryName: 'old/app', imageId: { imageTag: 'v2' } });
    assert.deepEqual(
      status.replicationStatuses?.map((each) => each.status),
      ['COMPLETE', 'COMPLETE'],
    );
  });

  it('is listed newest first, a page at a time, and its results as well', async () => {
    const { backfills = [] } = await ecr.listReplicationBackfills({});
    assert.deepEqual(
      backfills.map(({ destination }) => destination),
      [remote, west],
    );
    assert.ok(backfills.every(({ startedAt, endedAt }) => startedAt && endedAt && endedAt >= startedAt));
    const first = await ecr.listReplicationBackfills({ maxResults: 1 });
    assert.deepEqual(first.backfills, [backfills[0]]);
    const second = await ecr.listReplicationBackfills({ maxResults: 1, nextToken: first.nextToken });
    assert.deepEqual(second.backfills, [backfills[1]]);
    assert.equal(second.nextToken, undefined);
    const replicationBackfillId = backfills[0]?.replicationBackfillId;
    const page = await ecr.describeReplicationBackfillResults({ replicationBackfillId, maxResults: 3 });
    assert.equal(page.results?.length, 3);
    const { nextToken } = page;
    const rest = await ecr.describeReplicationBackfillResults({ replicationBackfillId, maxResults: 3, nextToken });
    assert.equal(rest.results?.length, 1);
    const failed = await ecr.describeReplicationBackfillResults({
      replicationBackfillId,
      resultStatusFilter: 'FAILED',
    });
    assert.deepEqual(failed.results, []);
    await refused(
      ecr.listReplicationBackfills({ nextToken: 'bm90aGluZw' }),
      'InvalidParameterException',
      /token that ListReplicationBackfills returned/,
    );
  });

  it('waits for a destination that is away, says nothing of results meanwhile, and can be stopped', async () => {
    const gone = { region: 'eu-north-1', registryId: '999988887777' };
    await addPeer(server, { url: 'http://127.0.0.1:9' }, [], gone);
    await replicateTo(ecr, gone, west);
    const id = await begin(gone);
    const listed = async () => {
      const { backfills = [] } = await ecr.listReplicationBackfills({});
      return backfills.find(({ replicationBackfillId }) => replicationBackfillId === id);
    };
    const running = await until(listed, (found) => found?.status === 'IN_PROGRESS');
    assert.ok((running?.progress?.totalReplicationCount ?? 0) > 4);
    assert.equal((await ecr.describeReplicationBackfillResults({ replicationBackfillId: id })).results, undefined);
    const again = ecr.startReplicationBackfill({ destination: gone });
    const message = `The replication backfill with id '${id}' to a destination in region 'eu-north-1' is in progress; stop it or wait for its end`;
    await refused(again, 'ReplicationBackfillInProgressException', message);
    const stopped = await ecr.stopReplicationBackfill({ replicationBackfillId: id });
    assert.partialDeepStrictEqual(stopped, { replicationBackfillId: id, destination: gone, status: 'STOPPING' });
    const end = await ended(id);
    assert.equal(end.status, 'STOPPED');
    assert.deepEqual(end.results, []);
    const late = ecr.stopReplicationBackfill({ replicationBackfillId: id });
    const words = `The replication backfill with id '${id}' has the status STOPPED and cannot be stopped`;
    await refused(late, 'ReplicationBackfillInvalidStatusException', words);
  });

  it('goes on where it was when the server is killed', async () => {
    const images = Array.from({ length: 40 }, () => randomImage([200_000]));
    for (const [at, image] of images.entries()) await pushImage(server.url, 'many/app', `v${at}`, image);
    await replicateTo(ecr, remote);
    const id = await begin(remote);
    const done = async () => (await ecr.describeReplicationBackfillResults({ replicationBackfillId: id })).progress;
    await until(done, (progress) => (progress?.completedReplicationCount ?? 0) >= 5);
    await server.kill();
    await start();
    const end = await ended(id);
    const { totalReplicationCount: total = 0, completedReplicationCount, failedReplicationCount } = end.progress ?? {};
    assert.deepEqual([end.status, completedReplicationCount, failedReplicationCount], ['COMPLETE', total, 0]);
    assert.equal(end.results?.length, Math.min(total, 100));
    for (const [at, image] of images.entries()) {
      assert.equal(await digestAt(clientOf(peer), 'many/app', `v${at}`), image.manifest.digest);
    }
  });

  it('refuses destinations that are not configured, and ids that are not known', async () => {
    await replicateTo(ecr, west);
    const words = `Invalid parameter at 'destination' failed to satisfy constraint: 'The destination with region 'sa-east-1' and registry id '${defaultAccount}' is not in the replication configuration of the registry'`;
    const destination = { region: 'sa-east-1', registryId: defaultAccount };
    await refused(ecr.startReplicationBackfill({ destination }), 'InvalidParameterException', words);
    const replicationBackfillId = '00000000-0000-4000-8000-000000000000';
    const missing = `The replication backfill with id '${replicationBackfillId}' does not exist in the registry with id '${defaultAccount}'`;
    const name = 'ReplicationBackfillNotFoundException';
    await refused(ecr.stopReplicationBackfill({ replicationBackfillId }), name, missing);
    await refused(ecr.describeReplicationBackfillResults({ replicationBackfillId }), name, missing);
    await refused(
      ecr.stopReplicationBackfill({ replicationBackfillId: 'x' }),
      'InvalidParameterException',
      /0-9a-fA-F/,
    );
  });

  it('runs ten at a time', async () => {
    const places = Array.from({ length: 11 }, (_, at) => ({ region: `xx-gone-${at}`, registryId: '999988887777' }));
    for (const place of places) await addPeer(server, { url: 'http://127.0.0.1:9' }, [], place);
    await replicateTo(ecr, ...places);
    const ids: string[] = [];
    for (const place of places.slice(0, 10)) ids.push(await begin(place));
    const words = `The registry with id '${defaultAccount}' can have at most 10 replication backfills in progress`;
    await refused(begin(places[10]!), 'LimitExceededException', words);
    for (const replicationBackfillId of ids) await ecr.stopReplicationBackfill({ replicationBackfillId });
    for (const id of ids) assert.equal((await ended(id)).status, 'STOPPED');
  });
});
