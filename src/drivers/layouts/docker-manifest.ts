import { createHash } from 'node:crypto';
import { TransferError, type TransferManifest } from '../../core/transfer/transfer.ts';
import { type Digest, digestOf } from '../../core/values/digest.ts';
import type { Descriptor } from '../../core/values/manifest.ts';
import { DOCKER_MANIFEST } from '../../core/values/media-type.ts';
import type { DockerItem } from './docker-items.ts';
import type { EmbeddedManifest } from './embedded-manifests.ts';
import { blobPath } from './layout-blobs.ts';
import { type LayoutFiles, readSmallFile } from './layout-files.ts';
import { isGzip, isZstd } from './unpacked-archive.ts';

const CONFIG_BYTES_MAX = 8 * 1024 * 1024;
const CONFIG_TYPE = 'application/vnd.docker.container.image.v1+json';
const LAYER_TYPE = 'application/vnd.docker.image.rootfs.diff.tar';

export interface BuiltManifest {
  readonly manifest: TransferManifest;
  /** Where the bytes of what it names are. */
  readonly places: ReadonlyMap<Digest, string>;
}

/** The manifest of an image of a docker archive. Layers stay as they are, compressed or not. */
export async function manifestOfItem(
  files: LayoutFiles,
  { config: configPath, layers: paths }: DockerItem,
  embedded: ReadonlyMap<Digest, EmbeddedManifest>,
): Promise<BuiltManifest> {
  const config = await readSmallFile(files, configPath, CONFIG_BYTES_MAX);
  if (!config) throw new TransferError('missing', `${files.name}: the config ${configPath} is not there`);
  const configDigest = digestOf(config);
  const ready = embedded.get(configDigest);
  if (ready)
    return { manifest: ready.manifest, places: new Map(ready.blobs.map((digest) => [digest, blobPath(digest)])) };
  const diffIds = diffIdsOf(files, configPath, config);
  if (diffIds.length !== paths.length) {
    const reason = `${configPath} tells of ${diffIds.length} layers, and manifest.json of ${paths.length}`;
    throw new TransferError('invalid', `${files.name}: ${reason}`);
  }
  const known = new Map<string, Descriptor>();
  const layers: Descriptor[] = [];
  for (const [at, path] of paths.entries()) {
    const layer = known.get(path) ?? (await describeLayer(files, path));
    known.set(path, layer);
    if (layer.mediaType === LAYER_TYPE && layer.digest !== diffIds[at]) {
      throw new TransferError('invalid', `${files.name}: the layer ${path} has another digest than ${configPath} says`);
    }
    layers.push(layer);
  }
  const content = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: DOCKER_MANIFEST,
      config: { mediaType: CONFIG_TYPE, size: config.byteLength, digest: configDigest },
      layers: layers.map(({ mediaType, size, digest }) => ({ mediaType, size, digest })),
    }),
  );
  const places = new Map([...known].map(([path, { digest }]) => [digest, path]));
  return {
    manifest: { digest: digestOf(content), mediaType: DOCKER_MANIFEST, content },
    places: places.set(configDigest, configPath),
  };
}

function diffIdsOf(files: LayoutFiles, path: string, config: Uint8Array): unknown[] {
  try {
    const document = JSON.parse(Buffer.from(config).toString()) as { rootfs?: { diff_ids?: unknown } } | null;
    const diffIds = document?.rootfs?.diff_ids ?? [];
    if (Array.isArray(diffIds)) return diffIds;
  } catch {
    // Said below.
  }
  throw new TransferError('invalid', `${files.name}: the config ${path} is broken`);
}

/** Reads a layer once, for its digest. */
async function describeLayer(files: LayoutFiles, path: string): Promise<Descriptor> {
  const found = await files.stat(path);
  if (!found || found.bytes === 0) throw new TransferError('missing', `${files.name}: the layer ${path} is not there`);
  await using reader = await files.read(path, { first: 0, last: found.bytes - 1 });
  const hash = createHash('sha256');
  let mediaType: string | undefined;
  for (let chunk = await reader.next(); chunk; chunk = await reader.next()) {
    mediaType ??= layerTypeOf(chunk);
    hash.update(chunk);
  }
  return { mediaType: mediaType ?? LAYER_TYPE, digest: `sha256:${hash.digest('hex')}`, size: found.bytes };
}

function layerTypeOf(beginning: Uint8Array): string {
  if (isGzip(beginning)) return `${LAYER_TYPE}.gzip`;
  return isZstd(beginning) ? `${LAYER_TYPE}.zstd` : LAYER_TYPE;
}
