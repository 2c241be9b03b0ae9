import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type FollowedImport, followImport } from './import-follower.ts';

/** An import of which some bytes are in memory, and others in a file whose reader lends its buffers. */
function world(total: number, inMemory: (position: number) => Uint8Array | undefined) {
  const verified = Promise.withResolvers<void>();
  const recycled: Uint8Array[] = [];
  const lent: Uint8Array[] = [];
  const source: FollowedImport = {
    turn: 0,
    isOver: false,
    verified: verified.promise,
    stored: new Promise(() => {}),
    enter: () => ({ moved() {}, leave() {} }),
    recent: inMemory,
    more: () => assert.fail('All is there'),
  };
  const follow = async (offset: number) => {
    let at = offset;
    return {
      async next() {
        const chunk = new Uint8Array(Math.min(10, total - at)).fill(1);
        at += chunk.byteLength;
        lent.push(chunk);
        return chunk;
      },
      recycle: (chunk: Uint8Array) => void recycled.push(chunk),
      async [Symbol.asyncDispose]() {},
    };
  };
  const openStored = () => assert.fail('Nothing is stored');
  return { source, bytes: { follow, openStored }, verified, recycled, lent };
}

describe('following an import', () => {
  it('hands back to the file what is its own alone: what is in memory has other readers', async () => {
    const shared = new Uint8Array(10).fill(2);
    const { source, bytes, recycled, lent, verified } = world(40, (position) => (position === 10 ? shared : undefined));
    verified.resolve();
    await using reader = followImport(source, bytes, { first: 0, last: 39, totalBytes: 40 });
    const chunks: Uint8Array[] = [];
    for (let chunk = await reader.next(); chunk; chunk = await reader.next()) {
      chunks.push(chunk.slice());
      reader.recycle(chunk);
    }
    assert.deepEqual(
      chunks.map(([first]) => first),
      [1, 2, 1, 1],
    );
    assert.equal(recycled.length, 3);
    assert.ok(recycled.every((chunk) => lent.some(({ buffer }) => buffer === chunk.buffer)));
  });

  it('keeps the last byte until all of them are known to be right', async () => {
    const { source, bytes, verified } = world(25, () => undefined);
    await using reader = followImport(source, bytes, { first: 0, last: 24, totalBytes: 25 });
    await reader.next();
    await reader.next();
    let isGiven = false;
    const last = reader.next().finally(() => {
      isGiven = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(isGiven, false);
    verified.reject(new Error('wrong'));
    await assert.rejects(last, /wrong/);
  });

  it('hands the chunks of the stored blob back as they were lent', async () => {
    const lent = [new Uint8Array(10), new Uint8Array(5)];
    const recycled: Uint8Array[] = [];
    const waiting = [...lent];
    const stored = {
      bytes: 15,
      next: async () => waiting.shift(),
      recycle: (chunk: Uint8Array) => void recycled.push(chunk),
      async [Symbol.asyncDispose]() {},
    };
    const { source, verified } = world(15, () => undefined);
    verified.resolve();
    const over = { ...source, isOver: true, stored: Promise.resolve() };
    const bytes = { follow: async () => undefined, openStored: async () => stored };
    await using reader = followImport(over, bytes, { first: 0, last: 14, totalBytes: 15 });
    for (let chunk = await reader.next(); chunk; chunk = await reader.next()) reader.recycle(chunk);
    assert.equal(recycled.length, 2);
    assert.ok(recycled.every((chunk, at) => chunk === lent[at]));
  });
});
