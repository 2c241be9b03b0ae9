import type { Image } from '../images/image-records.ts';
import type { Descriptor, Manifest } from '../values/manifest.ts';
import { essenceOf, isImageManifest } from '../values/media-type.ts';

/** Docker's and OCI's; an artifact has another one. */
const CONFIG_TYPES: readonly string[] = [
  'application/vnd.docker.container.image.v1+json',
  'application/vnd.oci.image.config.v1+json',
];

/** Docker's and OCI's, compressed or not. An attestation of BuildKit's has an image's config and other layers. */
const LAYER_TYPE =
  /^application\/vnd\.(?:docker\.image\.rootfs\.diff\.tar|oci\.image\.layer\.v1\.tar)(?:[.+](?:gzip|zstd))?$/;

/**
 * Why an image cannot be scanned, as far as its record says: an index, or an artifact.
 *
 * @returns a sentence without its end; undefined when it may be
 */
export function whyNotScannable({ mediaType, artifactType = 'none' }: Image): string | undefined {
  if (!isImageManifest(mediaType)) return `The manifest type '${mediaType}' is not supported: scan the images it lists`;
  if (!CONFIG_TYPES.includes(artifactType)) return `The artifact type '${artifactType}' is not supported`;
  return undefined;
}

/** Whether clients would run it, whatever else it says it is: an image by its config. */
export function holdsFiles({ blobs, children }: Manifest): boolean {
  const [config] = blobs;
  return children.length === 0 && config !== undefined && CONFIG_TYPES.includes(essenceOf(config.mediaType));
}

/**
 * The layers of an image, the lowest first.
 *
 * @returns a sentence without its end when they cannot be scanned
 */
export function layersToScan({ blobs, foreign }: Manifest): readonly Descriptor[] | string {
  const layers = blobs.slice(1);
  const other = layers.find(({ mediaType }) => !LAYER_TYPE.test(mediaType));
  if (other) return `The layer type '${other.mediaType}' is not supported`;
  // Which of them lie below which is no longer known, and they hold what nobody publishes records of.
  return foreign.length > 0 ? 'Images with layers at foreign URLs are not supported' : layers;
}
