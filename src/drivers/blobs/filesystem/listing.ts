import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { SealedBlob, StagedUpload } from '../../../core/blob-store.ts';
import { type BlobPaths, digestAt, isUploadId, uploadIdAt } from './paths.ts';
import { unlessMissing } from './storage-errors.ts';

/** Every staged upload; files that are none are passed over, and so are those that vanish meanwhile. */
export async function* listStaged(paths: BlobPaths): AsyncGenerator<StagedUpload> {
  for await (const name of namesIn(paths.uploads)) {
    if (!isUploadId(name)) continue;
    const facts = await unlessMissing(stat(join(paths.uploads, name)));
    if (facts?.isFile()) yield { uploadId: name, bytes: facts.size, changedAt: facts.mtime };
  }
}

/** Every sealed blob, in the manner of `listStaged`. */
export async function* listSealed(paths: BlobPaths): AsyncGenerator<SealedBlob> {
  for (const algorithm of ['sha256', 'sha512']) {
    for await (const folder of namesIn(join(paths.blobs, algorithm))) {
      for await (const name of namesIn(join(paths.blobs, algorithm, folder))) {
        const location = `${algorithm}/${folder}/${name}`;
        const digest = digestAt(location);
        if (digest === undefined) continue;
        const facts = await unlessMissing(stat(paths.sealed(location)));
        // The rename that sealed it was the last change of the inode.
        if (!facts?.isFile()) continue;
        yield { location, digest, bytes: facts.size, sealedAt: facts.ctime, uploadId: uploadIdAt(location) };
      }
    }
  }
}

/** Names in a folder, read in pieces; none when it is not there or no folder. */
async function* namesIn(folder: string): AsyncGenerator<string> {
  const facts = await unlessMissing(stat(folder));
  if (!facts?.isDirectory()) return;
  const entries = await unlessMissing(opendir(folder, { bufferSize: 256 }));
  if (entries === undefined) return;
  for await (const entry of entries) yield entry.name;
}
