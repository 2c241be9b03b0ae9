import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCountedQuota } from './counted-quota.ts';

/** A quota over a number that a test changes as another server would. */
function quotaOver(start: number) {
  let present = start;
  let counts = 0;
  let now = 0;
  const quota = createCountedQuota(() => new Date(now));
  const count = async () => {
    counts += 1;
    return present;
  };
  return {
    async add(limit: number) {
      const fits = await quota.hasRoom('key', limit, count);
      if (fits) present += 1;
      return fits;
    },
    change: (by: number) => {
      present += by;
    },
    pass: (seconds: number) => {
      now += seconds * 1000;
    },
    present: () => present,
    counts: () => counts,
  };
}

test('a small quota is exact, whatever comes and goes', async () => {
  const things = quotaOver(0);
  for (let at = 0; at < 3; at++) assert.equal(await things.add(3), true);
  assert.equal(await things.add(3), false);
  things.change(-1);
  assert.equal(await things.add(3), true);
  assert.equal(await things.add(3), false);
  assert.equal(await things.add(4), true);
  assert.equal(await things.add(0), false);
});

test('far from the limit nothing is counted more than once a minute', async () => {
  const things = quotaOver(5000);
  for (let at = 0; at < 2000; at++) assert.equal(await things.add(100_000), true);
  assert.equal(things.counts(), 1);
  things.pass(59);
  await things.add(100_000);
  assert.equal(things.counts(), 1);
  things.pass(1);
  await things.add(100_000);
  assert.equal(things.counts(), 2);
});

test('a limit that is run into is exact, though counts were taken on trust before', async () => {
  const things = quotaOver(0);
  let added = 0;
  for (let at = 0; at < 6000; at++) added += (await things.add(5000)) ? 1 : 0;
  assert.equal(added, 5000);
  assert.ok(things.counts() < 2010, `${things.counts()} counts`);
});

test('what another server adds counts after a minute at the latest', async () => {
  const things = quotaOver(0);
  await things.add(5000);
  things.change(4999);
  things.pass(60);
  assert.equal(await things.add(5000), false);
});

test('each key is counted for itself, also when there are more than are kept', async () => {
  const quota = createCountedQuota(() => new Date(0));
  for (let key = 0; key < 10_001; key++) assert.equal(await quota.hasRoom(`${key}`, 5000, async () => key), key < 5000);
});
