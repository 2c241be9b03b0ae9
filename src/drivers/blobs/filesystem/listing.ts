import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { SealedBlob, StagedUpload } from '../../../core/blob-store.ts';
import { sealedBytesAt } from './encrypted/sealed-layout.ts';
import { encryptedFacts } from './encrypted/staged-files.ts';
import { type BlobPaths, digestAt, encryptedUploadOf, isUploadId, uploadIdAt } from './paths.ts';
import { unlessMissing } from './storage-errors.ts';

/** Every staged upload; files that are none are passed over, and so are those that vanish meanwhile. */
export async function* listStaged(paths: BlobPaths): AsyncGenerator<StagedUpload> {
  for await (const name of namesIn(paths.uploads)) {
    const encrypted = encryptedUploadOf(name);
    if (!encrypted && !isUploadId(name)) continue;
    const facts = await unlessMissing(stat(join(paths.uploads, name)));
    if (!facts?.isFile()) continue;
    if (!encrypted) yield { uploadId: name, bytes: facts.size, changedAt: facts.mtime };
    else yield* listEncrypted(paths, encrypted, facts.mtime);
  }
}

/** Once for each upload: by its chunks, or by a tail that a crash at the end of a seal left alone. */
async function* listEncrypted(
  paths: BlobPaths,
  { uploadId, file }: { uploadId: string; file: 'chunks' | 'tail' },
  fileChangedAt: Date,
): AsyncGenerator<StagedUpload> {
  const files = paths.encryptedStaged(uploadId);
  const facts = await encryptedFacts(files);
  if (file === 'tail') {
    if (facts === undefined) yield { uploadId, bytes: 0, changedAt: fileChangedAt };
    return;
  }
  if (facts === undefined) return;
  const tail = await unlessMissing(stat(files.tail));
  const changedAt = tail && tail.mtime > fileChangedAt ? tail.mtime : fileChangedAt;
  yield { uploadId, bytes: facts.bytes, changedAt };
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
        const bytes = sealedBytesAt(location, facts.size);
        yield { location, digest, bytes, sealedAt: facts.ctime, uploadId: uploadIdAt(location) };
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
