import { type TransferBlob, TransferError, type TransferManifest } from '../../core/transfer/transfer.ts';
import { algorithmOf, type Digest, digestOf, hexOf } from '../../core/values/digest.ts';
import { type Descriptor, MANIFEST_BYTES_MAX } from '../../core/values/manifest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../core/values/media-type.ts';
import { type LayoutFiles, readSmallFile } from './layout-files.ts';

/** OCI image layout specification, "Blobs". */
export function blobPath(digest: Digest): string {
  return `blobs/${algorithmOf(digest)}/${hexOf(digest)}`;
}

/**
 * A manifest of a layout, looked at for its digest.
 *
 * @param mediaType as its descriptor says; else its own, or what it looks like
 * @returns undefined when it is not there
 */
export async function readLayoutManifest(
  files: LayoutFiles,
  digest: Digest,
  mediaType?: string,
): Promise<TransferManifest | undefined> {
  const content = await readSmallFile(files, blobPath(digest), MANIFEST_BYTES_MAX);
  if (!content) return undefined;
  if (digestOf(content, algorithmOf(digest)) !== digest) {
    throw new TransferError('invalid', `${files.name}: the manifest ${digest} has another digest`);
  }
  return { digest, mediaType: mediaType ?? mediaTypeOf(content), content };
}

/** A blob as its descriptor says; its digest is looked at by whoever takes it. Undefined when it is not there. */
export async function findLayoutBlob(
  files: LayoutFiles,
  { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
  path: string = blobPath(digest),
): Promise<TransferBlob | undefined> {
  const found = await files.stat(path);
  if (!found) return undefined;
  if (found.bytes !== size) {
    const reason = `the blob ${digest} has ${found.bytes} bytes, and its manifest says ${size}`;
    throw new TransferError('invalid', `${files.name}: ${reason}`);
  }
  return { digest, bytes: size, handsOver: true, read: (range) => files.read(path, range) };
}

/** A manifest need not say what it is (OCI image specification, `mediaType`). */
function mediaTypeOf(content: Uint8Array): string {
  try {
    const document = JSON.parse(Buffer.from(content).toString()) as { mediaType?: unknown; manifests?: unknown } | null;
    if (typeof document?.mediaType === 'string') return document.mediaType;
    return document?.manifests === undefined ? OCI_MANIFEST : OCI_INDEX;
  } catch {
    return OCI_MANIFEST;
  }
}
