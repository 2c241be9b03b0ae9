import type { Image } from '../images/image-records.ts';
import type { LifecycleImage } from './lifecycle-image.ts';
import type { LifecyclePolicy } from './lifecycle-policy.ts';
import type { ImageFacts, LifecycleReads } from './lifecycle-records.ts';

/** An image as it was when decisions about it were made. */
export type CollectedImage = ImageFacts & LifecycleImage;

/** Small enough that requests wait no more than some milliseconds for a page. */
const PAGE = 1000;

/** Reads what a policy looks at, letting requests have their turns in between: a repository has up to 100,000 images. */
export async function collectImages(
  lifecycle: LifecycleReads,
  repositoryId: number,
  { imageUnit }: Pick<LifecyclePolicy, 'imageUnit'>,
  signal?: AbortSignal,
): Promise<CollectedImage[]> {
  const images: CollectedImage[] = [];
  for (let after = ''; ; ) {
    signal?.throwIfAborted();
    const page = await lifecycle.images(repositoryId, after, PAGE);
    const last = page.at(-1)?.digest;
    if (last === undefined) return images;
    const parents = imageUnit === 'index' ? await parentsOf(lifecycle, repositoryId, after, last) : undefined;
    for (const facts of page) images.push(collected(facts, parents?.get(facts.digest)));
    after = last;
    await nextTurn();
  }
}

async function parentsOf(
  lifecycle: LifecycleReads,
  repositoryId: number,
  after: string,
  upTo: string,
): Promise<Map<string, string[]>> {
  const listed = await lifecycle.indexesBetween(repositoryId, after, upTo);
  return new Map([...Map.groupBy(listed, ({ child }) => child)].map(([child, all]) => [child, all.map(indexOf)]));
}

function indexOf({ index }: { index: string }): string {
  return index;
}

/** Of a restored image the age counts from its restoration, which is yet to come where it is under way. */
const YET_TO_COME = new Date(8.64e15);

function collected(facts: ImageFacts, parents: readonly string[] | undefined): CollectedImage {
  const activatedAt = facts.status === 'ACTIVATING' && { activatedAt: YET_TO_COME };
  return { ...facts, ...activatedAt, storageClass: storageClassOf(facts), ...(parents && { parents }) };
}

/** An image on its way out of the archive is no longer in it. */
export function storageClassOf({ status }: Pick<Image, 'status'>): LifecycleImage['storageClass'] {
  return status === 'ARCHIVED' ? 'ARCHIVE' : 'STANDARD';
}

/** Lets requests have their turns. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
