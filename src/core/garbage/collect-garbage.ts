import type { BlobStore } from '../blob-store.ts';
import { type CoreDependencies, secondsAfter } from '../dependencies.ts';
import type { Blob } from '../layers/layer-records.ts';
import type { Upload } from '../layers/upload-records.ts';
import type { MetadataStore } from '../metadata-store.ts';
import { forgetRecords } from './forget-records.ts';

/** What a run took away. */
export interface GarbageReport {
  readonly uploads: number;
  readonly layers: number;
  readonly blobs: number;
  readonly bytes: number;
  /** Sealed or staged bytes that no record named: remains of crashes. */
  readonly orphans: number;
  /** Changes of tags, deleted images, events and jobs given up whose time was over. */
  readonly records: number;
}

/** Small enough that a push does not wait for it. */
const BATCH = 200;

/**
 * Takes what nothing points at any more, while the registry works. Facts go first, in transactions that look again; bytes
 * follow. A location is never used twice, so bytes that a deleted fact named can be nobody else's.
 *
 * @param onProgress told of what was taken so far, now and then
 * @param signal ends the run early, between two steps; what was done stays done
 */
export async function collectGarbage(
  dependencies: CoreDependencies,
  { onProgress, signal }: { onProgress?: (report: GarbageReport) => void; signal?: AbortSignal } = {},
): Promise<GarbageReport> {
  const report = { uploads: 0, layers: 0, blobs: 0, bytes: 0, orphans: 0, records: 0 };
  const progress = () => {
    signal?.throwIfAborted();
    onProgress?.({ ...report });
  };
  for await (const count of forgetIdleUploads(dependencies)) {
    report.uploads += count;
    progress();
  }
  for await (const count of forgetRecords(dependencies, BATCH)) {
    report.records += count;
    progress();
  }
  for await (const _ of reapRepositories(dependencies)) progress();
  for await (const count of endLeases(dependencies)) {
    report.layers += count;
    progress();
  }
  for await (const blob of deleteBlobs(dependencies)) {
    report.blobs++;
    report.bytes += blob.bytes;
    progress();
  }
  for await (const bytes of deleteOrphans(dependencies)) {
    report.orphans++;
    report.bytes += bytes;
    progress();
  }
  return report;
}

/** An upload whose staged bytes still change is not idle, whatever its record says: streams do not write records. */
async function* forgetIdleUploads({ metadata, blobs, now, settings }: CoreDependencies) {
  const before = secondsAfter(now(), -settings.uploadIdleSeconds);
  const active = new Set<string>();
  for await (const { uploadId, changedAt } of blobs.staged()) if (changedAt >= before) active.add(uploadId);
  for (;;) {
    const candidates = await metadata.read.uploads.idle(before, BATCH + active.size);
    const idle = candidates.filter(({ id }) => !active.has(id)).slice(0, BATCH);
    if (idle.length === 0) return;
    const forgotten = await metadata.transaction('own-rows', async (records) => {
      const still: Upload[] = [];
      for (const { repositoryId, id } of idle) {
        const upload = await records.uploads.find(repositoryId, id);
        if (upload && upload.touchedAt < before && (await records.uploads.delete(id))) still.push(upload);
      }
      return still;
    });
    for (const { id } of forgotten) await blobs.discard(id);
    yield forgotten.length;
  }
}

/** What deleted repositories held, some at a time. */
async function* reapRepositories({ metadata }: CoreDependencies) {
  for (;;) {
    const [id] = await metadata.read.repositories.retired(1);
    if (id === undefined) return;
    while (await metadata.transaction('own-rows', (records) => records.repositories.reap(id, BATCH))) yield id;
  }
}

async function* endLeases({ metadata, now }: CoreDependencies) {
  for (;;) {
    const at = now();
    const expired = await metadata.read.layers.expired(at, BATCH);
    if (expired.length === 0) return;
    yield await metadata.transaction('own-rows', async ({ layers }) => {
      // Asked for at once: a database that is far away answers them all at once.
      const ended = await Promise.all(
        expired.map(({ repositoryId, digest }) => layers.deleteExpired(repositoryId, digest, at)),
      );
      return ended.filter(Boolean).length;
    });
  }
}

/** While a store deletes bytes, which takes it its time, the next facts go. */
async function* deleteBlobs({ metadata, blobs }: CoreDependencies) {
  let deleting: { readonly forgotten: readonly Blob[]; readonly bytes: Promise<void> } | undefined;
  try {
    for (;;) {
      const forgotten = await forgetBlobs(metadata);
      const before = deleting;
      await before?.bytes;
      deleting = forgotten && { forgotten, bytes: deleteBytes(blobs, forgotten) };
      deleting?.bytes.catch(() => {});
      yield* before?.forgotten ?? [];
      if (!forgotten) return;
    }
  } finally {
    await deleting?.bytes;
  }
}

/** @returns undefined when there is none that nothing uses */
async function forgetBlobs(metadata: MetadataStore): Promise<readonly Blob[] | undefined> {
  const unreferenced = await metadata.read.blobs.unreferenced(BATCH);
  if (unreferenced.length === 0) return undefined;
  return metadata.transaction('own-rows', async ({ blobs }) => {
    const gone = await Promise.all(unreferenced.map(({ id }) => blobs.deleteUnreferenced(id)));
    return unreferenced.filter((_, at) => gone[at]);
  });
}

async function deleteBytes(blobs: BlobStore, forgotten: readonly Blob[]): Promise<void> {
  if (blobs.deleteMany) return blobs.deleteMany(forgotten.map(({ location }) => location));
  for (const { location } of forgotten) await blobs.delete(location);
}

/**
 * Young bytes without a fact are a push between its two steps; only old ones are remains. Sealed bytes are recorded in the
 * transaction that ends their upload, so what has no record once the upload has ended will never have one.
 */
async function* deleteOrphans({ metadata, blobs, now, settings }: CoreDependencies) {
  const before = secondsAfter(now(), -settings.orphanSeconds);
  for await (const { location, sealedAt, bytes, uploadId } of blobs.list()) {
    if (sealedAt >= before || (await metadata.read.blobs.hasLocation(location))) continue;
    if (await metadata.read.uploads.exists(uploadId)) continue;
    if (await metadata.read.blobs.hasLocation(location)) continue;
    await blobs.delete(location);
    yield bytes;
  }
  for await (const { uploadId, changedAt, bytes } of blobs.staged()) {
    if (changedAt >= before || (await metadata.read.uploads.exists(uploadId))) continue;
    await blobs.discard(uploadId);
    yield bytes;
  }
}
