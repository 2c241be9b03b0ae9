import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { BlobReader, BlobStore } from '../../../src/core/blob-store.ts';
import { digestOf } from '../../../src/core/values/digest.ts';
import { append, type BlobStoreDriver, contentOf, type OpenStore, readAll } from './driver.ts';

const MIB = 1024 * 1024;

/** For stores that have `readStaged`. */
export function describeReadingStaged(driver: BlobStoreDriver): void {
  describe(`${driver.name}: reading staged bytes`, () => {
    let opened: OpenStore;
    let store: BlobStore;
    before(async () => {
      opened = await driver.open();
      store = opened.store;
    });
    after(() => opened[Symbol.asyncDispose]());

    const allOf = async (id: string, from = store): Promise<Buffer | undefined> => {
      await using reader: BlobReader | undefined = await from.readStaged?.(id);
      if (reader === undefined) return undefined;
      const chunks: Buffer[] = [];
      for (let chunk = await reader.next(); chunk !== undefined; chunk = await reader.next()) {
        chunks.push(Buffer.from(chunk));
        reader.recycle(chunk);
      }
      const all = Buffer.concat(chunks);
      assert.equal(all.byteLength, reader.bytes);
      return all;
    };

    it('has nothing to read before the first byte', async () => {
      assert.equal(await allOf(randomUUID()), undefined);
    });

    for (const sizes of [[1], [100, 5 * MIB], [7 * MIB, 3], [6 * MIB, 6 * MIB, 2000]]) {
      it(`gives what appends of ${sizes.join(', ')} bytes left, again and elsewhere, and takes more`, async () => {
        const id = randomUUID();
        let content = Buffer.alloc(0);
        for (const size of [...sizes, 4000]) {
          const piece = contentOf(size);
          await append(store, id, content.byteLength, piece, { durable: true });
          content = Buffer.concat([content, piece]);
          assert.ok((await allOf(id))?.equals(content));
        }
        await using other = await opened.reopen?.();
        if (other !== undefined) assert.ok((await allOf(id, other))?.equals(content));
        await store.truncate(id, content.byteLength - 1000);
        content = content.subarray(0, -1000);
        assert.ok((await allOf(id))?.equals(content));
        const location = await store.seal(id, digestOf(content), content.byteLength);
        assert.ok((await readAll(store, location!))?.equals(content));
        assert.equal(await allOf(id), undefined);
      });
    }
  });
}
