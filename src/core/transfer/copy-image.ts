import type { BlobReader, ByteRange } from '../blob-store.ts';
import { RefusedError } from '../errors.ts';
import { UpstreamError } from '../upstreams/upstream.ts';
import type { Digest } from '../values/digest.ts';
import { type Descriptor, type Manifest, ManifestError, parseManifest } from '../values/manifest.ts';
import {
  type BlobOutcome,
  type ImageSource,
  type ImageTarget,
  type TransferBlob,
  TransferError,
  type TransferManifest,
} from './transfer.ts';

export interface CopyOptions {
  /** Whether what refers to the image, or to a part of it, is copied after it. */
  readonly withReferrers?: boolean;
  readonly onProgress?: (step: CopyStep) => void;
  readonly signal?: AbortSignal | undefined;
}

/** `bytes` are told as they go; a blob or manifest once it is there. */
export type CopyStep =
  | { readonly kind: 'bytes'; readonly bytes: number }
  | { readonly kind: 'blob'; readonly digest: Digest; readonly bytes: number; readonly outcome: BlobOutcome }
  | { readonly kind: 'manifest'; readonly digest: Digest; readonly outcome: 'present' | 'stored' };

export interface CopyReport {
  readonly digest: Digest;
  /** Whether the image has the tag that was wanted; false when none was. */
  readonly isTagged: boolean;
  readonly manifests: Readonly<Record<'present' | 'stored', number>>;
  readonly blobs: Readonly<Record<BlobOutcome, number>>;
  /** Of the blobs whose bytes were sent. */
  readonly storedBytes: number;
}

/** So many blobs of an image at a time: enough to fill a line whose answers take long, and few buffers. */
const BLOBS_AT_ONCE = 3;

/** Indexes of indexes are legal; nobody nests them deeper. */
const DEPTH_MAX = 8;

/**
 * Copies an image as it is, byte for byte: what it lists and its layers before it, what refers to it after it. What is there
 * already is not sent again. Rejects with TransferError, and with what source and target reject with.
 *
 * @param image a tag or digest of the source, and the tag to put on it, if any
 */
export async function copyImage(
  source: ImageSource,
  target: ImageTarget,
  image: { readonly reference: string; readonly tag?: string | undefined },
  options: CopyOptions = {},
): Promise<CopyReport> {
  const run: CopyRun = {
    source,
    target,
    options,
    copied: new Set(),
    parts: new Set(),
    manifests: { present: 0, stored: 0 },
    blobs: { present: 0, shared: 0, stored: 0 },
    storedBytes: 0,
  };
  const manifest = await readManifest(run, image.reference);
  const isTagged = await copyManifest(run, manifest, image.tag, 0);
  if (options.withReferrers) await copyReferrers(run);
  const { manifests, blobs, storedBytes } = run;
  return { digest: manifest.digest, isTagged, manifests, blobs, storedBytes };
}

interface CopyRun {
  readonly source: ImageSource;
  readonly target: ImageTarget;
  readonly options: CopyOptions;
  /** Manifests that are at the target by now. */
  readonly copied: Set<Digest>;
  /** Those, and what they list. */
  readonly parts: Set<Digest>;
  readonly manifests: Record<'present' | 'stored', number>;
  readonly blobs: Record<BlobOutcome, number>;
  storedBytes: number;
}

async function readManifest({ source, options: { signal } }: CopyRun, reference: string): Promise<TransferManifest> {
  signal?.throwIfAborted();
  const manifest = await source.manifest(reference, { signal });
  if (!manifest) throw new TransferError('missing', `There is no manifest ${reference}`);
  return manifest;
}

/** @returns whether it has the tag */
async function copyManifest(
  run: CopyRun,
  manifest: TransferManifest,
  tag: string | undefined,
  depth: number,
): Promise<boolean> {
  const { target, options } = run;
  const { digest } = manifest;
  const parsed = parse(manifest);
  run.parts.add(digest);
  for (const child of parsed.children) run.parts.add(child.digest);
  if (await target.has(tag ?? digest, digest, options)) {
    note(run, digest, 'present');
    return tag !== undefined;
  }
  if (tag === undefined || !(await target.has(digest, digest, options))) await copyContents(run, parsed, depth);
  const { isTagged } = await putManifest(run, manifest, tag, depth);
  note(run, digest, 'stored');
  return isTagged;
}

