import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRateLimiter, ECR_RATES } from './rate-limit.ts';

const rates = { PutImage: { perSecond: 2, burst: 3 } };

describe('a rate limit', () => {
  it('grants a burst, then what the clock brings', () => {
    let at = 1000;
    const limiter = createRateLimiter(rates, () => at);
    const takes = (count: number) => Array.from({ length: count }, () => limiter.take('alice', 'PutImage'));
    assert.deepEqual(takes(4), [true, true, true, false]);
    at += 499;
    assert.deepEqual(takes(1), [false]);
    at += 1;
    assert.deepEqual(takes(2), [true, false]);
    at += 3_600_000;
    assert.deepEqual(takes(4), [true, true, true, false]);
    at -= 1000;
    assert.deepEqual(takes(1), [false]);
    at += 500;
    assert.deepEqual(takes(2), [true, false]);
  });

  it('is each principal its own, and each operation', () => {
    const both = { ...rates, BatchGetImage: { perSecond: 1, burst: 1 } };
    const limiter = createRateLimiter(both, () => 0);
    while (limiter.take('alice', 'PutImage'));
    assert.ok(limiter.take('bob', 'PutImage'));
    assert.ok(limiter.take('alice', 'BatchGetImage'));
  });

  it('holds no operation up that has no rate', () => {
    const limiter = createRateLimiter(rates, () => 0);
    for (const name of ['ListImages', 'constructor', '__proto__']) {
      for (let n = 0; n < 10; n += 1) assert.ok(limiter.take('alice', name));
    }
  });

  it('remembers so many principals and no more, those that asked last', () => {
    const limiter = createRateLimiter({ PutImage: { perSecond: 1, burst: 1 } }, () => 0, { bucketsMax: 2 });
    assert.ok(limiter.take('a', 'PutImage'));
    assert.ok(limiter.take('b', 'PutImage'));
    assert.ok(!limiter.take('a', 'PutImage'));
    assert.ok(limiter.take('c', 'PutImage'));
    assert.ok(!limiter.take('a', 'PutImage'));
    assert.ok(limiter.take('b', 'PutImage'));
  });

  it("is ECR's own for its eight operations", () => {
    const limiter = createRateLimiter(ECR_RATES, () => 0);
    let granted = 0;
    while (limiter.take('000000000000/us-east-1', 'PutImage')) granted += 1;
    assert.equal(granted, 10);
    assert.equal(Object.keys(ECR_RATES).length, 8);
  });
});
