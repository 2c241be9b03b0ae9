import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Call } from '../../src/core/access/caller.ts';
import type { MetadataStore } from '../../src/core/metadata-store.ts';
import { createPullTimes } from '../../src/core/pull-times/pull-times.ts';
import type { Digest } from '../../src/core/values/digest.ts';
import { digestOf } from '../support/images.ts';
import { accountId, type CoreUnderTest, call, coreUnderTest, kindOf, registry } from './core-under-test.ts';
import { indexManifest, pushedImage } from './manifests.ts';

const USER = `arn:aws:iam::${accountId}:user/somebody`;
const ROLE = `arn:aws:iam::${accountId}:role/scanner`;
const asUser = callOf({ kind: 'user', arn: USER });
const asRole = callOf({
  kind: 'assumed-role',
  arn: `arn:aws:sts::${accountId}:assumed-role/scanner/s`,
  roleArn: ROLE,
});

function callOf(caller: Partial<Call['caller']>): Call {
  return { registry, caller: { ...call.caller, ...caller } };
}

const pull = (core: CoreUnderTest, reference: { tag: string } | { digest: string }, by = call) =>
  core.images.getManifest(by, { repositoryName: 'one', reference });

/** When it was pulled in seconds since the clock's start, by what DescribeImages says. */
async function pulledAfter(core: CoreUnderTest, imageDigest: string): Promise<number | undefined> {
  const [image] = await core.images.describeMany(call, { repositoryName: 'one', imageIds: [{ imageDigest }] });
  return image?.pulledAt && (image.pulledAt.getTime() - Date.parse('2026-03-01T00:00:00Z')) / 1000;
}

test('pulls by tag, by digest and in batches are recorded by a flush, and not before', async () => {
  await using core = await coreUnderTest();
  const images = [];
  for (const name of ['a', 'b', 'c', 'd']) images.push(await pushedImage(core, 'one', name, name));
  const [byTag, byDigest, inBatch, alone] = images as [Image, Image, Image, Image];
  core.pass(10);
  await pull(core, { tag: 'a' });
  await pull(core, { digest: byDigest.digest });
  const imageIds = [{ imageDigest: inBatch.digest }, { imageTag: 'nobody' }];
  await core.images.getMany(call, { repositoryName: 'one', imageIds });
  for (const { digest } of images) assert.equal(await pulledAfter(core, digest), undefined);
  core.pass(5);
  await core.pullTimes.flush();
  for (const { digest } of [byTag, byDigest, inBatch]) assert.equal(await pulledAfter(core, digest), 10);
  assert.equal(await pulledAfter(core, alone.digest), undefined);
});

test('a look is no pull, nor is what was refused', async () => {
  await using core = await coreUnderTest();
  const { digest } = await pushedImage(core, 'one', 'a', 'a');
  await core.images.getManifest(call, { repositoryName: 'one', reference: { tag: 'a' }, isLook: true });
  assert.equal(await kindOf(pull(core, { tag: 'b' })), 'image-not-found');
  const acceptedMediaTypes = ['application/other'];
  await core.images.getMany(call, { repositoryName: 'one', imageIds: [{ imageTag: 'a' }], acceptedMediaTypes });
  await core.pullTimes.flush();
  assert.equal(await pulledAfter(core, digest), undefined);
});

test('pulls that follow each other within a minute are recorded once', async () => {
  await using core = await coreUnderTest();
  const { digest } = await pushedImage(core, 'one', 'a', 'a');
  for (const [seconds, recorded] of [
    [100, 100],
    [59, 100],
    [1, 160],
  ] as const) {
    core.pass(seconds);
    await pull(core, { tag: 'a' });
    await core.pullTimes.flush();
    assert.equal(await pulledAfter(core, digest), recorded);
  }
});

test('the pull of a child counts for the indexes that list it, that of an index not for its children', async () => {
  await using core = await coreUnderTest();
  const child = await pushedImage(core, 'one', 'child');
  const other = await pushedImage(core, 'one', 'other');
  const index = indexManifest([child, other]);
  await core.images.put(call, { repositoryName: 'one', manifest: index.bytes, tag: 'multi' });
  core.pass(10);
  await pull(core, { tag: 'multi' });
  await core.pullTimes.flush();
  assert.equal(await pulledAfter(core, index.digest), 10);
  assert.equal(await pulledAfter(core, child.digest), undefined);
  core.pass(90);
  await pull(core, { digest: child.digest });
  await core.pullTimes.flush();
  assert.equal(await pulledAfter(core, index.digest), 100);
  assert.equal(await pulledAfter(core, child.digest), 100);
  assert.equal(await pulledAfter(core, other.digest), undefined);
});

test('pulls by excluded roles and users do not count, those of others do', async () => {
  await using core = await coreUnderTest();
  const { digest } = await pushedImage(core, 'one', 'a', 'a');
  await pull(core, { tag: 'a' }, asUser);
  core.pass(100);
  await pull(core, { tag: 'a' }, asRole);
  // What counts is what holds when pulls are recorded; another registry's exclusions do not.
  await core.pullTimeExclusions.register(call, ROLE);
  await core.pullTimeExclusions.register({ ...call, registry: { ...registry, region: 'eu-west-1' } }, USER);
  await core.pullTimes.flush();
  assert.equal(await pulledAfter(core, digest), 0);
  await core.pullTimeExclusions.register(call, USER);
  await pull(core, { tag: 'a' }, asUser);
  await core.pullTimes.flush();
  assert.equal(await pulledAfter(core, digest), 0);
  await core.pullTimeExclusions.deregister(call, ROLE);
  await pull(core, { tag: 'a' }, asRole);
  await core.pullTimes.flush();
  assert.equal(await pulledAfter(core, digest), 100);
});

