import type { CoreDependencies } from '../dependencies.ts';
import type { UpstreamManifest } from '../upstreams/upstream.ts';
import type { Digest } from '../values/digest.ts';
import type { Descriptor, Manifest } from '../values/manifest.ts';

/** An image whose manifest has come from upstream, and whose layers or children have not all. */
export interface ArrivingImage extends UpstreamManifest {
  readonly manifest: Manifest;
}

/**
 * Manifests of images on their way, in memory: pulls of them are answered before they are recorded. What is forgotten is asked
 * of the upstream again.
 */
export interface ArrivingImages {
  add(repositoryId: number, image: ArrivingImage, tag?: string): void;
  find(repositoryId: number, digest: Digest): ArrivingImage | undefined;
  /** What a tag is on as soon as that is recorded. */
  digestOfTag(repositoryId: number, tag: string): Digest | undefined;
  /** A layer or config that an arriving image of the repository names. */
  blob(repositoryId: number, digest: Digest): Descriptor | undefined;
  /** Forgets an image that is recorded, or will not be; with a tag the tag too, if it is still on that image. */
  remove(repositoryId: number, digest: Digest, tag?: string): void;
  /** Forgets an image whose import was given up, after a minute: each pull would begin it again otherwise, in vain. */
  removeSoon(repositoryId: number, digest: Digest, tag?: string): void;
}

/** So long an import may take before it is taken for stuck. */
const KEPT_MS = 3600_000;
const GIVEN_UP_MS = 60_000;
const KEPT_BYTES_MAX = 32 * 1024 * 1024;
const TAGS_MAX = 10_000;

interface Kept<T> {
  readonly value: T;
  readonly until: number;
}

export function createArrivingImages({ now }: Pick<CoreDependencies, 'now'>): ArrivingImages {
  const images = new Map<number, Map<Digest, Kept<ArrivingImage>>>();
  const tags = new Map<string, Kept<Digest>>();
  /** Oldest first. */
  const order = new Map<string, { repositoryId: number; digest: Digest }>();
  let bytes = 0;
  const isFresh = (kept: Kept<unknown> | undefined) => kept !== undefined && kept.until > now().getTime();

  const removeImage = (repositoryId: number, digest: Digest) => {
    const those = images.get(repositoryId);
    const kept = those?.get(digest);
    if (!those || !kept) return;
    those.delete(digest);
    if (those.size === 0) images.delete(repositoryId);
    order.delete(`${repositoryId}/${digest}`);
    bytes -= kept.value.content.byteLength;
  };

  return {
    add(repositoryId, image, tag) {
      const until = now().getTime() + KEPT_MS;
      removeImage(repositoryId, image.digest);
      const those = images.get(repositoryId) ?? new Map<Digest, Kept<ArrivingImage>>();
      images.set(repositoryId, those.set(image.digest, { value: image, until }));
      order.set(`${repositoryId}/${image.digest}`, { repositoryId, digest: image.digest });
      bytes += image.content.byteLength;
      if (tag !== undefined) tags.set(`${repositoryId}/${tag}`, { value: image.digest, until });
      for (const oldest of order.values()) {
        if (bytes <= KEPT_BYTES_MAX || order.size === 1) break;
        removeImage(oldest.repositoryId, oldest.digest);
      }
      const [oldestTag] = tags.keys();
      if (tags.size > TAGS_MAX && oldestTag !== undefined) tags.delete(oldestTag);
    },

    find(repositoryId, digest) {
      const kept = images.get(repositoryId)?.get(digest);
      return isFresh(kept) ? kept?.value : undefined;
    },

    digestOfTag(repositoryId, tag) {
      const kept = tags.get(`${repositoryId}/${tag}`);
      return isFresh(kept) ? kept?.value : undefined;
    },

    blob(repositoryId, digest) {
      for (const kept of images.get(repositoryId)?.values() ?? []) {
        const found = isFresh(kept) && kept.value.manifest.blobs.find((blob) => blob.digest === digest);
        if (found) return found;
      }
      return undefined;
    },

    remove(repositoryId, digest, tag) {
      removeImage(repositoryId, digest);
      if (tag !== undefined && tags.get(`${repositoryId}/${tag}`)?.value === digest) {
        tags.delete(`${repositoryId}/${tag}`);
      }
    },

    removeSoon(repositoryId, digest, tag) {
      const until = now().getTime() + GIVEN_UP_MS;
      const image = images.get(repositoryId)?.get(digest);
      if (image) images.get(repositoryId)?.set(digest, { ...image, until });
      const tagged = tags.get(`${repositoryId}/${tag}`);
      if (tagged?.value === digest) tags.set(`${repositoryId}/${tag}`, { ...tagged, until });
    },
  };
}
