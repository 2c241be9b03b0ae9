import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import type { MigrationTarget } from '../../core/migration/places.ts';
import { type ImageTarget, TransferError, type TransferManifest } from '../../core/transfer/transfer.ts';
import { type Digest, digestOf } from '../../core/values/digest.ts';
import { blobPath } from './layout-blobs.ts';
import { IMAGE_NAME, REF_NAME } from './layout-index.ts';
import { formatTarHeader, TAR_BLOCK_BYTES } from './tar-header.ts';
import { pumpVerified } from './whole-files.ts';

/**
 * A docker archive of one image, which `docker load`, podman and skopeo read. It is an OCI layout too, as docker's own are since
 * version 25, so that nothing of the manifest is lost. There is no file until it is whole; one that is there is not touched.
 */
export async function openDockerArchiveTarget(file: string): Promise<MigrationTarget> {
  if (await stat(file).catch(() => undefined)) throw new TransferError('invalid', `${file} is there already`);
  const draft = `${file}.part`;
  const archive = new TarWriter(await open(draft, 'w', 0o644));
  let image: { readonly manifest: TransferManifest; readonly name: string; readonly tag: string } | undefined;
  let isOver = false;

  const finish = async () => {
    if (isOver) return;
    isOver = true;
    try {
      if (image) await writeLists(archive, image);
      await archive.end();
      if (image) await rename(draft, file);
    } finally {
      await archive.close();
      await rm(draft, { force: true });
    }
  };
  return {
    name: file,
    prepare: async () => {},
    repository: (repositoryName): ImageTarget => ({
      has: async () => false,
      putBlob: async (blob, { signal } = {}) => {
        const isNew = await archive.add(blobPath(blob.digest), blob.bytes, (write) =>
          pumpVerified(blob, write, signal),
        );
        return isNew ? 'stored' : 'present';
      },
      async putManifest(manifest, tag = 'latest') {
        if (image) throw new TransferError('invalid', 'A docker archive holds one image');
        const { content, digest } = manifest;
        await archive.add(blobPath(digest), content.byteLength, (write) => write(content));
        image = { manifest, name: `${repositoryName}:${tag}`, tag };
        return { isTagged: true };
      },
      doubt: () => false,
    }),
    finish,
    [Symbol.asyncDispose]: finish,
  };
}

async function writeLists(
  archive: TarWriter,
  { manifest, name, tag }: { manifest: TransferManifest; name: string; tag: string },
): Promise<void> {
  const { config, layers } = JSON.parse(Buffer.from(manifest.content).toString()) as {
    config: { digest: Digest };
    layers: { digest: Digest }[];
  };
  const paths = layers.map(({ digest }) => blobPath(digest));
  const annotations = { [IMAGE_NAME]: name, [REF_NAME]: tag };
  const entry = {
    mediaType: manifest.mediaType,
    digest: digestOf(manifest.content),
    size: manifest.content.byteLength,
    annotations,
  };
  const lists = {
    'index.json': { schemaVersion: 2, manifests: [entry] },
    'manifest.json': [{ Config: blobPath(config.digest), RepoTags: [name], Layers: paths }],
    'oci-layout': { imageLayoutVersion: '1.0.0' },
  };
  for (const [path, document] of Object.entries(lists)) {
    const content = Buffer.from(JSON.stringify(document));
    await archive.add(path, content.byteLength, (write) => write(content));
  }
}

/** Members one after the other, in the order they are asked for. */
class TarWriter {
  readonly #handle: FileHandle;
  readonly #names = new Set<string>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** @returns false when there is a member of the name already */
  async add(
    name: string,
    bytes: number,
    fill: (write: (chunk: Uint8Array) => Promise<void>) => Promise<void>,
  ): Promise<boolean> {
    if (this.#names.has(name)) return false;
    this.#names.add(name);
    const write = (chunk: Uint8Array) => this.#handle.appendFile(chunk);
    // What comes after a member that failed is written too; the archive is thrown away then.
    const mine = this.#last
      .catch(() => {})
      .then(async () => {
        await write(formatTarHeader(name, bytes));
        await fill(write);
        await write(Buffer.alloc((TAR_BLOCK_BYTES - (bytes % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES));
      });
    this.#last = mine;
    await mine;
    return true;
  }

  async end(): Promise<void> {
    await this.#last.catch(() => {});
    await this.#handle.appendFile(Buffer.alloc(2 * TAR_BLOCK_BYTES));
    await this.#handle.sync();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
