import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { it } from 'node:test';
import { ChunkGatherer, chunksAfter, freeChunks } from './chunk-batch.ts';

it('keeps the order of chunks of every size', () => {
  const gatherer = new ChunkGatherer();
  const source = randomBytes(400_000);
  let at = 0;
  for (const size of [1, 2, 5000, 4095, 4096, 70_000, 3, 3, 60_000, 4000, 4000, 65_536, 10]) {
    gatherer.add(new Uint8Array(source.subarray(at, at + size)));
    at += size;
  }
  assert.equal(gatherer.bytes, at);
  const batch = gatherer.take();
  assert.equal(batch.bytes, at);
  assert.ok(Buffer.concat(batch.chunks).equals(source.subarray(0, at)));
  assert.deepEqual(gatherer.take(), { chunks: [], bytes: 0 });
});

it('puts many tiny chunks into few', () => {
  const gatherer = new ChunkGatherer();
  for (let count = 0; count < 100_000; count++) gatherer.add(new Uint8Array([count]));
  assert.ok(gatherer.take().chunks.length <= 2);
});

it('takes memory over without a copy only when nobody shares it', () => {
  const own = new Uint8Array(8192);
  const part = new Uint8Array(16_384).subarray(0, 8192);
  const shared = new Uint8Array(new SharedArrayBuffer(8192));
  const resizable = new Uint8Array(new ArrayBuffer(8192, { maxByteLength: 9000 }));
  const gatherer = new ChunkGatherer();
  for (const chunk of [own, part, shared, resizable]) gatherer.add(chunk);
  const { chunks } = gatherer.take();
  assert.equal(chunks[0], own);
  freeChunks(chunks);
  assert.equal(own.buffer.byteLength, 0);
  assert.equal(part.buffer.byteLength, 16_384);
  assert.equal(shared.byteLength, 8192);
  assert.equal(resizable.byteLength, 8192);
});

it('finds what a short write left over', () => {
  const chunks = [Uint8Array.of(1, 2, 3), Uint8Array.of(4), Uint8Array.of(5, 6)];
  for (let written = 0; written <= 6; written++) {
    assert.deepEqual([...Buffer.concat(chunksAfter(chunks, written))], [1, 2, 3, 4, 5, 6].slice(written));
  }
});
