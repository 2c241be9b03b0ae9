import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { openAuthorizer } from '../../src/core/access/authorizer.ts';
import type { Call } from '../../src/core/access/caller.ts';
import { createSecretBox } from '../../src/core/access/secret-box.ts';
import { toEventBridge } from '../../src/core/events/eventbridge-event.ts';
import { restoreBytes } from '../../src/core/images/archive-bytes.ts';
import { createDestinations, type Destinations } from '../../src/core/replication/destinations.ts';
import { replicateImage } from '../../src/core/replication/replicate-image.ts';
import { createSilentDestinations } from '../../src/core/replication/silent-destinations.ts';
import { UpstreamError } from '../../src/core/upstreams/upstream.ts';
import type { Digest } from '../../src/core/values/digest.ts';
import { replicateImageJob } from '../../src/jobs/replication-jobs.ts';
import { type CoreUnderTest, call, coreUnderTest, registry } from './core-under-test.ts';
import { doDueJobs } from './due-jobs.ts';
import { pushedImage } from './manifests.ts';
import { replicating, tagThere, west } from './replicating.ts';

const elsewhere: Call = { ...call, registry: west };

async function eventsIn({ dependencies }: CoreUnderTest, region: string) {
  const stored = await dependencies.metadata.read.events.after(0, 100);
  return stored.filter((event) => event.registry.region === region).map(toEventBridge);
}