test('of several who pull an image the last one counts', async () => {
  await using core = await coreUnderTest();
  const [one, other] = [await pushedImage(core, 'one', 'a', 'a'), await pushedImage(core, 'one', 'b', 'b')];
  await pull(core, { tag: 'a' }, asUser);
  await pull(core, { tag: 'b' }, asUser);
  core.pass(100);
  for (const tag of ['a', 'b']) await pull(core, { tag }, asRole);
  core.pass(100);
  await pull(core, { tag: 'b' }, asUser);
  await core.pullTimes.flush();
  assert.equal(await pulledAfter(core, one.digest), 100);
  assert.equal(await pulledAfter(core, other.digest), 200);
});

test('what could not be recorded is recorded by the next flush', async () => {
  await using core = await coreUnderTest();
  const { digest } = await pushedImage(core, 'one', 'a', 'a');
  const repositoryId = (await core.repositories.get(call, 'one')).id;
  const broken = failingStore(core.dependencies.metadata);
  const pullTimes = createPullTimes({ ...core.dependencies, metadata: broken.store }, () => {});
  pullTimes.note(call, repositoryId, digest as Digest);
  broken.fails = true;
  await assert.rejects(pullTimes.flush(), /disk is gone/);
  core.pass(7);
  broken.fails = false;
  await pullTimes.flush();
  assert.equal(await pulledAfter(core, digest), 0);
});

test('of two servers the later pull counts, in whatever order they record', async () => {
  await using core = await coreUnderTest();
  const { digest } = await pushedImage(core, 'one', 'a', 'a');
  const { id } = await core.repositories.get(call, 'one');
  const [first, second] = [1, 2].map(() => createPullTimes(core.dependencies, () => {})) as [Pulls, Pulls];
  first.note(call, id, digest as Digest);
  core.pass(1000);
  second.note(call, id, digest as Digest);
  await second.flush();
  await first.flush();
  assert.equal(await pulledAfter(core, digest), 1000);
});

test('many pulls are recorded early, and memory is bounded while they cannot be', async () => {
  await using core = await coreUnderTest();
  const { id } = await core.repositories.get(call, 'one');
  const broken = failingStore(core.dependencies.metadata);
  const failures: unknown[] = [];
  const pullTimes = createPullTimes({ ...core.dependencies, metadata: broken.store }, (error) => failures.push(error));
  const noteSome = (from: number, to: number) => {
    for (let at = from; at < to; at++) pullTimes.note(call, id, digestOf(`${at}`) as Digest);
  };
  noteSome(0, 9_999);
  assert.equal(broken.transactions, 0);
  noteSome(9_999, 10_000);
  await pullTimes.flush();
  assert.equal(broken.transactions, 20);
  broken.transactions = 0;
  noteSome(0, 35_000);
  await pullTimes.flush();
  assert.equal(broken.transactions, 40);
  broken.fails = true;
  noteSome(0, 35_000);
  await assert.rejects(pullTimes.flush());
  assert.equal(failures.length > 0, true);
  broken.fails = false;
  broken.transactions = 0;
  await pullTimes.flush();
  assert.equal(broken.transactions, 40);
  await pullTimes.flush();
  assert.equal(broken.transactions, 40);
});

test('exclusions are listed in pages, each once, up to the quota', async () => {
  await using core = await coreUnderTest({}, { 'pull-time-exclusions': 3 });
  const arn = (name: string) => `arn:aws:iam::999988887777:role/${name}`;
  const { register, deregister, list } = core.pullTimeExclusions;
  for (const name of ['c', 'a', 'b']) assert.equal((await register(call, arn(name))).principalArn, arn(name));
  assert.equal(await kindOf(register(call, arn('a'))), 'exclusion-already-exists');
  assert.equal(await kindOf(register(call, arn('d'))), 'limit-exceeded');
  assert.equal(await kindOf(deregister(call, arn('d'))), 'exclusion-not-found');
  const first = await list(call, { after: '', limit: 2 });
  assert.deepEqual(first, { principalArns: [arn('a'), arn('b')], next: arn('b') });
  assert.deepEqual(await list(call, { after: arn('b'), limit: 2 }), { principalArns: [arn('c')] });
  await deregister(call, arn('a'));
  await register(call, arn('d'));
});

type Image = Awaited<ReturnType<typeof pushedImage>>;
type Pulls = ReturnType<typeof createPullTimes>;

/** A store that counts transactions, and refuses them on demand. */
function failingStore(metadata: MetadataStore) {
  const state = {
    fails: false,
    transactions: 0,
    store: {
      ...metadata,
      async transaction<T>(...work: Parameters<typeof metadata.transaction<T>>): Promise<T> {
        if (state.fails) throw new Error('the disk is gone');
        state.transactions += 1;
        return metadata.transaction(...work);
      },
    } satisfies MetadataStore,
  };
  return state;
}
