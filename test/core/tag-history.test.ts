import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call, kindOf } from './core-under-test.ts';
import { DAY_SECONDS, historyUnderTest, repositoryName, UNDO_SECONDS } from './history-under-test.ts';
import { pushedImage, tagsOf } from './manifests.ts';

const place = `in the repository with name '${repositoryName}' in the registry with id '${call.registry.accountId}'`;

test('a tag tells what it was on, by whom and why, and what has become of each image', async () => {
  await using scene = await historyUnderTest();
  const { core, history } = scene;
  const first = await pushedImage(core, repositoryName, 'a', 'v1');
  core.pass(10);
  const second = await pushedImage(core, repositoryName, 'b', 'v1');
  await pushedImage(core, repositoryName, 'c', 'other');
  core.pass(10);
  await scene.remove(second.digest);
  const told = await history.tag(call, { repositoryName, tag: 'v1', limit: 10 });
  const keptUntil = new Date(Date.parse('2026-03-01T00:00:20Z') + UNDO_SECONDS * 1000);
  assert.deepEqual(
    told.changes.map(({ digest, formerDigest, cause, at, image }) => [
      digest,
      formerDigest,
      cause,
      at.getSeconds(),
      image,
    ]),
    [
      [undefined, second.digest, 'delete', 20, { digest: second.digest, state: 'deleted', keptUntil }],
      [second.digest, first.digest, 'push', 10, { digest: second.digest, state: 'deleted', keptUntil }],
      [first.digest, undefined, 'push', 0, { digest: first.digest, state: 'present' }],
    ],
  );
  assert.ok(told.changes.every(({ principal }) => principal === call.caller.arn));
  assert.equal(told.digest, undefined);
  assert.deepEqual(told.rememberedSince, new Date(Date.parse('2026-03-01T00:00:20Z') - UNDO_SECONDS * 1000));
  const page = await history.tag(call, { repositoryName, tag: 'v1', limit: 2 });
  const rest = await history.tag(call, { repositoryName, tag: 'v1', before: page.next!, limit: 2 });
  assert.deepEqual([...page.changes, ...rest.changes], told.changes);
  assert.equal(rest.next, undefined);
  core.pass(UNDO_SECONDS);
  const { changes } = await history.tag(call, { repositoryName, tag: 'v1', limit: 1 });
  assert.equal(changes[0]?.image.state, 'deleted');
  core.pass(1);
  const [later] = (await history.tag(call, { repositoryName, tag: 'v1', limit: 1 })).changes;
  assert.deepEqual(later?.image, { digest: second.digest, state: 'gone' });
});

test('a tag that moved goes back, and forth again', async () => {
  await using scene = await historyUnderTest();
  const { core } = scene;
  const first = await pushedImage(core, repositoryName, 'a', 'v1');
  const second = await pushedImage(core, repositoryName, 'b', 'v1');
  const back = await scene.restore('v1');
  assert.deepEqual(back, {
    digest: first.digest,
    formerDigest: second.digest,
    tags: ['v1'],
    images: [],
    status: 'ACTIVE',
  });
  assert.equal(await scene.digestAt('v1'), first.digest);
  assert.equal((await scene.restore('v1')).digest, second.digest);
  assert.equal(await scene.digestAt('v1'), second.digest);
  const { changes } = await scene.history.tag(call, { repositoryName, tag: 'v1', limit: 2 });
  assert.deepEqual(
    changes.map(({ cause }) => cause),
    ['restore', 'restore'],
  );
});

test('a tag that was taken away comes back, whatever it was on before', async () => {
  await using scene = await historyUnderTest();
  const { core } = scene;
  const { digest } = await pushedImage(core, repositoryName, 'a', 'v1');
  await scene.untag('v1');
  assert.deepEqual(await scene.restore('v1'), { digest, tags: ['v1'], images: [], status: 'ACTIVE' });
  await scene.untag('v1');
  const other = await pushedImage(core, repositoryName, 'b', 'v1');
  assert.equal((await scene.restore('v1')).digest, digest);
  assert.equal((await scene.restore('v1', { digest: other.digest })).digest, other.digest);
});

test('what a tag was on is known though the change that put it there is forgotten', async () => {
  await using scene = await historyUnderTest();
  const { core } = scene;
  const { digest } = await pushedImage(core, repositoryName, 'a', 'old');
  core.pass(2 * UNDO_SECONDS);
  await scene.collect();
  assert.deepEqual((await scene.history.tag(call, { repositoryName, tag: 'old', limit: 9 })).changes, []);
  await scene.untag('old');
  assert.equal((await scene.restore('old')).digest, digest);
});

