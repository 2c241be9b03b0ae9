import { createHash } from 'node:crypto';
import type { KeptBytes } from '../blob-store.ts';
import { type CoreDependencies, secondsAfter } from '../dependencies.ts';
import { isOfKey } from '../encryption/key-refusals.ts';
import type { Blob } from '../layers/layer-records.ts';
import { algorithmOf, digestOf } from '../values/digest.ts';
import { UnverifiedBlobLog, type UnverifiedBlobs } from './unverified-blobs.ts';

export interface Verification {
  readonly blobs: number;
  readonly bytes: number;
  readonly images: number;
  /** Blobs that could not be read since their key cannot be used, by reason. */
  readonly unverified: readonly UnverifiedBlobs[];
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
  const unverified = new UnverifiedBlobLog(dependencies.metadata.read.blobs, dependencies.now);
  let bytes = 0;
  let blobs = 0;
  for await (const blob of allBlobs(dependencies)) {
    problems.push(...(await lookAt(dependencies, blob, unverified)));
    bytes += blob.bytes;
    onProgress({ blobs: ++blobs, bytes });
  }
  const images = await verifyManifests(dependencies, problems);
  for (const missing of await dependencies.metadata.read.images.missingLayers(BATCH)) {
    problems.push(
      `Image ${missing.imageDigest} of repository ${missing.repositoryId} uses layer ${missing.layerDigest}, which the repository does not have`,
    );
  }
  return { blobs, bytes, images, unverified: unverified.found, problems, orphans: await countOrphans(dependencies) };
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

/** What can be told without its key of a blob whose key cannot be used: whether there are as many bytes as there should be. */
async function lookAt(
  dependencies: CoreDependencies,
  blob: Blob,
  unverified: UnverifiedBlobLog,
): Promise<readonly string[]> {
  const { encryption, blobs } = dependencies;
  try {
    const refusal = unverified.knownRefusal(blob);
    if (refusal) throw refusal;
    return await problemsOf(dependencies, await encryption.bytes(blob.protection), blob);
  } catch (error) {
    if (!isOfKey(error)) throw error;
    unverified.hear(blob, error);
    const problems = await sizeProblems(dependencies, blob, await blobs.stat(blob.location));
    if (problems.length === 0) await unverified.note(blob, error);
    return problems;
  }
}

async function problemsOf(dependencies: CoreDependencies, kept: KeptBytes, blob: Blob): Promise<string[]> {
  const found = await hashSealed(kept, blob).catch((error: Error) => {
    // A store that asks for the key itself may be the first to be refused.
    if (isOfKey(error)) throw error;
    return error;
  });
  const name = `Blob ${blob.digest} of ${blob.scope}`;
  if (found instanceof Error) return [`${name} cannot be read at ${blob.location}: ${found.message}`];
  const problems = await sizeProblems(dependencies, blob, found);
  if (problems.length > 0 || found === undefined || found.digest === blob.digest) return problems;
  return [`${name} is damaged: the bytes at ${blob.location} hash to ${found.digest}`];
}

async function sizeProblems(
  { metadata }: CoreDependencies,
  { digest, scope, location, bytes }: Blob,
  found: { readonly bytes: number } | undefined,
): Promise<string[]> {
  if (found?.bytes === bytes) return [];
  const name = `Blob ${digest} of ${scope}`;
  if (found !== undefined) return [`${name} has ${found.bytes} bytes at ${location}; the record says ${bytes}`];
  if (!(await metadata.read.blobs.hasLocation(location))) return [];
  return [`${name} is missing: there are no bytes at ${location}`];
}

async function hashSealed(kept: KeptBytes, { location, digest }: Blob) {
  await using reader = await kept.read(location);
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