/** What a manifest names. */
async function copyContents(run: CopyRun, { children, blobs, foreign }: Manifest, depth: number): Promise<void> {
  if (depth === DEPTH_MAX) throw new TransferError('invalid', `Indexes are nested deeper than ${DEPTH_MAX}`);
  for (const { digest } of children) {
    if (run.copied.has(digest)) continue;
    await copyManifest(run, await readManifest(run, digest), undefined, depth + 1);
  }
  const wanted = new Map(blobs.map((blob) => [blob.digest, blob]));
  for (const blob of foreign) {
    if (!wanted.has(blob.digest) && (await run.source.hasBlob(blob.digest, run.options))) wanted.set(blob.digest, blob);
  }
  await copyBlobs(run, [...wanted.values()]);
}

/** A target that believed a blob to be there may learn from the manifest that it is gone; then everything is looked at again. */
async function putManifest(run: CopyRun, manifest: TransferManifest, tag: string | undefined, depth: number) {
  const { target, options } = run;
  try {
    return await target.putManifest(manifest, tag, options);
  } catch (error) {
    if (!saysContentsLack(error) || !target.doubt()) throw error;
    run.copied.clear();
    await copyContents(run, parse(manifest), depth);
    return target.putManifest(manifest, tag, options);
  }
}

function saysContentsLack(error: unknown): boolean {
  if (error instanceof UpstreamError) return error.code === 'refused' || error.code === 'not-found';
  return (
    error instanceof RefusedError && ['layers-not-found', 'referenced-images-not-found'].includes(error.refusal.kind)
  );
}

async function copyBlobs(run: CopyRun, descriptors: readonly Descriptor[]): Promise<void> {
  const left = [...descriptors];
  const failures: unknown[] = [];
  const work = async () => {
    for (let next = left.shift(); next && failures.length === 0; next = left.shift()) {
      await copyBlob(run, next).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: BLOBS_AT_ONCE }, work));
  if (failures.length > 0) throw failures[0];
}

async function copyBlob(run: CopyRun, descriptor: Descriptor): Promise<void> {
  const { source, target, options } = run;
  options.signal?.throwIfAborted();
  const blob = await source.blob(descriptor, options);
  if (!blob) throw new TransferError('missing', `The blob ${descriptor.digest} is not there`);
  const outcome = await target.putBlob(watched(blob, options), options);
  run.blobs[outcome] += 1;
  if (outcome === 'stored') run.storedBytes += blob.bytes;
  options.onProgress?.({ kind: 'blob', digest: blob.digest, bytes: blob.bytes, outcome });
}

/** Tells of bytes as they go. */
function watched(blob: TransferBlob, { onProgress }: CopyOptions): TransferBlob {
  if (!onProgress) return blob;
  const watch = (reader: BlobReader): BlobReader => ({
    bytes: reader.bytes,
    async next() {
      const chunk = await reader.next();
      if (chunk) onProgress({ kind: 'bytes', bytes: chunk.byteLength });
      return chunk;
    },
    recycle: (chunk) => reader.recycle(chunk),
    [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
  });
  return { ...blob, read: async (range: ByteRange) => watch(await blob.read(range)) };
}

/** The set grows while it is walked: referrers have referrers. One that went since it was listed is missed by nobody. */
async function copyReferrers(run: CopyRun): Promise<void> {
  const { source, options } = run;
  for (const subject of run.parts) {
    for await (const referrer of source.referrers(subject, options)) {
      if (run.copied.has(referrer)) continue;
      options.signal?.throwIfAborted();
      const manifest = await source.manifest(referrer, options);
      if (manifest) await copyManifest(run, manifest, undefined, 0);
    }
  }
}

function note(run: CopyRun, digest: Digest, outcome: 'present' | 'stored'): void {
  run.copied.add(digest);
  run.manifests[outcome] += 1;
  run.options.onProgress?.({ kind: 'manifest', digest, outcome });
}

function parse({ digest, mediaType, content }: TransferManifest): Manifest {
  try {
    return parseManifest(content, mediaType);
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    throw new TransferError('invalid', `The manifest ${digest} cannot be copied: ${error.message}`, { cause: error });
  }
}