test('a tag goes back to where it was at a moment', async () => {
  await using scene = await historyUnderTest();
  const { core } = scene;
  const now = () => core.dependencies.now();
  const digests: string[] = [];
  const moments: Date[] = [];
  for (const word of ['a', 'b', 'c']) {
    core.pass(DAY_SECONDS);
    digests.push((await pushedImage(core, repositoryName, word, 'v1')).digest);
    moments.push(now());
  }
  core.pass(DAY_SECONDS);
  for (const [index, moment] of moments.entries()) {
    assert.equal((await scene.restore('v1', { moment })).digest, digests[index]);
    await scene.restore('v1', { digest: digests[2]! });
  }
  const nothing = await scene.restore('v1', { moment: now() });
  assert.deepEqual([nothing.digest, nothing.tags], [digests[2], []]);
  const early = new Date(moments[0]!.getTime() - 1);
  const cannot = `The tag 'v1' ${place} cannot be restored: `;
  assert.equal(
    await scene.refused(scene.restore('v1', { moment: early })),
    `${cannot}there was no such tag at ${early.toISOString()}`,
  );
  const future = new Date(now().getTime() + 1);
  assert.equal(
    await scene.refused(scene.restore('v1', { moment: future })),
    `${cannot}${future.toISOString()} is yet to come`,
  );
  core.pass(UNDO_SECONDS);
  const since = new Date(now().getTime() - UNDO_SECONDS * 1000).toISOString();
  assert.equal(
    await scene.refused(scene.restore('v1', { moment: moments[0]! })),
    `${cannot}what it was on before ${since} is forgotten`,
  );
});

test('a moment before all that is remembered of a tag is what its oldest change took it from', async () => {
  await using scene = await historyUnderTest();
  const { core } = scene;
  const first = await pushedImage(core, repositoryName, 'a', 'v1');
  core.pass(2 * UNDO_SECONDS);
  await scene.collect();
  const moment = core.dependencies.now();
  core.pass(1);
  const second = await pushedImage(core, repositoryName, 'b', 'v1');
  assert.equal((await scene.restore('v1', { moment })).digest, first.digest);
  assert.equal((await scene.restore('v1')).digest, second.digest);
});

test('a tag without a past is not restored, in words that say so', async () => {
  await using scene = await historyUnderTest();
  const { core } = scene;
  const since = new Date(core.dependencies.now().getTime() - UNDO_SECONDS * 1000).toISOString();
  const because = `it is not known to have been on another image since ${since}`;
  for (const tag of ['new', 'nobody']) {
    if (tag === 'new') await pushedImage(core, repositoryName, 'a', tag);
    assert.equal(await scene.refused(scene.restore(tag)), `The tag '${tag}' ${place} cannot be restored: ${because}`);
  }
  const elsewhere = scene.history.restoreTag(call, { repositoryName: 'nowhere', tag: 'new' });
  assert.equal(await kindOf(elsewhere), 'repository-not-found');
  assert.equal(await kindOf(scene.restore('new', { digest: 'sha256:zz' })), 'invalid-parameter');
});

test('an immutable tag comes back where it is free, and is not moved', async () => {
  await using scene = await historyUnderTest();
  const { core } = scene;
  const { digest } = await pushedImage(core, repositoryName, 'a', 'v1');
  const other = await pushedImage(core, repositoryName, 'b', 'v1');
  await core.repositories.putTagMutability(call, { repositoryName, imageTagMutability: 'IMMUTABLE' });
  assert.equal(
    await scene.refused(scene.restore('v1')),
    `The image tag 'v1' already exists in the '${repositoryName}' repository and cannot be overwritten because the tag is immutable.`,
  );
  assert.deepEqual((await scene.restore('v1', { digest: other.digest })).tags, []);
  await scene.untag('v1');
  assert.equal((await scene.restore('v1', { digest })).digest, digest);
});

test('an image with as many tags as one may have takes no more', async () => {
  await using scene = await historyUnderTest({}, { 'tags-per-image': 1 });
  const { digest } = await pushedImage(scene.core, repositoryName, 'a', 'v1');
  await pushedImage(scene.core, repositoryName, 'b', 'v2');
  assert.equal(await kindOf(scene.restore('v2', { digest })), 'limit-exceeded');
  assert.notEqual(await scene.digestAt('v2'), digest);
});

test('nothing is remembered where nothing can be undone', async () => {
  await using scene = await historyUnderTest({ undoSeconds: 0 });
  const { core, history } = scene;
  await pushedImage(core, repositoryName, 'a', 'v1');
  const { digest } = await pushedImage(core, repositoryName, 'b', 'v1');
  await scene.remove(digest);
  assert.deepEqual((await history.tag(call, { repositoryName, tag: 'v1', limit: 9 })).changes, []);
  assert.deepEqual(await history.deleted(call, { repositoryName, after: '', limit: 9 }), { images: [] });
  assert.equal(await kindOf(scene.restore('v1')), 'tag-not-restorable');
  assert.equal(await kindOf(scene.restore('v1', { digest })), 'image-not-restorable');
});

test('of pushes and restorings at once each comes before or after the other', async () => {
  await using scene = await historyUnderTest();
  const { core, history } = scene;
  const first = await pushedImage(core, repositoryName, 'a', 'v1');
  const second = await pushedImage(core, repositoryName, 'b', 'v1');
  await scene.remove(first.digest);
  const put = ({ bytes }: { bytes: Buffer }) =>
    core.images.put(call, { repositoryName, manifest: bytes, tag: 'v1', idempotent: true });
  for (let round = 0; round < 20; round++) {
    await Promise.all([put(second), scene.restore('v1', { digest: first.digest }), put(first), scene.restore('v1')]);
    await scene.remove(first.digest);
    assert.deepEqual((await tagsOf(core, repositoryName)).length <= 1, true);
    await put(second);
  }
  const { changes } = await history.tag(call, { repositoryName, tag: 'v1', limit: 1000 });
  for (const [index, { formerDigest }] of changes.entries()) {
    const before = changes[index + 1];
    if (before) assert.equal(formerDigest, before.digest, `change ${index}`);
  }
  await scene.collect();
});
