import type { BlobReader } from '../blob-store.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { createLocalTarget } from '../transfer/local-target.ts';
import type { TransferBlob } from '../transfer/transfer.ts';
import { digestOf } from '../values/digest.ts';
import { OCI_MANIFEST } from '../values/media-type.ts';
import { CYCLONE_DX_TYPE } from './cyclone-dx.ts';
import type { ScanEngine } from './scan-engine.ts';
import type { ReadImage } from './scan-image.ts';

const NOBODY = { kind: 'open', accountId: '', arn: '', userId: '' } as const;

/** "The empty descriptor" (OCI image specification, "Guidance for an empty descriptor"). */
const EMPTY_TYPE = 'application/vnd.oci.empty.v1+json';

/**
 * Pushes a list of what an image holds as an artifact that refers to it. Repeatable: the same list is there once. Refuses as a
 * push does.
 */
export async function attachSbom(
  dependencies: CoreDependencies,
  engine: Pick<ScanEngine, 'describe'>,
  { repository, image, layers }: ReadImage,
): Promise<void> {
  const { registry, name: repositoryName } = repository;
  const { digest, mediaType, manifestBytes: size } = image;
  const config = blobOf(Buffer.from('{}'));
  const document = blobOf(await engine.describe(layers, { digest, repositoryName }));
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    artifactType: CYCLONE_DX_TYPE,
    config: { mediaType: EMPTY_TYPE, digest: config.digest, size: config.bytes },
    layers: [{ mediaType: CYCLONE_DX_TYPE, digest: document.digest, size: document.bytes }],
    subject: { mediaType, digest, size },
  };
  const content = Buffer.from(JSON.stringify(manifest));
  const target = createLocalTarget(dependencies, { caller: NOBODY, registry }, repositoryName);
  for (const blob of [config, document]) await target.putBlob(blob);
  await target.putManifest({ digest: digestOf(content), mediaType: OCI_MANIFEST, content }, undefined);
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
