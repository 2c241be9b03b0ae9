import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BlobReader, ByteRange, KeptBytes } from '../blob-store.ts';
import { digestOf } from '../values/digest.ts';
import { BlobImport } from './blob-import.ts';

const MIB = 1024 * 1024;
const CHUNKS = 40;
const content = Buffer.concat(Array.from({ length: CHUNKS }, (_, chunk) => Buffer.alloc(MIB, chunk)));

/** An import of forty chunks into a store whose staged bytes nobody can read. */
function world() {
  const target = new BlobImport('id', digestOf(content));
  let sent = 0;
  const source: BlobReader = {
    bytes: content.byteLength,
    async next() {
      await nextTurn();
      return sent < CHUNKS ? content.subarray(sent * MIB, ++sent * MIB) : undefined;
    },
    recycle() {},
    async [Symbol.asyncDispose]() {},
  };
  const kept = {
    appender: async () => ({ write: () => true, drained: async () => {}, close: async () => content.byteLength }),
    digest: async () => digestOf(content),
  } as unknown as KeptBytes;
  const opened: ByteRange[] = [];
  const openStored = async (range: ByteRange) => {
    opened.push(range);
    return readerOf(content.subarray(range.first, range.last + 1));
  };
  return {
    target,
    sent: () => sent,
    opened,
    follow: (first = 0) => target.follow(content.byteLength, { first, last: content.byteLength - 1 }, openStored),
    receive: () => target.receive(source, kept).then(() => target.succeed()),
  };
}

function readerOf(bytes: Uint8Array): BlobReader {
  let rest: Uint8Array | undefined = bytes;
  return {
    bytes: bytes.byteLength,
    async next() {
      const chunk = rest;
      rest = undefined;
      return chunk;
    },
    recycle() {},
    async [Symbol.asyncDispose]() {},
  };
}

async function rest(reader: BlobReader, begin: readonly Uint8Array[] = []): Promise<Buffer> {
  const chunks = [...begin];
  for (let chunk = await reader.next(); chunk; chunk = await reader.next()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await nextTurn();
}

const stillTimers = (test: TestContext) => test.mock.timers.enable({ apis: ['setTimeout'] });

describe('an import into a store whose staged bytes cannot be read', () => {
  it('is read as it comes by a reader that is slower', async (test) => {
    stillTimers(test);
    const { target, sent, opened, follow, receive } = world();
    await using reader = follow();
    const receiving = receive();
    for (let read = 0; read < CHUNKS - 1; read++) {
      await turns(10);
      assert.ok(sent() - read <= 8, `${sent()} sent, ${read} read`);
      assert.ok((await reader.next())?.every((byte) => byte === read));
    }
    await receiving;
    await target.stored;
    assert.ok((await reader.next())?.every((byte) => byte === CHUNKS - 1));
    assert.deepEqual([await reader.next(), opened], [undefined, []]);
  });

  it('goes on without a reader that takes nothing for a while, and that one reads it when it is stored', async (test) => {
    stillTimers(test);
    const { sent, opened, follow, receive } = world();
    await using reader = follow();
    const receiving = receive();
    const first = (await reader.next())!;
    await turns(100);
    assert.ok(sent() < CHUNKS / 2);
    test.mock.timers.tick(5_000);
    await receiving;
    assert.ok(content.equals(await rest(reader, [first])));
    assert.deepEqual(opened, [{ first: MIB, last: content.byteLength - 1 }]);
  });

  it('waits for nobody while one has to wait for the whole', async (test) => {
    stillTimers(test);
    const { follow, receive } = world();
    await using slow = follow();
    const receiving = receive();
    const begin: Uint8Array[] = [];
    for (let read = 0; read < 10; read++) begin.push((await slow.next())!);
    await turns(100);
    await using late = follow();
    await receiving;
    assert.ok(content.equals(await rest(late)));
    assert.ok(content.equals(await rest(slow, begin)));
  });

  it('waits for nobody who has left', async (test) => {
    stillTimers(test);
    const { follow, receive } = world();
    const reader = follow();
    const receiving = receive();
    await reader.next();
    await turns(100);
    await reader[Symbol.asyncDispose]();
    await receiving;
  });
});
