import { createHash } from 'node:crypto';
import type { BlobStore } from '../blob-store.ts';
import { type CoreDependencies, secondsAfter } from '../dependencies.ts';
import type { Blob } from '../layers/layer-records.ts';
import { algorithmOf, digestOf } from '../values/digest.ts';

export interface Verification {
  readonly blobs: number;
  readonly bytes: number;
  readonly images: number;
  /** Each in a sentence. Empty when all is well. */
  readonly problems: readonly string[];
  /** Bytes that no fact names; harmless, garbage collection takes them. */
  readonly orphans: number;
}

const BATCH = 500;

/**
 * Reads every blob and every manifest again and compares facts with bytes both ways. The registry may work meanwhile: what
 * has gone since its fact was read is looked up again before it counts as a problem.
 */
export async function verifyStore(
  dependencies: CoreDependencies,
  onProgress: (done: { blobs: number; bytes: number }) => void = () => {},
): Promise<Verification> {
  const problems: string[] = [];
  let bytes = 0;
  let blobs = 0;
  for await (const blob of allBlobs(dependencies)) {
    problems.push(...(await problemsOf(dependencies, blob)));
    bytes += blob.bytes;
    onProgress({ blobs: ++blobs, bytes });
  }
  const images = await verifyManifests(dependencies, problems);
  for (const missing of await dependencies.metadata.read.images.missingLayers(BATCH)) {
    problems.push(
      `Image ${missing.imageDigest} of repository ${missing.repositoryId} uses layer ${missing.layerDigest}, which the repository does not have`,
    );
  }
  return { blobs, bytes, images, problems, orphans: await countOrphans(dependencies) };
}

async function* allBlobs({ metadata }: CoreDependencies) {
  for (let afterId = 0; ; ) {
    const page = await metadata.read.blobs.page(afterId, BATCH);
    yield* page;
    const last = page.at(-1);
    if (!last) return;
    afterId = last.id;
  }
}

async function problemsOf({ blobs, metadata }: CoreDependencies, blob: Blob): Promise<string[]> {
  const found = await hashSealed(blobs, blob).catch((error: Error) => error);
  if (found === undefined && !(await metadata.read.blobs.hasLocation(blob.location))) return [];
  const name = `Blob ${blob.digest} of ${blob.scope}`;
  if (found === undefined) return [`${name} is missing: there are no bytes at ${blob.location}`];
  if (found instanceof Error) return [`${name} cannot be read at ${blob.location}: ${found.message}`];
  if (found.bytes !== blob.bytes) {
    return [`${name} has ${found.bytes} bytes at ${blob.location}; the record says ${blob.bytes}`];
  }
  if (found.digest !== blob.digest)
    return [`${name} is damaged: the bytes at ${blob.location} hash to ${found.digest}`];
  return [];
}

async function hashSealed(blobs: BlobStore, { location, digest }: Blob) {
  await using reader = await blobs.read(location);
  if (!reader) return undefined;
  const algorithm = algorithmOf(digest);
  const hash = createHash(algorithm);
  for (;;) {
    const chunk = await reader.next();
    if (!chunk) return { bytes: reader.bytes, digest: `${algorithm}:${hash.digest('hex')}` };
    hash.update(chunk);
    reader.recycle(chunk);
  }
}

async function verifyManifests({ metadata }: CoreDependencies, problems: string[]): Promise<number> {
  let images = 0;
  for (let afterId = 0; ; ) {
    const page = await metadata.read.images.manifests(afterId, BATCH);
    for (const { repositoryId, digest, bytes } of page) {
      images++;
      if (bytes === undefined) {
        problems.push(`Manifest ${digest} of repository ${repositoryId} is missing: the database has no bytes for it`);
        continue;
      }
      const actual = digestOf(bytes, algorithmOf(digest));
      if (actual === digest) continue;
      problems.push(`Manifest ${digest} of repository ${repositoryId} is damaged: it hashes to ${actual}`);
    }
    const last = page.at(-1);
    if (!last) return images;
    afterId = last.imageId;
  }
}

async function countOrphans({ blobs, metadata, now, settings }: CoreDependencies): Promise<number> {
  const before = secondsAfter(now(), -settings.orphanSeconds);
  let orphans = 0;
  for await (const { location, sealedAt } of blobs.list()) {
    if (sealedAt < before && !(await metadata.read.blobs.hasLocation(location))) orphans++;
  }
  return orphans;
}
