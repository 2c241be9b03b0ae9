import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { BlobLocation, BlobStore } from '../../../src/core/blob-store.ts';
import { type BlobStoreDriver, contentOf, type OpenStore, readAll, sealed } from './driver.ts';

const BYTES = 7 * 1024 * 1024 + 13;

export function describeReading(driver: BlobStoreDriver): void {
  describe(`${driver.name}: reading`, () => {
    const content = contentOf(BYTES);
    let opened: OpenStore;
    let store: BlobStore;
    let location: BlobLocation;
    before(async () => {
      opened = await driver.open();
      store = opened.store;
      location = (await sealed(store, content)).location;
    });
    after(() => opened[Symbol.asyncDispose]());

    it('gives the whole blob', async () => {
      assert.ok(content.equals((await readAll(store, location))!));
    });

    for (const [first, last] of [
      [0, 0],
      [0, BYTES - 1],
      [BYTES - 1, BYTES - 1],
      [1, 1024 * 1024],
      [1024 * 1024, 3 * 1024 * 1024 - 1],
      [5_000_000, BYTES - 1],
      [123, 456],
    ] as const) {
      it(`gives bytes ${first} to ${last}, both included`, async () => {
        const part = await readAll(store, location, { first, last });
        assert.ok(content.subarray(first, last + 1).equals(part!));
      });
    }

    it('refuses a range that is not within the blob', async () => {
      for (const [first, last] of [
        [0, BYTES],
        [BYTES, BYTES],
        [5, 4],
        [-1, 4],
        [Number.NaN, 4],
      ] as const) {
        await assert.rejects(store.read(location, { first, last }), RangeError);
      }
      const empty = await sealed(store, new Uint8Array());
      await assert.rejects(store.read(empty.location, { first: 0, last: 0 }), RangeError);
    });

    it('says how many bytes it will give', async () => {
      await using whole = await store.read(location);
      await using part = await store.read(location, { first: 10, last: 19 });
      assert.equal(whole?.bytes, BYTES);
      assert.equal(part?.bytes, 10);
    });

    it('keeps the end when asked again', async () => {
      await using reader = (await store.read(location, { first: 0, last: 9 }))!;
      reader.recycle((await reader.next())!);
      assert.equal(await reader.next(), undefined);
      assert.equal(await reader.next(), undefined);
    });

    it('leaves a chunk alone until it is handed back', async () => {
      await using reader = (await store.read(location))!;
      let at = 0;
      let held = await reader.next();
      while (held !== undefined) {
        const following = await reader.next();
        await new Promise((resolve) => setImmediate(resolve));
        assert.ok(content.subarray(at, at + held.byteLength).equals(held), `the chunk at ${at} changed while held`);
        at += held.byteLength;
        reader.recycle(held);
        held = following;
      }
      assert.equal(at, BYTES);
    });

    it('is not confused by a chunk handed back twice, or by one it never gave', async () => {
      await using one = (await store.read(location))!;
      await using two = (await store.read(location))!;
      const chunk = (await one.next())!;
      one.recycle(chunk);
      one.recycle(chunk);
      one.recycle(new Uint8Array(10));
      two.recycle(chunk);
      let at = chunk.byteLength;
      let other = 0;
      for (;;) {
        const [a, b] = [await one.next(), await two.next()];
        if (a === undefined && b === undefined) break;
        if (a !== undefined) assert.ok(content.subarray(at, at + a.byteLength).equals(a));
        if (b !== undefined) assert.ok(content.subarray(other, other + b.byteLength).equals(b));
        at += a?.byteLength ?? 0;
        other += b?.byteLength ?? 0;
        if (a !== undefined) one.recycle(a);
        if (b !== undefined) two.recycle(b);
      }
      assert.deepEqual([at, other], [BYTES, BYTES]);
    });

    it('can be disposed of at any moment, twice, with chunks still held', async () => {
      for (const chunksTaken of [0, 1, 2]) {
        const reader = (await store.read(location))!;
        const held: Uint8Array[] = [];
        for (let taken = 0; taken < chunksTaken; taken++) held.push((await reader.next())!);
        await Promise.all([reader[Symbol.asyncDispose](), reader[Symbol.asyncDispose]()]);
        for (const chunk of held) reader.recycle(chunk);
        await assert.rejects(reader.next());
      }
      assert.ok(content.equals((await readAll(store, location))!));
    });

    it('rejects a waiting consumer when it is disposed of', async () => {
      const reader = (await store.read(location))!;
      const next = reader.next();
      const rejected = next.then(
        () => {},
        () => {},
      );
      await reader[Symbol.asyncDispose]();
      await rejected;
      await assert.rejects(reader.next());
    });

    it('goes on reading what is deleted meanwhile', async () => {
      const blob = await sealed(store, content);
      await using reader = (await store.read(blob.location))!;
      let bytes = 0;
      for (let chunk = await reader.next(); chunk !== undefined; chunk = await reader.next()) {
        if (bytes === 0) await store.delete(blob.location);
        bytes += chunk.byteLength;
        reader.recycle(chunk);
      }
      assert.equal(bytes, BYTES);
    });

    it('serves a hundred readers at a time', async () => {
      const parts = await Promise.all(
        Array.from({ length: 100 }, (_, index) => readAll(store, location, { first: index, last: 600_000 + index })),
      );
      for (const [index, part] of parts.entries()) {
        assert.ok(content.subarray(index, 600_001 + index).equals(part!));
      }
    });
  });
}
