import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { secondsAfter } from '../../src/core/dependencies.ts';
import type { Digest } from '../../src/core/values/digest.ts';
import { call } from './core-under-test.ts';
import { doDueJobs } from './due-jobs.ts';
import {
  any,
  archive,
  archivedBefore,
  moreThan,
  pulledBefore,
  pushedBefore,
  rule,
  tagged,
  untagged,
} from './lifecycle-rules.ts';
import { DAY_SECONDS, lifecycleWorld, repositoryName } from './lifecycle-world.ts';

describe('a run of a lifecycle policy', () => {
  it('takes images with all that follows, and notes when it looked', async () => {
    await using world = await lifecycleWorld({ undoSeconds: 1000 });
    const { metadata, now } = world.dependencies;
    await world.policy({ rules: [rule(1, { ...tagged('v*'), ...moreThan(1) })] });
    const [old, kept] = [await world.push('a', { tags: ['v1', 'other'] }), await world.push('b', { tags: ['v2'] })];
    const loose = await world.push('c');
    assert.equal((await metadata.read.lifecycle.policy(world.repositoryId))?.evaluatedAt, undefined);
    world.pass(10);
    const report = await world.apply();
    assert.partialDeepStrictEqual(report, { images: 3, expired: 1, transitioned: 0, failed: 0, changed: 0 });
    assert.deepEqual(report.evaluatedAt, now());
    assert.deepEqual(await world.active(), [kept.digest, loose.digest].sort());
    assert.deepEqual((await metadata.read.lifecycle.policy(world.repositoryId))?.evaluatedAt, now());

    const deleted = await metadata.read.history.deletedImage(world.repositoryId, old.digest as Digest);
    assert.partialDeepStrictEqual(deleted, { tags: ['other', 'v1'], cause: 'lifecycle', principal: '' });
    const [change] = await metadata.read.history.tagChanges(world.repositoryId, 'v1', undefined, 10);
    assert.partialDeepStrictEqual(change, { cause: 'lifecycle', principal: '' });
    assert.equal(change?.digest, undefined);
    const events = (await metadata.read.events.after(0, 100)).map(({ event }) => event).slice(-3);
    assert.deepEqual(
      events.map((event) => [event.kind, 'tag' in event ? event.tag : undefined]),
      [
        ['image-deleted', 'other'],
        ['image-deleted', 'v1'],
        ['lifecycle-applied', undefined],
      ],
    );
    assert.partialDeepStrictEqual(events[2], { repositoryName, expired: 1, transitioned: 0, failed: 0 });
  });

  it('leaves alone what is on its way back from the archive, however old it is', async () => {
    await using world = await lifecycleWorld();
    const { metadata } = world.dependencies;
    const rules = [
      rule(1, { ...tagged('*'), ...pulledBefore(1) }, archive),
      rule(2, { ...untagged, ...pushedBefore(1) }),
    ];
    await world.policy({ rules });
    const [named, loose] = [await world.push('a', { tags: ['a'] }), await world.push('b')];
    world.pass(100 * DAY_SECONDS);
    await metadata.transaction('alone', async ({ images }) => {
      for (const { digest } of [named, loose]) {
        const { id } = (await images.find(world.repositoryId, digest as Digest))!;
        await images.setStatus(id, { status: 'ACTIVATING' });
      }
    });
    assert.partialDeepStrictEqual(await world.apply(), { images: 2, expired: 0, transitioned: 0, changed: 0 });
    await world.policy({ rules: [rule(1, { ...any, ...moreThan(1) })] });
    await world.apply();
    const left = await metadata.read.lifecycle.images(world.repositoryId, '', 10);
    assert.deepEqual(
      left.map(({ status }) => status),
      ['ACTIVATING', 'ACTIVATING'],
    );
  });

  it('announces nothing when there was nothing to do', async () => {
    await using world = await lifecycleWorld();
    await world.policy({ rules: [rule(1, { ...any, ...moreThan(10) })] });
    await world.push('a');
    const before = await world.dependencies.metadata.read.events.lastId();
    assert.partialDeepStrictEqual(await world.apply(), { images: 1, expired: 0 });
    assert.equal(await world.dependencies.metadata.read.events.lastId(), before);
  });

  it('leaves children of an index until it has gone, and says which', async () => {
    await using world = await lifecycleWorld();
    await world.policy({
      rules: [rule(3, { ...untagged, ...pushedBefore(1) }), rule(4, { ...any, ...pushedBefore(2) })],
    });
    const children = [await world.push('a'), await world.push('b')];
    world.pass(DAY_SECONDS);
    const index = await world.pushIndex(children, ['multi']);
    world.pass(100);
    const report = await world.apply();
    assert.partialDeepStrictEqual(report, { expired: 0, failed: 2 });
    assert.deepEqual(
      report.failures,
      children.map(({ digest }) => ({
        digest,
        rulePriority: 3,
        failureCode: 'ImageReferencedByManifestList',
        failureReason: `Requested image referenced by manifest list: [${index.digest}]`,
      })),
    );
    world.pass(2 * DAY_SECONDS);
    assert.partialDeepStrictEqual(await world.apply(), { expired: 1, failed: 2 });
    assert.deepEqual(await world.active(), children.map(({ digest }) => digest).sort());
    assert.partialDeepStrictEqual(await world.apply(), { expired: 2, failed: 0 });
    assert.deepEqual(await world.active(), []);
  });

  it('takes an index and its children together where they are one image', async () => {
    await using world = await lifecycleWorld({ lifecycleExtensions: true });
    await world.policy({ rules: [rule(1, { ...any, ...moreThan(1) })], imageUnit: 'index' });
    const [first, second] = [await world.push('a'), await world.push('b')];
    await world.pushIndex([first], ['old']);
    const index = await world.pushIndex([second], ['new']);
    assert.partialDeepStrictEqual(await world.apply(), { expired: 2, failed: 0 });
    assert.deepEqual(await world.active(), [index.digest, second.digest].sort());
  });

  it('archives what is to be archived, an index before its children, and expires it out of the archive', async () => {
    await using world = await lifecycleWorld();
    await world.policy({
      rules: [rule(1, { ...any, ...pushedBefore(1) }, archive), rule(2, { ...any, ...archivedBefore(90) })],
    });
    const child = await world.push('a');
    const index = await world.pushIndex([child], ['multi']);
    const later = DAY_SECONDS + 100;
    world.pass(later);
    const young = await world.push('b');
    // The child is the older and comes first; its index is still active then.
    assert.partialDeepStrictEqual(await world.apply(), { transitioned: 1, failed: 1 });
    assert.deepEqual(await world.archived(), [index.digest]);
    assert.partialDeepStrictEqual(await world.apply(), { transitioned: 1, failed: 0 });
    assert.deepEqual(await world.archived(), [index.digest, child.digest].sort());
    assert.deepEqual(await world.active(), [young.digest]);
    world.pass(90 * DAY_SECONDS);
    await world.apply();
    assert.deepEqual(await world.archived(), [index.digest, child.digest, young.digest].sort());
    world.pass(1);
    assert.partialDeepStrictEqual(await world.apply(), { expired: 1, failed: 1 });
    assert.partialDeepStrictEqual(await world.apply(), { expired: 1, failed: 0 });
    assert.deepEqual(await world.archived(), [young.digest]);
  });

  it('takes referrers along', async () => {
    await using world = await lifecycleWorld();
    await world.policy({ rules: [rule(1, { ...tagged('v*'), ...moreThan(1) })] });
    const old = await world.push('a', { tags: ['v1'] });
    const bill = await world.push('bill', { subject: old });
    await world.push('signature of the bill', { tags: ['sig'], subject: bill });
    const kept = await world.push('b', { tags: ['v2'] });
    const signature = await world.push('signature', { subject: kept });
    await doDueJobs(world, world.handlers);
    await world.apply();
    await doDueJobs(world, world.handlers);
    assert.deepEqual(await world.active(), [kept.digest, signature.digest].sort());
  });

  it('is started for every repository with a policy, once for each', async () => {
    await using world = await lifecycleWorld();
    const { metadata, now } = world.dependencies;
    await world.policy({ rules: [rule(1, { ...any, ...moreThan(1) })] });
    for (const word of ['a', 'b', 'c']) await world.push(word);
    const start = () =>
      metadata.transaction('alone', ({ jobs }) => jobs.enqueue({ kind: 'start-lifecycle', payload: {} }, now()));
    await start();
    await start();
    const { 'apply-lifecycle': apply, ...starters } = world.handlers;
    await doDueJobs(world, starters);
    assert.deepEqual(
      (await doDueJobs(world, { ...(apply && { 'apply-lifecycle': apply }) })).map(({ outcome }) => outcome),
      ['done'],
    );
    assert.partialDeepStrictEqual(world.reports, [{ expired: 2, repository: { name: repositoryName } }]);
  });
});

