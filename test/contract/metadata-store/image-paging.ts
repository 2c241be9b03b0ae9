import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Image, ImagePosition, TagStatus } from '../../../src/core/images/image-records.ts';
import type { MetadataStore } from '../../../src/core/metadata-store.ts';
import { addImage, addRepository, type MetadataStoreDriver, MOMENT, type OpenStore, openMigrated } from './driver.ts';

const STATUSES: readonly TagStatus[] = ['ANY', 'TAGGED', 'UNTAGGED'];

/** Pages are compared with what a plain array gives, while images and tags come, move and go between them. */
export function describeImagePaging(driver: MetadataStoreDriver): void {
  describe(`${driver.name}: paging of images`, () => {
    let opened: OpenStore;
    let store: MetadataStore;
    before(async () => {
      opened = await openMigrated(driver);
      store = opened.store;
    });
    after(() => opened[Symbol.asyncDispose]());

    for (const seed of [1, 2, 3, 4]) {
      it(`agrees with a plain array (seed ${seed})`, async () => {
        const random = randomOf(seed);
        const { id } = await addRepository(store);
        const model: Model = [];
        for (let step = 0; step < 15; step++) {
          await change(store, id, model, random);
          await change(store, id, model, random);
          await change(store, id, model, random);
          for (const status of STATUSES) await comparePages(store, id, model, status, random);
        }
      });
    }

    it('gives each pair once when pages follow one another, whatever the size of a page', async () => {
      const { id } = await addRepository(store);
      const model: Model = [];
      const random = randomOf(99);
      for (let step = 0; step < 40; step++) await change(store, id, model, random);
      for (const status of STATUSES) {
        for (const limit of [1, 2, 7, 1000]) {
          const pairs: ImagePosition[] = [];
          for (
            let page = await store.read.images.pairs(
              id,
              { tagStatus: status, imageStatus: 'ACTIVE' },
              undefined,
              limit,
            );
            page.length > 0;
          ) {
            pairs.push(...page);
            page = await store.read.images.pairs(id, { tagStatus: status, imageStatus: 'ACTIVE' }, page.at(-1), limit);
          }
          assert.deepEqual(pairs, pairsOf(model, status));
        }
      }
    });

    it('goes on rightly when images come before and after the position', async () => {
      const { id } = await addRepository(store);
      const digest = (hex: string) => `sha256:${hex.padEnd(64, '0')}` as const;
      await addImage(store, id, { digest: digest('2'), tags: ['b', 'd'] });
      await addImage(store, id, { digest: digest('4') });
      const [first] = await store.read.images.pairs(id, { tagStatus: 'ANY', imageStatus: 'ACTIVE' }, undefined, 1);
      assert.deepEqual(first, { digest: digest('2'), tag: 'b' });
      await addImage(store, id, { digest: digest('1'), tags: ['z'] });
      const third = await addImage(store, id, { digest: digest('3') });
      const two = (await store.read.images.find(id, digest('2')))!;
      await store.transaction('alone', async ({ images }) => {
        for (const tag of ['a', 'c']) await images.tag(id, tag, two.id, MOMENT);
      });
      assert.deepEqual(await store.read.images.pairs(id, { tagStatus: 'ANY', imageStatus: 'ACTIVE' }, first, 10), [
        { digest: digest('2'), tag: 'c' },
        { digest: digest('2'), tag: 'd' },
        { digest: third.digest, tag: '' },
        { digest: digest('4'), tag: '' },
      ]);
    });
  });
}

type Model = { image: Image; tags: Set<string> }[];

async function change(store: MetadataStore, repositoryId: number, model: Model, random: Random): Promise<void> {
  const chosen = model[random(model.length || 1)];
  const action = random(10);
  if (chosen === undefined || action < 4) {
    model.push({ image: await addImage(store, repositoryId), tags: new Set() });
    model.sort((one, other) => (one.image.digest < other.image.digest ? -1 : 1));
  } else if (action < 8) {
    const tag = `${'aB_'[random(3)]}${random(12)}`;
    await store.transaction('alone', ({ images }) => images.tag(repositoryId, tag, chosen.image.id, MOMENT));
    for (const { tags } of model) tags.delete(tag);
    chosen.tags.add(tag);
  } else if (action < 9) {
    const [tag] = chosen.tags;
    if (tag === undefined) return;
    await store.transaction('alone', ({ images }) => images.untag(repositoryId, tag));
    chosen.tags.delete(tag);
  } else {
    assert.deepEqual(await store.read.images.tagsOf(chosen.image.id), [...chosen.tags].sort());
    await store.transaction('alone', ({ images }) => images.delete(chosen.image, MOMENT));
    model.splice(model.indexOf(chosen), 1);
  }
}

async function comparePages(
  store: MetadataStore,
  repositoryId: number,
  model: Model,
  status: TagStatus,
  random: Random,
): Promise<void> {
  const limit = 1 + random(5);
  const any = pairsOf(model, 'ANY');
  // Positions of any status, and one whose tag exists nowhere: tokens outlive what they were made from.
  const last = any[random(any.length || 1)];
  for (const after of [undefined, last, last && { ...last, tag: 'M' }]) {
    const expected = pairsOf(model, status).filter((pair) => after === undefined || isAfter(pair, after));
    assert.deepEqual(
      await store.read.images.pairs(repositoryId, { tagStatus: status, imageStatus: 'ACTIVE' }, after, limit),
      expected.slice(0, limit),
    );
    const images = model.filter(({ image, tags }) => image.digest > (after?.digest ?? '') && matches(tags, status));
    const page = await store.read.images.page(
      repositoryId,
      { tagStatus: status, imageStatus: 'ACTIVE' },
      after?.digest ?? '',
      limit,
    );
    assert.deepEqual(
      page,
      images.slice(0, limit).map(({ image, tags }) => ({ ...image, tags: [...tags].sort() })),
    );
  }
}

function pairsOf(model: Model, status: TagStatus): ImagePosition[] {
  return model
    .filter(({ tags }) => matches(tags, status))
    .flatMap(({ image: { digest }, tags }) =>
      tags.size === 0 ? [{ digest, tag: '' }] : [...tags].sort().map((tag) => ({ digest, tag })),
    );
}

function matches(tags: ReadonlySet<string>, status: TagStatus): boolean {
  return status === 'ANY' || (status === 'TAGGED') === tags.size > 0;
}

function isAfter(one: ImagePosition, other: ImagePosition): boolean {
  return one.digest > other.digest || (one.digest === other.digest && one.tag > other.tag);
}

type Random = (below: number) => number;

/** The same numbers for the same seed (a linear congruential generator, Numerical Recipes' constants). */
function randomOf(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
