import assert from 'node:assert/strict';
import { it } from 'node:test';
import { BufferPool } from './buffer-pool.ts';

const MIB = 1024 * 1024;

it('gives a reader of little no more than it needs, and keeps none of that', () => {
  const pool = new BufferPool();
  const small = pool.take(1000);
  assert.equal(small.byteLength, 1000);
  assert.equal(small.buffer.byteLength, 1000);
  pool.give(small);
  assert.equal(pool.idleBytes, 0);
});

it('uses a buffer again', () => {
  const pool = new BufferPool();
  const buffer = pool.take(5 * MIB);
  assert.equal(buffer.byteLength, MIB);
  pool.give(buffer);
  assert.equal(pool.take(5 * MIB), buffer);
  assert.notEqual(pool.take(5 * MIB), buffer);
});

it('keeps a bounded number of buffers, of the size in use', () => {
  const pool = new BufferPool();
  const buffers = Array.from({ length: 40 }, () => pool.take(MIB));
  for (const buffer of buffers) pool.give(buffer);
  assert.equal(pool.idleBytes, 16 * MIB);
  for (let readers = 0; readers < 65; readers++) pool.enter();
  assert.equal(pool.take(MIB).byteLength, MIB / 4);
  assert.equal(pool.idleBytes, 0);
  pool.give(buffers[0]!);
  assert.equal(pool.idleBytes, 0);
  for (let readers = 65; readers < 513; readers++) pool.enter();
  assert.equal(pool.bufferBytes, MIB / 16);
  for (let readers = 513; readers > 64; readers--) pool.leave();
  assert.equal(pool.bufferBytes, MIB);
});
