import type { Call } from '../access/caller.ts';
import type { BlobReader } from '../blob-store.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { Image } from '../images/image-records.ts';
import { digestOf } from '../values/digest.ts';
import { OCI_MANIFEST } from '../values/media-type.ts';
import { createLocalTarget, type LocalTargetOptions } from './local-target.ts';
import type { TransferBlob } from './transfer.ts';

/** "The empty descriptor" (OCI image specification, "Guidance for an empty descriptor"). */
const EMPTY_TYPE = 'application/vnd.oci.empty.v1+json';

/** An artifact of one document. */
export interface NewArtifact {
  readonly artifactType: string;
  /** Of the document. */
  readonly mediaType: string;
  readonly content: Uint8Array;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Pushes an artifact that refers to an image. Repeatable: the same artifact is there once. Refuses as a push does. */
export async function attachArtifact(
  dependencies: CoreDependencies,
  call: Call,
  { repositoryName, image }: { readonly repositoryName: string; readonly image: Image },
  { artifactType, mediaType, content, annotations }: NewArtifact,
  options: Pick<LocalTargetOptions, 'recheck'> = {},
): Promise<void> {
  const config = blobOf(Buffer.from('{}'));
  const document = blobOf(content);
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    artifactType,
    config: { mediaType: EMPTY_TYPE, digest: config.digest, size: config.bytes },
    layers: [{ mediaType, digest: document.digest, size: document.bytes }],
    subject: { mediaType: image.mediaType, digest: image.digest, size: image.manifestBytes },
    ...(annotations && { annotations }),
  };
  const written = Buffer.from(JSON.stringify(manifest));
  const target = createLocalTarget(dependencies, call, repositoryName, options);
  for (const blob of [config, document]) await target.putBlob(blob);
  await target.putManifest({ digest: digestOf(written), mediaType: OCI_MANIFEST, content: written }, undefined);
}

function blobOf(content: Uint8Array): TransferBlob {
  return {
    digest: digestOf(content),
    bytes: content.byteLength,
    handsOver: false,
    read: async (range = { first: 0, last: content.byteLength - 1 }) =>
      readerOf(content.subarray(range.first, range.last + 1)),
  };
}

function readerOf(content: Uint8Array): BlobReader {
  let isOver = false;
  return {
    bytes: content.byteLength,
    async next() {
      if (isOver) return undefined;
      isOver = true;
      return content;
    },
    recycle() {},
    async [Symbol.asyncDispose]() {},
  };
}
