import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { BlobStore, StagedFollower } from '../../../src/core/blob-store.ts';
import { digestOf } from '../../../src/core/values/digest.ts';
import { append, type BlobStoreDriver, contentOf, type OpenStore } from './driver.ts';

const MIB = 1024 * 1024;

/** For stores that have `followStaged`. */
export function describeFollowing(driver: BlobStoreDriver): void {
  describe(`${driver.name}: following staged bytes`, () => {
    let opened: OpenStore;
    let store: BlobStore;
    before(async () => {
      opened = await driver.open();
      store = opened.store;
    });
    after(() => opened[Symbol.asyncDispose]());

    const follow = async (id: string, offset = 0): Promise<StagedFollower> => {
      const follower = await store.followStaged?.(id, offset);
      return follower ?? assert.fail('Nothing is staged');
    };

    it('has nothing to follow before the first byte', async () => {
      assert.equal(await store.followStaged?.(randomUUID(), 0), undefined);
    });

    it('gives what was flushed, however little, and the rest as it comes', async () => {
      const id = randomUUID();
      const content = contentOf(3 * MIB + 7);
      const appender = await store.appender(id, 0);
      const pieces = [1, 100, MIB, 2 * MIB, 3 * MIB + 7];
      let written = 0;
      let follower: StagedFollower | undefined;
      const seen: Buffer[] = [];
      for (const end of pieces) {
        for (; written < end; written = Math.min(end, written + 50_000)) {
          const chunk = new Uint8Array(content.subarray(written, Math.min(end, written + 50_000)));
          if (!appender.write(chunk)) await appender.drained();
        }
        await appender.flush?.();
        follower ??= await follow(id);
        seen.push(await allOf(follower));
        assert.equal(Buffer.concat(seen).byteLength, end);
      }
      await appender.close(false);
      assert.ok(Buffer.concat(seen).equals(content));
      assert.equal(await store.digest(id, 'sha256'), digestOf(content));
      await follower?.[Symbol.asyncDispose]();
    });

    it('begins at an offset', async () => {
      const id = randomUUID();
      const content = contentOf(MIB);
      await append(store, id, 0, content);
      for (const offset of [0, 1, 65_536, 700_001, MIB]) {
        await using follower = await follow(id, offset);
        assert.ok((await allOf(follower)).equals(content.subarray(offset)), String(offset));
      }
    });

    it('can be read to its end when it is sealed or discarded meanwhile', async () => {
      for (const end of ['sealed', 'discarded']) {
        const id = randomUUID();
        const content = contentOf(2 * MIB);
        await append(store, id, 0, content);
        await using follower = await follow(id);
        const first = Buffer.from((await follower.next()) ?? []);
        if (end === 'sealed') await store.seal(id, digestOf(content), content.byteLength);
        else await store.discard(id);
        assert.ok(Buffer.concat([first, await allOf(follower)]).equals(content), end);
      }
    });
  });
}

async function allOf(follower: StagedFollower): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let chunk = await follower.next(); chunk !== undefined; chunk = await follower.next()) {
    chunks.push(Buffer.from(chunk));
    follower.recycle(chunk);
  }
  return Buffer.concat(chunks);
}
