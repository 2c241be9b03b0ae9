import type { MigrationSource } from '../../core/migration/places.ts';
import { type TransferBlob, TransferError, type TransferManifest } from '../../core/transfer/transfer.ts';
import { type Digest, parseDigest } from '../../core/values/digest.ts';
import { type DockerItem, findDockerItems } from './docker-items.ts';
import { manifestOfItem } from './docker-manifest.ts';
import { readEmbeddedManifests } from './embedded-manifests.ts';
import { parseImageName } from './image-name.ts';
import { findLayoutBlob } from './layout-blobs.ts';
import type { LayoutFiles } from './layout-files.ts';
import { createLayoutSource, type LayoutImage } from './layout-source.ts';
import type { LayoutSourceOptions } from './oci-layout-source.ts';

/**
 * What `docker save` writes, and podman, skopeo and others in its form. Such an archive has no manifests: one is made of each image,
 * the same each time. Where the archive is an OCI layout too, and has the image's manifest, it is taken as it is.
 */
export async function openDockerArchiveSource(
  files: LayoutFiles,
  { repositoryName, only }: LayoutSourceOptions = {},
): Promise<MigrationSource> {
  await using opening = new AsyncDisposableStack();
  opening.use(files);
  const items = await findDockerItems(files);
  if (!items) throw new TransferError('missing', `${files.name} is no docker archive: it has no manifest.json`);
  const embedded = await readEmbeddedManifests(files);
  const manifests = new Map<Digest, TransferManifest>();
  const places = new Map<Digest, string>();
  const build = async (item: DockerItem): Promise<TransferManifest> => {
    const built = await manifestOfItem(files, item, embedded);
    for (const [digest, path] of built.places) places.set(digest, path);
    manifests.set(built.manifest.digest, built.manifest);
    return built.manifest;
  };
  const images = items.flatMap((item): LayoutImage[] => {
    let building: Promise<TransferManifest> | undefined;
    const manifest = () => {
      building ??= build(item);
      return building;
    };
    const names = item.names.map(parseImageName);
    return names.length === 0 ? [{ manifest }] : names.map((name) => ({ ...name, manifest }));
  });
  const meant = only === undefined ? images : images.filter(({ tag }) => tag === only);
  const source = createLayoutSource(
    files.name,
    meant,
    {
      manifest: async (reference) => manifests.get((parseDigest(reference) ?? '') as Digest),
      blob: async (descriptor): Promise<TransferBlob | undefined> => {
        const path = places.get(descriptor.digest);
        return path === undefined ? undefined : findLayoutBlob(files, descriptor, path);
      },
      hasBlob: async (digest) => places.has(digest),
      async *referrers() {},
    },
    repositoryName,
  );
  const opened = opening.move();
  return { ...source, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}
