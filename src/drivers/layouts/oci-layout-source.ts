import type { MigrationSource } from '../../core/migration/places.ts';
import { type ImageSource, TransferError, type TransferManifest } from '../../core/transfer/transfer.ts';
import { type Digest, parseDigest } from '../../core/values/digest.ts';
import { ManifestError, parseManifest } from '../../core/values/manifest.ts';
import { type ImageName, parseImageName } from './image-name.ts';
import { findLayoutBlob, readLayoutManifest } from './layout-blobs.ts';
import type { LayoutFiles } from './layout-files.ts';
import { IMAGE_NAME, type LayoutEntry, REF_NAME, readLayoutIndex } from './layout-index.ts';
import { createLayoutSource, type LayoutImage } from './layout-source.ts';

export interface LayoutSourceOptions {
  /** Of images that do not say theirs. */
  readonly repositoryName?: string | undefined;
  /** The name, or the tag in it, of the one image that is meant. */
  readonly only?: string | undefined;
}

/** An OCI image layout (OCI image specification 1.1), in a folder or a tar archive, which it closes. */
export async function openOciLayoutSource(
  files: LayoutFiles,
  { repositoryName, only }: LayoutSourceOptions = {},
): Promise<MigrationSource> {
  await using opening = new AsyncDisposableStack();
  opening.use(files);
  const entries = await readLayoutIndex(files);
  if (!entries) throw new TransferError('missing', `${files.name} is no OCI image layout`);
  const meant = only === undefined ? entries : entries.filter((entry) => isCalled(entry, only));
  if (meant.length === 0 && only !== undefined) {
    throw new TransferError('missing', `${files.name} has no image of the name ${only}`);
  }
  const images = meant.map((entry): LayoutImage => ({ ...nameOf(entry), manifest: () => manifestOf(files, entry) }));
  refuseDoubles(files, meant);
  const source = createLayoutSource(files.name, images, createContents(files, entries), repositoryName);
  const opened = opening.move();
  return { ...source, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

function createContents(files: LayoutFiles, entries: readonly LayoutEntry[]): ImageSource {
  let subjects: Promise<Map<Digest, Digest[]>> | undefined;
  return {
    async manifest(reference) {
      const digest = parseDigest(reference);
      const entry = entries.find((each) => each.digest === digest);
      return digest && readLayoutManifest(files, digest, entry?.mediaType);
    },
    blob: (descriptor) => findLayoutBlob(files, descriptor),
    hasBlob: async (digest) => (await files.stat(`blobs/${digest.replace(':', '/')}`)) !== undefined,
    async *referrers(digest) {
      subjects ??= readSubjects(files, entries);
      yield* (await subjects).get(digest) ?? [];
    },
  };
}

/** What refers to what: referrers are entries as images are. */
async function readSubjects(files: LayoutFiles, entries: readonly LayoutEntry[]): Promise<Map<Digest, Digest[]>> {
  const subjects = new Map<Digest, Digest[]>();
  for (const entry of entries) {
    const manifest = await readLayoutManifest(files, entry.digest, entry.mediaType);
    const subject = manifest && subjectOf(manifest);
    if (subject === undefined) continue;
    const referrers = subjects.get(subject) ?? [];
    if (!referrers.includes(entry.digest)) subjects.set(subject, [...referrers, entry.digest]);
  }
  return subjects;
}

/** A broken manifest is refused when it is its own turn. */
function subjectOf({ content, mediaType }: TransferManifest): Digest | undefined {
  try {
    return parseManifest(content, mediaType).subject?.digest;
  } catch (error) {
    if (error instanceof ManifestError) return undefined;
    throw error;
  }
}

async function manifestOf(files: LayoutFiles, { digest, size, mediaType }: LayoutEntry): Promise<TransferManifest> {
  const manifest = await readLayoutManifest(files, digest, mediaType);
  if (!manifest) throw new TransferError('missing', `${files.name}: the manifest ${digest} is not there`);
  if (manifest.content.byteLength === size) return manifest;
  const reason = `the manifest ${digest} has ${manifest.content.byteLength} bytes, and index.json says ${size}`;
  throw new TransferError('invalid', `${files.name}: ${reason}`);
}

function nameOf({ annotations = {} }: LayoutEntry): ImageName {
  const text = annotations[IMAGE_NAME] ?? annotations[REF_NAME];
  return text === undefined ? {} : parseImageName(text);
}

function isCalled({ annotations = {} }: LayoutEntry, name: string): boolean {
  return (
    annotations[REF_NAME] === name ||
    annotations[IMAGE_NAME] === name ||
    nameOf({ annotations } as LayoutEntry).tag === name
  );
}

function refuseDoubles(files: LayoutFiles, entries: readonly LayoutEntry[]): void {
  const seen = new Map<string, Digest>();
  for (const entry of entries) {
    const { repositoryName = '', tag } = nameOf(entry);
    if (tag === undefined) continue;
    const name = `${repositoryName}:${tag}`;
    if ((seen.get(name) ?? entry.digest) !== entry.digest) {
      throw new TransferError('invalid', `${files.name} has two images of the name ${name}`);
    }
    seen.set(name, entry.digest);
  }
}
