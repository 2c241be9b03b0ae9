import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createByteBudget, createFairByteBudget } from './byte-budget.ts';

describe('a budget of bytes', () => {
  it('admits what fits and makes the rest wait in order', async () => {
    const budget = createByteBudget(10);
    const admitted: string[] = [];
    const first = await budget.acquire(6);
    const big = budget.acquire(8).then((share) => {
      admitted.push('big');
      return share;
    });
    const small = budget.acquire(2).then((share) => {
      admitted.push('small');
      return share;
    });
    await settled();
    assert.deepEqual(admitted, [], 'the small one would fit, and waits behind the big one all the same');
    first[Symbol.dispose]();
    await Promise.all([big, small]);
    assert.deepEqual(admitted, ['big', 'small']);
  });

  it('counts a demand above the whole as the whole', async () => {
    const budget = createByteBudget(10);
    const all = await budget.acquire(1000);
    let admitted = false;
    const next = budget.acquire(1).then(() => {
      admitted = true;
    });
    await settled();
    assert.equal(admitted, false);
    all[Symbol.dispose]();
    await next;
  });

  it('takes a share back once', async () => {
    const budget = createByteBudget(10);
    const share = await budget.acquire(10);
    share[Symbol.dispose]();
    share[Symbol.dispose]();
    await budget.acquire(10);
    let admitted = false;
    budget.acquire(1).then(() => {
      admitted = true;
    });
    await settled();
    assert.equal(admitted, false);
  });
});

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

it('one client cannot take what is meant for all', async () => {
  const budget = createFairByteBudget(64, 32);
  const first = await budget.acquire(20, 'greedy');
  let isSecondIn = false;
  const second = budget.acquire(20, 'greedy').then((share) => {
    isSecondIn = true;
    return share;
  });
  using _ = await budget.acquire(32, 'other');
  assert.equal(isSecondIn, false);
  first[Symbol.dispose]();
  (await second)[Symbol.dispose]();
  assert.equal(isSecondIn, true);
});

it('what a client may hold at most is what all may hold when nobody else asks', async () => {
  const budget = createFairByteBudget(64, 32);
  using _ = await budget.acquire(1000, 'greedy');
  using other = await budget.acquire(32, 'other');
  assert.ok(other);
});
