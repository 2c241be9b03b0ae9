import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collectGarbage } from '../../src/core/garbage/collect-garbage.ts';
import { type CoreUnderTest, call, coreUnderTest } from './core-under-test.ts';
import { pushedImage } from './manifests.ts';

const DAY_SECONDS = 24 * 3600;
const repositoryName = 'one';

async function forgotten({ dependencies }: CoreUnderTest): Promise<number> {
  return (await collectGarbage(dependencies)).records;
}

async function eventCount({ dependencies }: CoreUnderTest): Promise<number> {
  return (await dependencies.metadata.read.events.after(0, 10_000)).length;
}

async function addTarget({ dependencies }: CoreUnderTest): Promise<void> {
  const target = { name: 't', kind: 'file', settings: {}, createdAt: dependencies.now() } as const;
  await dependencies.metadata.transaction('alone', ({ events }) => events.putTarget(target));
}

/** Ends the only delivery, well or not. */
async function endDelivery({ dependencies }: CoreUnderTest, how: 'complete' | 'giveUp'): Promise<void> {
  const { metadata, now } = dependencies;
  await metadata.transaction('alone', async ({ jobs }) => {
    const [job] = await jobs.claim('deliver-event', { leaseId: 'a', until: now() }, now(), 1);
    if (how === 'complete') await jobs.complete(job!.id, 'a');
    else await jobs.giveUp(job!.id, 'a', { at: now(), error: 'in vain' });
  });
}

test('an event is forgotten a day after it happened', async () => {
  await using core = await coreUnderTest();
  await pushedImage(core, repositoryName, 'a', 'v1');
  core.pass(DAY_SECONDS);
  assert.deepEqual([await forgotten(core), await eventCount(core)], [0, 1]);
  core.pass(1);
  assert.deepEqual([await forgotten(core), await eventCount(core)], [1, 0]);
});

test('an event that waits for a target is kept until it is delivered, and not beyond a week', async () => {
  await using core = await coreUnderTest();
  await addTarget(core);
  await pushedImage(core, repositoryName, 'a', 'v1');
  core.pass(6 * DAY_SECONDS);
  assert.deepEqual([await forgotten(core), await eventCount(core)], [0, 1]);
  await endDelivery(core, 'complete');
  assert.deepEqual([await forgotten(core), await eventCount(core)], [1, 0]);
  await pushedImage(core, repositoryName, 'b', 'v2');
  core.pass(7 * DAY_SECONDS + 1);
  assert.deepEqual([await forgotten(core), await eventCount(core)], [1, 0]);
});

test('a delivery that was given up can be tried again for a week, and is listed for two', async () => {
  await using core = await coreUnderTest();
  await addTarget(core);
  await pushedImage(core, repositoryName, 'a', 'v1');
  await endDelivery(core, 'giveUp');
  const dead = async () => (await core.dependencies.metadata.read.jobs.dead('deliver-event', 0, 10)).length;
  core.pass(6 * DAY_SECONDS);
  assert.deepEqual([await forgotten(core), await eventCount(core), await dead()], [0, 1, 1]);
  core.pass(8 * DAY_SECONDS);
  assert.deepEqual([await forgotten(core), await eventCount(core), await dead()], [1, 0, 1]);
  core.pass(1);
  assert.deepEqual([await forgotten(core), await dead()], [1, 0]);
});

test('what a tag was on and what was deleted is forgotten when it can no longer be undone', async () => {
  await using core = await coreUnderTest({ undoSeconds: 100, eventSeconds: 1e6 });
  const { history } = core.dependencies.metadata.read;
  const { id } = await core.repositories.get(call, repositoryName);
  const remembered = async () => [
    (await history.tagChanges(id, 'v1', undefined, 10)).length,
    (await history.deletedImages(id, '', 10)).length,
  ];
  await pushedImage(core, repositoryName, 'a', 'v1');
  core.pass(50);
  await core.images.deleteMany(call, { repositoryName, imageIds: [{ imageTag: 'v1' }] });
  assert.deepEqual([await forgotten(core), await remembered()], [0, [2, 1]]);
  core.pass(51);
  assert.deepEqual([await forgotten(core), await remembered()], [1, [1, 1]]);
  core.pass(50);
  assert.deepEqual([await forgotten(core), await remembered()], [2, [0, 0]]);
});

test('many deleted images are forgotten in one run', async () => {
  await using core = await coreUnderTest({ undoSeconds: 1000 });
  const { metadata } = core.dependencies;
  for (let count = 0; count < 45; count++) {
    const { digest } = await pushedImage(core, repositoryName, String(count));
    await core.images.delete(call, { repositoryName, reference: { digest } });
  }
  const repository = await metadata.read.repositories.find(call.registry, repositoryName);
  const kept = () => metadata.read.history.deletedImages(repository!.id, '', 100);
  assert.equal((await kept()).length, 45);
  core.pass(1001);
  await forgotten(core);
  assert.deepEqual(await kept(), []);
});

test('many are forgotten in one run', async () => {
  await using core = await coreUnderTest();
  const { metadata, now } = core.dependencies;
  const at = now();
  const event = { kind: 'lifecycle-applied', repositoryName, expired: 1, transitioned: 0, failed: 0 } as const;
  await metadata.transaction('alone', async ({ events }) => {
    for (let count = 0; count < 450; count++) await events.insert({ registry: call.registry, events: [event], at });
  });
  core.pass(DAY_SECONDS + 1);
  assert.deepEqual([await forgotten(core), await eventCount(core)], [450, 0]);
});
