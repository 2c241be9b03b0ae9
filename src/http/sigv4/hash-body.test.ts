import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { hashBody } from './hash-body.ts';

describe('the hash of a body', () => {
  it('is its SHA-256, whatever its size', async () => {
    for (const bytes of [0, 1, 262_143, 262_144, 262_145, 1_000_000]) {
      const body = randomBytes(bytes);
      assert.equal(await hashBody(body), createHash('sha256').update(body).digest('hex'));
    }
  });

  it('lets others have their turn while a large one is hashed', async () => {
    let turns = 0;
    const count = () => {
      turns += 1;
      timer = setImmediate(count);
    };
    let timer = setImmediate(count);
    await hashBody(Buffer.alloc(28_000_000));
    clearImmediate(timer);
    assert.ok(turns >= 100, String(turns));
  });
});