describe('a run of a lifecycle policy that is met by', () => {
  const keepOne = { rules: [rule(1, { ...any, ...moreThan(1) })] };

  it('changes of its images leaves those alone until the next', async () => {
    await using world = await lifecycleWorld();
    await world.policy(keepOne);
    const [tagsIt, untagsIt, deletesIt, goes] = [
      await world.push('a'),
      await world.push('b', { tags: ['gone'] }),
      await world.push('c'),
      await world.push('d'),
    ];
    const kept = await world.push('e');
    const report = await world.applyMeeting(async () => {
      await world.images.put(call, { repositoryName, manifest: tagsIt.bytes, tag: 'new' });
      await world.images.put(call, { repositoryName, manifest: goes.bytes, idempotent: true });
      await world.images.put(call, { repositoryName, manifest: kept.bytes, tag: 'gone' });
      await world.images.delete(call, { repositoryName, reference: { digest: deletesIt.digest } });
    });
    assert.partialDeepStrictEqual(report, { expired: 1, changed: 3 });
    assert.deepEqual(await world.active(), [tagsIt.digest, untagsIt.digest, kept.digest].sort());
    assert.partialDeepStrictEqual(await world.apply(), { expired: 2, changed: 0 });
  });

  it('the same image pushed anew leaves that alone', async () => {
    await using world = await lifecycleWorld();
    await world.policy(keepOne);
    const [again, kept] = [await world.push('a'), await world.push('b')];
    const report = await world.applyMeeting(async () => {
      await world.images.delete(call, { repositoryName, reference: { digest: again.digest } });
      await world.images.put(call, { repositoryName, manifest: again.bytes });
    });
    assert.partialDeepStrictEqual(report, { expired: 0, changed: 1 });
    assert.deepEqual(await world.active(), [again.digest, kept.digest].sort());
  });

  it('an index that lists one of its images leaves that alone', async () => {
    await using world = await lifecycleWorld();
    await world.policy(keepOne);
    const child = await world.push('a');
    await world.push('b');
    assert.partialDeepStrictEqual(await world.applyMeeting(() => world.pushIndex([child])), { expired: 0, failed: 1 });
  });

  it('pulls leaves alone what goes for want of them, and nothing else', async () => {
    await using world = await lifecycleWorld();
    const { metadata, now } = world.dependencies;
    await world.policy({
      rules: [rule(1, { ...tagged('*'), ...pulledBefore(1) }, archive), rule(2, { ...untagged, ...pushedBefore(1) })],
    });
    const [pulled, loose] = [await world.push('a', { tags: ['a'] }), await world.push('b')];
    const forgotten = await world.push('c', { tags: ['c'] });
    world.pass(2 * DAY_SECONDS);
    const pull = (digest: string) => ({ repositoryId: world.repositoryId, digest: digest as Digest, at: now() });
    const report = await world.applyMeeting(() =>
      metadata.transaction('alone', async ({ pullTimes }) => {
        for (const { digest } of [pulled, loose]) await pullTimes.record(pull(digest), secondsAfter(now(), -60));
      }),
    );
    assert.partialDeepStrictEqual(report, { expired: 1, transitioned: 1, changed: 1 });
    assert.deepEqual(await world.active(), [pulled.digest]);
    assert.deepEqual(await world.archived(), [forgotten.digest]);
  });

  it('images with a thousand tags hold up nobody: each has a transaction of its own', async () => {
    await using world = await lifecycleWorld();
    const { metadata, now } = world.dependencies;
    await world.policy({ rules: [rule(1, { ...any, ...moreThan(1) })] });
    for (const word of ['a', 'b', 'c', 'd']) {
      const { digest } = await world.push(word);
      await metadata.transaction('alone', async ({ images }) => {
        const { id } = (await images.find(world.repositoryId, digest as Digest))!;
        for (let tag = 0; tag < 1000; tag++) await images.tag(world.repositoryId, `${word}${tag}`, id, now());
      });
    }
    const progress: number[] = [];
    await world.apply({ onProgress: ({ expired }) => progress.push(expired) });
    assert.deepEqual(progress, [1, 2, 3]);
  });

  it('another policy, or the end of it, stops there', async () => {
    for (const end of ['replaced', 'deleted', 'repository deleted'] as const) {
      await using world = await lifecycleWorld();
      await world.policy(keepOne);
      for (let count = 0; count < 60; count++) await world.push(String(count));
      const report = await world.applyMeeting(async () => {
        if (end === 'replaced') await world.policy({ rules: [rule(1, { ...any, ...moreThan(30) })] });
        if (end === 'deleted') await world.lifecycle.deletePolicy(call, repositoryName);
        if (end === 'repository deleted') await world.repositories.delete(call, { repositoryName, force: true });
      }, 2);
      assert.partialDeepStrictEqual(report, { expired: 50, changed: 0 });
      if (end !== 'replaced') continue;
      // The new one was not applied yet, whatever the old one did.
      assert.deepEqual(Object.keys(await world.lifecycle.getPolicy(call, repositoryName)), ['document']);
      assert.partialDeepStrictEqual(await world.apply(), { images: 10, expired: 0 });
    }
  });

  it('the end of the server goes on after it', async () => {
    await using world = await lifecycleWorld();
    await world.policy(keepOne);
    for (let count = 0; count < 120; count++) await world.push(String(count));
    const stop = new AbortController();
    const stopping = world.apply({ signal: stop.signal, onProgress: () => stop.abort() });
    await assert.rejects(stopping, { name: 'AbortError' });
    assert.equal((await world.active()).length, 70);
    const { metadata } = world.dependencies;
    assert.equal((await world.lifecycle.getPolicy(call, repositoryName)).evaluatedAt, undefined);
    const last = async () => (await metadata.read.events.find(await metadata.read.events.lastId()))?.event;
    assert.partialDeepStrictEqual(await last(), { kind: 'lifecycle-applied', expired: 50 });
    const crash = new Error('the disk is gone');
    await assert.rejects(
      world.applyMeeting(() => Promise.reject(crash), 2),
      crash,
    );
    assert.equal((await world.active()).length, 20);
    assert.partialDeepStrictEqual(await world.apply(), { images: 20, expired: 19 });
    assert.partialDeepStrictEqual(await last(), { kind: 'lifecycle-applied', expired: 19 });
  });

  it('another run does with it what one would', async () => {
    await using world = await lifecycleWorld();
    await world.policy(keepOne);
    for (let count = 0; count < 120; count++) await world.push(String(count));
    const [one, other] = await Promise.all([world.apply(), world.apply()]);
    assert.equal(one.expired + other.expired, 119);
    assert.equal((await world.active()).length, 1);
  });
});
