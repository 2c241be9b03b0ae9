import type { TaggedImage } from './image-records.ts';

/** As much as one transaction deletes of images: a push does not wait for it. */
export const IMAGES_WEIGHT_MAX = 50;

const TAGS_LIKE_AN_IMAGE = 10;
const MANIFEST_BYTES_LIKE_AN_IMAGE = 64 * 1024;

/** How much there is to do for an image, in plain images: one may have a thousand tags, and a manifest of 4 MiB. */
export function imageWeight({ tags, manifestBytes }: Pick<TaggedImage, 'tags' | 'manifestBytes'>): number {
  return Math.max(1, tags.length / TAGS_LIKE_AN_IMAGE, manifestBytes / MANIFEST_BYTES_LIKE_AN_IMAGE);
}