describe('replication', () => {
  it('is noted with the push and done after it; the destination is told', async () => {
    await using setup = await replicating();
    const { core, work, statusOf } = setup;
    const image = await pushedImage(core, 'one', 'a', 'v1');
    assert.deepEqual(await statusOf('v1'), [{ destination: west, status: 'IN_PROGRESS' }]);
    assert.deepEqual(
      (await work()).map(({ outcome }) => outcome),
      ['done'],
    );
    assert.deepEqual(await statusOf('v1'), [{ destination: west, status: 'COMPLETE' }]);
    assert.equal((await tagThere(core, 'v1'))?.digest, image.digest);
    const [event, ...more] = await eventsIn(core, west.region);
    assert.deepEqual(more, []);
    assert.equal(event?.['detail-type'], 'ECR Replication Action');
    assert.deepEqual(event?.detail, {
      result: 'SUCCESS',
      'repository-name': 'one',
      'image-digest': image.digest,
      'source-account': registry.accountId,
      'action-type': 'REPLICATE',
      'source-region': registry.region,
      'image-tag': 'v1',
    });
  });

  it('remembers in the history of a tag that it was replicated, and from whom', async () => {
    await using core = await coreUnderTest({ undoSeconds: 100 });
    const box = createSecretBox(randomBytes(32), randomBytes);
    const parts = { authorizer: openAuthorizer, box, connect: () => assert.fail() };
    const destinations = createDestinations(core.dependencies, parts);
    await core.replication.putRules(call, [{ destinations: [west], prefixes: [] }]);
    await pushedImage(core, 'one', 'a', 'v1');
    await doDueJobs(core, { 'replicate-image': replicateImageJob(core.dependencies, destinations) });
    const { read } = core.dependencies.metadata;
    const repository = await read.repositories.find(west, 'one');
    const [change] = await read.history.tagChanges(repository?.id ?? 0, 'v1', undefined, 1);
    assert.equal(change?.cause, 'replication');
    assert.equal(change?.principal, `arn:aws:iam::${registry.accountId}:root`);
  });

  it('goes no further than one hop, not even round in a circle', async () => {
    await using setup = await replicating();
    const { core, work } = setup;
    await core.replication.putRules(elsewhere, [{ destinations: [registry], prefixes: [] }]);
    await pushedImage(core, 'one', 'a', 'v1');
    assert.equal((await work()).length, 1);
  });

  it('is tried again while the destination does not answer, and has failed once it is given up', async () => {
    await using setup = await replicating();
    const { core, destinations, statusOf } = setup;
    await pushedImage(core, 'one', 'a', 'v1');
    const away: Destinations = {
      ...destinations,
      with: () =>
        Promise.reject(new UpstreamError({ code: 'unavailable', host: 'there', message: 'there: no answer' })),
    };
    const [ended] = await doDueJobs(core, { 'replicate-image': replicateImageJob(core.dependencies, away) });
    assert.equal(ended?.outcome, 'retried');
    assert.match(String(ended?.error), /DestinationUnavailable: there: no answer/);
    const failureCode = 'DestinationUnavailable';
    assert.deepEqual(await statusOf('v1'), [{ destination: west, status: 'IN_PROGRESS', failureCode }]);
    const { read } = core.dependencies.metadata;
    const [before] = await read.replication.statusesOf(1);
    core.pass(10);
    await doDueJobs(core, { 'replicate-image': replicateImageJob(core.dependencies, away) });
    assert.deepEqual(await read.replication.statusesOf(1), [before]);
    const { attemptsMax, retrySeconds } = replicateImageJob(core.dependencies, away);
    const waits = Array.from({ length: attemptsMax - 1 }, (_, at) => retrySeconds(at + 1));
    assert.equal(Math.max(...waits), 300);
    const days = waits.reduce((sum, seconds) => sum + seconds, 0) / 86_400;
    assert.ok(days > 6.9 && days < 7.1, `${days} days`);
    const [image] = await core.images.describeMany(call, { repositoryName: 'one', imageIds: [{ imageTag: 'v1' }] });
    const wanted = { repositoryId: 1, digest: image!.digest, tag: 'v1', destination: west };
    const { signal } = new AbortController();
    await assert.rejects(replicateImage(core.dependencies, away, wanted, { signal, isLast: true }));
    assert.deepEqual(await statusOf('v1'), [{ destination: west, status: 'FAILED', failureCode }]);
  });

  it('lets one copy at a time go to a destination that does not answer', async () => {
    const silent = createSilentDestinations();
    const gone = () => Promise.reject(new UpstreamError({ code: 'unavailable', host: 'there', message: 'no answer' }));
    await assert.rejects(silent.guard('there', gone), /no answer/);
    const waiting = Promise.withResolvers<string>();
    const asked = silent.guard('there', () => waiting.promise);
    await assert.rejects(
      silent.guard('there', async () => 'second'),
      /not tried: there does not answer/,
    );
    assert.equal(await silent.guard('elsewhere', async () => 'other'), 'other');
    waiting.resolve('first');
    assert.equal(await asked, 'first');
    assert.equal(await silent.guard('there', async () => 'third'), 'third');
  });

  it('lets other copies go as soon as the destination answers one, however long that takes', async () => {
    const silent = createSilentDestinations();
    const gone = () => Promise.reject(new UpstreamError({ code: 'unavailable', host: 'there', message: 'no answer' }));
    await assert.rejects(silent.guard('there', gone), /no answer/);
    const large = Promise.withResolvers<void>();
    const asked = silent.guard('there', (answered) => {
      answered();
      return large.promise;
    });
    assert.equal(await silent.guard('there', async () => 'second'), 'second');
    large.resolve();
    await asked;
  });

  it('copies what is restored from the archive, with its tags', async () => {
    await using setup = await replicating();
    const { core, work } = setup;
    await core.replication.putRules(call, []);
    const image = await pushedImage(core, 'one', 'a', 'v1');
    const imageId = { imageTag: 'v1' };
    await core.images.updateStorageClass(call, { repositoryName: 'one', imageId, storageClass: 'ARCHIVE' });
    await core.replication.putRules(call, [{ destinations: [west], prefixes: [] }]);
    await core.images.updateStorageClass(call, { repositoryName: 'one', imageId, storageClass: 'STANDARD' });
    await restoreBytes(
      core.dependencies,
      { repositoryId: 1, digest: image.digest as Digest },
      new AbortController().signal,
    );
    await work();
    assert.equal((await tagThere(core, 'v1'))?.digest, image.digest);
  });

  it('says of an image that was archived before it was copied that it was not', async () => {
    await using setup = await replicating();
    const { core, work, statusOf } = setup;
    await pushedImage(core, 'one', 'a', 'v1');
    const change = { repositoryName: 'one', imageId: { imageTag: 'v1' }, storageClass: 'ARCHIVE' } as const;
    await core.images.updateStorageClass(call, change);
    await work();
    assert.deepEqual(await statusOf('v1'), [{ destination: west, status: 'FAILED', failureCode: 'ImageArchived' }]);
    assert.equal((await eventsIn(core, west.region)).at(-1)?.detail.result, 'FAILED');
  });

  it('ends for destinations that are configured no more, and for images that are gone', async () => {
    await using setup = await replicating();
    const { core, work, statusOf } = setup;
    await pushedImage(core, 'one', 'a', 'v1');
    await core.replication.putRules(call, []);
    await work();
    const failureCode = 'DestinationNotConfigured';
    assert.deepEqual(await statusOf('v1'), [{ destination: west, status: 'FAILED', failureCode }]);
    await core.replication.putRules(call, [{ destinations: [west], prefixes: [] }]);
    await pushedImage(core, 'one', 'b', 'v2');
    await core.images.deleteMany(call, { repositoryName: 'one', imageIds: [{ imageTag: 'v2' }] });
    assert.deepEqual(
      (await work()).map(({ outcome }) => outcome),
      ['done'],
    );
    assert.equal(await tagThere(core, 'v2'), undefined);
  });

  it('makes the repository as a creation template for replication says', async () => {
    await using setup = await replicating();
    const { core, work } = setup;
    const template = { prefix: 'ROOT', appliedFor: ['REPLICATION'], imageTagMutability: 'IMMUTABLE' } as const;
    await core.creationTemplates.create(elsewhere, template);
    await pushedImage(core, 'one', 'a', 'v1');
    await work();
    assert.equal((await core.repositories.get(elsewhere, 'one')).imageTagMutability, 'IMMUTABLE');
  });

  it('keeps a quota of the destination, says so, and tries again', async () => {
    await using core = await coreUnderTest({}, { 'images-per-repository': 1 });
    const box = createSecretBox(randomBytes(32), randomBytes);
    const parts = { authorizer: openAuthorizer, box, connect: () => assert.fail() };
    const handler = replicateImageJob(core.dependencies, createDestinations(core.dependencies, parts));
    await core.replication.putRules(call, [{ destinations: [west], prefixes: [] }]);
    await core.repositories.create(elsewhere, { repositoryName: 'one' });
    await core.replication.putRules(elsewhere, []);
    const { images } = core;
    await pushedImage(core, 'one', 'a', 'v1');
    await doDueJobs(core, { 'replicate-image': handler });
    await images.deleteMany(call, { repositoryName: 'one', imageIds: [{ imageTag: 'v1' }] });
    await pushedImage(core, 'one', 'b', 'v2');
    const [ended] = await doDueJobs(core, { 'replicate-image': handler });
    assert.equal(ended?.outcome, 'retried');
    const { statuses } = await core.replication.imageStatuses(call, {
      repositoryName: 'one',
      imageId: { imageTag: 'v2' },
    });
    assert.deepEqual(statuses, [{ destination: west, status: 'FAILED', failureCode: 'LimitExceeded' }]);
    await images.deleteMany(elsewhere, { repositoryName: 'one', imageIds: [{ imageTag: 'v1' }] });
    core.pass(10);
    await doDueJobs(core, { 'replicate-image': handler });
    assert.equal((await tagThere(core, 'v2'))?.status, 'ACTIVE');
  });
});
