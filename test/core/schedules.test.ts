import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startSchedules } from '../../src/jobs/schedules.ts';
import { type CoreUnderTest, coreUnderTest } from './core-under-test.ts';
import { stillTimers } from './still-timers.ts';

const SCHEDULE = {
  name: 'often',
  intervalSeconds: 90,
  job: { kind: 'collect-garbage', key: 'garbage', payload: {} },
} as const;

/** A server with its schedules; its clock goes as its timers do. */
function serverOn(core: CoreUnderTest, intervalSeconds: number = SCHEDULE.intervalSeconds, movesClock = true) {
  const timers = stillTimers((milliseconds) => movesClock && core.pass(milliseconds / 1000));
  const errors: unknown[] = [];
  const started = startSchedules({
    dependencies: core.dependencies,
    schedules: [{ ...SCHEDULE, intervalSeconds }],
    timers,
    onError: (error) => errors.push(error),
  });
  return Object.assign(started, { timers, errors });
}

/** Does what waits, in a way. @returns how many jobs there were */
function taken({ dependencies: { metadata, now } }: CoreUnderTest): Promise<number> {
  return metadata.transaction('alone', async ({ jobs }) => {
    const claimed = await jobs.claim('collect-garbage', { leaseId: 'a', until: now() }, now(), 100);
    for (const { id } of claimed) await jobs.complete(id, 'a');
    return claimed.length;
  });
}

test('a schedule enqueues its job every interval, from an interval after the first start on', async () => {
  await using core = await coreUnderTest();
  await using server = serverOn(core);
  await server.timers.pass(89_000);
  assert.equal(await taken(core), 0);
  await server.timers.pass(1000);
  assert.equal(await taken(core), 1);
  for (let round = 0; round < 3; round++) {
    await server.timers.pass(89_000);
    assert.equal(await taken(core), 0);
    await server.timers.pass(1000);
    assert.equal(await taken(core), 1);
  }
});

test('jobs of a schedule that nobody does do not pile up', async () => {
  await using core = await coreUnderTest();
  await using server = serverOn(core);
  await server.timers.pass(900_000);
  assert.equal(await taken(core), 1);
});

test('a restart neither fires a schedule nor puts it off; one that is overdue fires at once', async () => {
  await using core = await coreUnderTest();
  for (const seconds of [40, 40]) {
    await using server = serverOn(core);
    await server.timers.pass(seconds * 1000);
    assert.equal(await taken(core), 0);
  }
  {
    await using server = serverOn(core);
    await server.timers.pass(10_000);
    assert.equal(await taken(core), 1);
  }
  core.pass(1000);
  await using server = serverOn(core);
  await server.timers.pass(0);
  assert.equal(await taken(core), 1);
});

test('a clock that was years ahead is not waited for', async () => {
  await using core = await coreUnderTest();
  const years = 3 * 365 * 24 * 3600;
  core.pass(years);
  {
    await using server = serverOn(core);
    await server.timers.pass(100_000);
    assert.equal(await taken(core), 1);
  }
  core.pass(-years);
  await using server = serverOn(core);
  await server.timers.pass(0);
  assert.equal(await taken(core), 1);
});

test('of several servers one fires', async () => {
  await using core = await coreUnderTest();
  await using one = serverOn(core);
  await using other = serverOn(core, SCHEDULE.intervalSeconds, false);
  let count = 0;
  for (let second = 0; second < 300; second++) {
    await Promise.all([one.timers.pass(1000), other.timers.pass(1000)]);
    count += await taken(core);
  }
  assert.equal(count, 3);
});

test('an interval of 0 means never', async () => {
  await using core = await coreUnderTest();
  await using server = serverOn(core, 0);
  await server.timers.pass(10_000_000);
  assert.equal(await taken(core), 0);
});

test('a store that fails is told of once, and asked again until it answers', async () => {
  await using core = await coreUnderTest();
  await using server = serverOn(core);
  await server.timers.pass(0);
  const { jobs } = core.dependencies.metadata.read;
  const { firedAt } = jobs;
  Object.assign(jobs, { firedAt: () => Promise.reject(new Error('disk')) });
  await server.timers.pass(900_000);
  assert.deepEqual([server.errors.length, await taken(core)], [1, 0]);
  Object.assign(jobs, { firedAt });
  await server.timers.pass(90_000);
  assert.deepEqual([server.errors.length, await taken(core)], [1, 1]);
});
