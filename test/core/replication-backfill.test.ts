import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { openAuthorizer } from '../../src/core/access/authorizer.ts';
import type { Call } from '../../src/core/access/caller.ts';
import { createSecretBox } from '../../src/core/access/secret-box.ts';
import { createDestinations, type Destinations } from '../../src/core/replication/destinations.ts';
import { UpstreamError } from '../../src/core/upstreams/upstream.ts';
import { runBackfillJob } from '../../src/jobs/replication-jobs.ts';
import { mediaTypes } from '../support/images.ts';
import { call, coreUnderTest } from './core-under-test.ts';
import { doDueJobs } from './due-jobs.ts';
import { indexManifest, manifestBlob, pushedImage } from './manifests.ts';
import { replicating, through, west } from './replicating.ts';

const EMPTY_INDEX = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [] };
const elsewhere: Call = { ...call, registry: west };

describe('a backfill', () => {
  it('waits where time may mend the trouble', async () => {
    await using setup = await replicating();
    const { core, destinations, work } = setup;
    await core.replication.putRules(call, []);
    const child = await pushedImage(core, 'one', 'a');
    const index = indexManifest([child]);
    await core.images.put(call, { repositoryName: 'one', manifest: index.bytes, tag: 'multi' });
    await core.replication.putRules(call, [{ destinations: [west], prefixes: [] }]);
    const lacking: Destinations = {
      ...destinations,
      with: (place, copy) =>
        destinations.with(place, (target) => copy({ ...target, putBlob: () => Promise.reject(new Error('trouble')) })),
    };
    const { id } = await core.backfills.start(call, west);
    const [ended] = await work(lacking);
    // Trouble that time may mend is no result: the backfill goes on later.
    assert.equal(ended?.outcome, 'retried');
    assert.equal((await core.backfills.results(call, { id, afterPosition: 0, limit: 9 })).results, undefined);
    core.pass(10);
    await work();
    const { backfill, results } = await core.backfills.results(call, { id, afterPosition: 0, limit: 9 });
    assert.equal(backfill.status, 'COMPLETE');
    assert.deepEqual(
      results?.map(({ digest, tag, status }) => [digest, tag, status]).sort(),
      [
        [child.digest, '', 'COMPLETE'],
        [index.digest, 'multi', 'COMPLETE'],
      ].sort(),
    );
  });

  it('says why an image could not be copied, and of itself that it failed when none could', async () => {
    await using core = await coreUnderTest({}, { 'images-per-repository': 2 });
    const box = createSecretBox(randomBytes(32), randomBytes);
    const parts = { authorizer: openAuthorizer, box, connect: () => assert.fail() };
    const handler = runBackfillJob(core.dependencies, createDestinations(core.dependencies, parts));
    await core.replication.putRules(call, [{ destinations: [west], prefixes: [] }]);
    await core.repositories.create(elsewhere, { repositoryName: 'one' });
    for (const word of ['x', 'y']) {
      const manifest = manifestBlob({ ...EMPTY_INDEX, annotations: { word } });
      await core.images.put(elsewhere, { repositoryName: 'one', manifest: manifest.bytes });
    }
    const child = await pushedImage(core, 'one', 'a');
    const index = indexManifest([child]);
    await core.images.put(call, { repositoryName: 'one', manifest: index.bytes, tag: 'multi' });
    const { id } = await core.backfills.start(call, west);
    await doDueJobs(core, { 'run-backfill': handler });
    const { backfill, results = [] } = await core.backfills.results(call, { id, afterPosition: 0, limit: 9 });
    assert.partialDeepStrictEqual(backfill, { status: 'FAILED', failureCode: 'LimitExceeded', total: 2, failed: 2 });
    const ofIndex = results.find(({ digest }) => digest === index.digest);
    assert.deepEqual(ofIndex?.subImageFailureCodes, ['LimitExceeded']);
    const ofChild = results.find(({ digest }) => digest === child.digest);
    assert.partialDeepStrictEqual(ofChild, { status: 'FAILED', failureCode: 'LimitExceeded' });
    assert.equal(ofChild?.subImageFailureCodes, undefined);
  });

  it('goes on with other images while one makes trouble, and has that tried until it is given up', async () => {
    await using setup = await replicating();
    const { core, destinations, backfillOf } = setup;
    const images = [];
    for (let at = 0; at < 20; at++) images.push(await pushedImage(core, 'one', `image ${at}`, `v${at}`));
    // Of the order that they are copied in, the first.
    const digests = images.map(({ digest }) => digest).sort();
    const [bad] = digests;
    const troubled = through(destinations, (target) => ({
      putManifest: (manifest, ...more) =>
        manifest.digest === bad ? Promise.reject(new Error('trouble')) : target.putManifest(manifest, ...more),
    }));
    const backfill = await backfillOf();
    const handler = runBackfillJob(core.dependencies, troubled);
    const [ended] = await doDueJobs(core, { 'run-backfill': handler });
    assert.equal(ended?.outcome, 'retried');
    assert.partialDeepStrictEqual(await backfill(), { status: 'IN_PROGRESS', completed: 19, failed: 0 });
    const { signal } = new AbortController();
    const { id } = await backfill();
    await handler.run({ backfillId: id }, { signal, attempts: handler.attemptsMax });
    const failed = { status: 'COMPLETE', total: 20, completed: 19, failed: 1, failureCodes: ['InternalError'] };
    assert.partialDeepStrictEqual(await backfill(), failed);
  });

  it('that has waited for its destination long enough fails for that', async () => {
    await using setup = await replicating();
    const { core, destinations, backfillOf } = setup;
    for (const tag of ['v1', 'v2', 'v3']) await pushedImage(core, 'one', tag, tag);
    let asked = 0;
    const away: Destinations = {
      ...destinations,
      with() {
        asked += 1;
        return Promise.reject(new UpstreamError({ code: 'unavailable', host: 'there', message: 'there: no answer' }));
      },
    };
    const backfill = await backfillOf();
    const { id } = await backfill();
    const handler = runBackfillJob(core.dependencies, away);
    const { signal } = new AbortController();
    await assert.rejects(handler.run({ backfillId: id }, { signal, attempts: 1 }), /DestinationUnavailable/);
    assert.equal(asked, 1);
    const last = { signal, attempts: handler.attemptsMax };
    await assert.rejects(handler.run({ backfillId: id }, last), /DestinationUnavailable/);
    assert.equal(asked, 2);
    assert.partialDeepStrictEqual(await backfill(), { status: 'FAILED', failureCode: 'DestinationUnavailable' });
  });

  it('counts an image once that two servers copy, and one that was under way when it was stopped', async () => {
    await using setup = await replicating();
    const { core, destinations, backfillOf } = setup;
    for (const tag of ['v1', 'v2', 'v3']) await pushedImage(core, 'one', tag, tag);
    const backfill = await backfillOf();
    const { id } = await backfill();
    const { signal } = new AbortController();
    const run = (using: Destinations) =>
      runBackfillJob(core.dependencies, using).run({ backfillId: id }, { signal, attempts: 1 });
    let isFirst = true;
    const doubled = through(destinations, (target) => ({
      async putManifest(...manifest) {
        const wasFirst = isFirst;
        isFirst = false;
        if (wasFirst) await run(destinations);
        return target.putManifest(...manifest);
      },
    }));
    await run(doubled);
    assert.partialDeepStrictEqual(await backfill(), { status: 'COMPLETE', total: 3, completed: 3 });
    await core.repositories.delete(elsewhere, { repositoryName: 'one', force: true });
    const second = await backfillOf();
    const stopped = (await second()).id;
    const stopping = through(destinations, (target) => ({
      async putManifest(...manifest) {
        await core.backfills.stop(call, stopped).catch(() => {});
        await runBackfillJob(core.dependencies, destinations).run({ backfillId: stopped }, { signal, attempts: 1 });
        return target.putManifest(...manifest);
      },
    }));
    await runBackfillJob(core.dependencies, stopping).run({ backfillId: stopped }, { signal, attempts: 1 });
    assert.partialDeepStrictEqual(await second(), { status: 'STOPPED', total: 3, completed: 1 });
  });

  it('vanishes ninety days after its end', async () => {
    await using setup = await replicating();
    const { core, work } = setup;
    const { id } = await core.backfills.start(call, west);
    await work();
    const listed = async () => (await core.backfills.list(call, { limit: 9 })).backfills.map((each) => each.id);
    core.pass(90 * 24 * 3600 - 10);
    assert.deepEqual(await listed(), [id]);
    core.pass(20);
    assert.deepEqual(await listed(), []);
    const second = await core.backfills.start(call, west);
    assert.equal(await core.dependencies.metadata.read.backfills.findById(id), undefined);
    assert.deepEqual(await listed(), [second.id]);
  });
});
