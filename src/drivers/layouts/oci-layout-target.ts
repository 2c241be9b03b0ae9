import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { MigrationTarget } from '../../core/migration/places.ts';
import { createSharedWork } from '../../core/transfer/shared-work.ts';
import { type ImageTarget, TransferError, type TransferManifest } from '../../core/transfer/transfer.ts';
import { type Digest, parseDigest } from '../../core/values/digest.ts';
import { ManifestError, parseManifest } from '../../core/values/manifest.ts';
import { openFolderFiles } from './folder-files.ts';
import { blobPath, readLayoutManifest } from './layout-blobs.ts';
import type { LayoutFiles } from './layout-files.ts';
import { type LayoutEntry, REF_NAME, readLayoutIndex } from './layout-index.ts';
import { writeWholeBlob, writeWholeFile } from './whole-files.ts';

export interface LayoutTargetOptions {
  /** Whether images are called `REPOSITORY:TAG`, since there are several repositories, and not by their tags alone. */
  readonly namesRepositories: boolean;
}

/** The list is written at most so often while images come. */
const INDEX_INTERVAL_MS = 1000;

/** An OCI image layout in a folder, new or begun before. */
export async function openOciLayoutTarget(
  folder: string,
  { namesRepositories }: LayoutTargetOptions,
): Promise<MigrationTarget> {
  const root = resolve(folder);
  const files = await makeLayout(root);
  const entries = await readLayoutIndex(files);
  const index = new LayoutIndex(root, entries);
  const listed = await readListed(files, entries ?? []);
  const sharedWork = createSharedWork();
  return {
    name: folder,
    prepare: async () => {},
    repository(repositoryName): ImageTarget {
      const nameOf = (tag: string) => (namesRepositories ? `${repositoryName}:${tag}` : tag);
      const isThere = async (digest: Digest) => (await files.stat(blobPath(digest))) !== undefined;
      return {
        // Manifests are written after what they name.
        async has(reference, digest) {
          if (!listed.has(digest) || !(await isThere(digest))) return false;
          return parseDigest(reference) !== undefined || index.digestOf(nameOf(reference)) === digest;
        },
        async putBlob(blob, { signal } = {}) {
          // Of two that bring the same bytes one waits, and finds them there.
          return sharedWork.oneByOne(blob.digest, async () => {
            if ((await files.stat(blobPath(blob.digest)))?.bytes === blob.bytes) return 'present';
            await writeWholeBlob(root, blob, signal);
            return 'stored';
          });
        },
        async putManifest(manifest, tag) {
          await writeWholeFile(join(root, blobPath(manifest.digest)), manifest.content);
          const alone = namesRepositories ? `${repositoryName}@${manifest.digest}` : undefined;
          await index.put(manifest, tag === undefined ? alone : nameOf(tag), tag !== undefined);
          listed.add(manifest.digest);
          return { isTagged: tag !== undefined };
        },
        doubt: () => false,
      };
    },
    finish: () => index.flush(),
    [Symbol.asyncDispose]: () => index.flush(),
  };
}

/**
 * The manifests that the list leads to. One that was written when a run was broken off may not be on it yet, and nobody would find
 * what has no tag.
 */
async function readListed(files: LayoutFiles, entries: readonly LayoutEntry[]): Promise<Set<Digest>> {
  const listed = new Set<Digest>();
  const left: { digest: Digest; mediaType?: string }[] = [...entries];
  for (let next = left.pop(); next; next = left.pop()) {
    if (listed.has(next.digest)) continue;
    const children = await childrenOf(files, next);
    if (!children) continue;
    listed.add(next.digest);
    left.push(...children);
  }
  return listed;
}

/** @returns undefined for a manifest that is not there, or not whole: it is written again */
async function childrenOf(files: LayoutFiles, { digest, mediaType }: { digest: Digest; mediaType?: string }) {
  try {
    const manifest = await readLayoutManifest(files, digest, mediaType);
    return manifest && parseManifest(manifest.content, manifest.mediaType).children;
  } catch (error) {
    if (error instanceof TransferError || error instanceof ManifestError) return undefined;
    throw error;
  }
}

async function makeLayout(root: string): Promise<LayoutFiles> {
  await mkdir(join(root, 'blobs', 'sha256'), { recursive: true });
  const files = await openFolderFiles(root);
  if (await files.stat('oci-layout')) return files;
  const others = (await readdir(root)).filter((name) => name !== 'blobs');
  if (others.length > 0) throw new TransferError('invalid', `${root} has other files in it and is no OCI image layout`);
  await writeFile(join(root, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  return files;
}

/** index.json, in memory and on the disk. */
class LayoutIndex {
  readonly #file: string;
  #entries: LayoutEntry[];
  #isChanged: boolean;
  #writtenAt = 0;
  #writing: Promise<void> = Promise.resolve();

  /** @param entries undefined when there is no list yet */
  constructor(root: string, entries: readonly LayoutEntry[] | undefined) {
    this.#file = join(root, 'index.json');
    this.#entries = [...(entries ?? [])];
    this.#isChanged = entries === undefined;
  }

  digestOf(name: string): Digest | undefined {
    return this.#entries.find((entry) => nameOf(entry) === name)?.digest;
  }

  /** @param isTag else the image is listed only until an index is put that lists it */
  async put(manifest: TransferManifest, name: string | undefined, isTag: boolean): Promise<void> {
    const { digest, mediaType, content } = manifest;
    const children = new Set(parseManifest(content, mediaType).children.map((child) => child.digest));
    const isDropped = (entry: LayoutEntry) =>
      (isTag && nameOf(entry) === name) ||
      (isTag && entry.digest === digest && isLoose(entry)) ||
      (children.has(entry.digest) && isLoose(entry));
    const kept = this.#entries.filter((entry) => !isDropped(entry));
    const isListed = !isTag && kept.some((entry) => entry.digest === digest);
    const annotations = name === undefined ? undefined : { [REF_NAME]: name };
    const entry = { mediaType, digest, size: content.byteLength, ...(annotations && { annotations }) };
    this.#entries = isListed ? kept : [...kept, entry];
    this.#isChanged = true;
    if (Date.now() - this.#writtenAt > INDEX_INTERVAL_MS) await this.flush();
  }

  async flush(): Promise<void> {
    this.#writing = this.#writing.catch(() => {}).then(() => this.#write());
    await this.#writing;
  }

  async #write(): Promise<void> {
    if (!this.#isChanged) return;
    this.#isChanged = false;
    this.#writtenAt = Date.now();
    const document = {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: this.#entries,
    };
    await writeWholeFile(this.#file, Buffer.from(JSON.stringify(document)));
  }
}

function nameOf({ annotations }: LayoutEntry): string | undefined {
  return annotations?.[REF_NAME];
}

/** Listed for want of a tag. */
function isLoose(entry: LayoutEntry): boolean {
  const name = nameOf(entry);
  return name === undefined || name.endsWith(`@${entry.digest}`);
}
