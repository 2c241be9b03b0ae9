import { createHash, randomBytes } from 'node:crypto';
import { type HttpAnswer, http } from './http.ts';

export const mediaTypes = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  empty: 'application/vnd.oci.empty.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
} as const;

export interface Blob {
  readonly bytes: Buffer;
  readonly digest: string;
}

export interface Image {
  readonly config: Blob;
  readonly layers: readonly Blob[];
  readonly manifest: Blob;
  readonly mediaType: string;
}

export function digestOf(bytes: Buffer | string, algorithm: 'sha256' | 'sha512' = 'sha256'): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

export function blobOf(bytes: Buffer | string): Blob {
  const buffer = Buffer.from(bytes);
  return { bytes: buffer, digest: digestOf(buffer) };
}

/** An OCI image no other test has: its layers hold random bytes (2 KiB each unless sizes are given). */
export function randomImage(layerBytes: readonly number[] = [2048], labels: Record<string, string> = {}): Image {
  const layers = layerBytes.map((size) => blobOf(randomBytes(size)));
  const diffIds = layers.map((layer) => layer.digest);
  const config = blobOf(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: { Labels: labels },
      rootfs: { type: 'layers', diff_ids: diffIds },
    }),
  );
  const manifest = blobOf(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: descriptor(mediaTypes.config, config),
      layers: layers.map((layer) => descriptor(mediaTypes.layer, layer)),
    }),
  );
  return { config, layers, manifest, mediaType: mediaTypes.manifest };
}

export function descriptor(mediaType: string, blob: Blob): { mediaType: string; digest: string; size: number } {
  return { mediaType, digest: blob.digest, size: blob.bytes.length };
}

/** Sent with every request of a push, such as Authorization. */
type Headers = Readonly<Record<string, string>>;

/** Uploads one blob through POST and PUT; resolves with the answer to the PUT, whatever it says. */
export async function pushBlob(
  url: string,
  repository: string,
  blob: Blob,
  headers: Headers = {},
): Promise<HttpAnswer> {
  const started = await http(`${url}/v2/${repository}/blobs/uploads/`, {
    method: 'POST',
    headers: { 'Content-Length': '0', ...headers },
  });
  if (started.status !== 202) return started;
  const location = new URL(String(started.headers.location), url);
  location.searchParams.set('digest', blob.digest);
  return http(location.href, {
    method: 'PUT',
    headers: { 'Content-Type': 'application/octet-stream', 'Content-Length': String(blob.bytes.length), ...headers },
    body: blob.bytes,
  });
}

/** @param reference a tag or a digest */
export function pushManifest(
  url: string,
  repository: string,
  reference: string,
  manifest: Blob,
  mediaType: string,
  headers: Headers = {},
) {
  return http(`${url}/v2/${repository}/manifests/${reference}`, {
    method: 'PUT',
    headers: { 'Content-Type': mediaType, 'Content-Length': String(manifest.bytes.length), ...headers },
    body: manifest.bytes,
  });
}

/** Config, layers, manifest; throws at the first answer that is not 201. */
export async function pushImage(
  url: string,
  repository: string,
  reference: string,
  image: Image,
  headers: Headers = {},
): Promise<void> {
  for (const blob of [image.config, ...image.layers]) mustBeCreated(await pushBlob(url, repository, blob, headers));
  mustBeCreated(await pushManifest(url, repository, reference, image.manifest, image.mediaType, headers));
}

function mustBeCreated(answer: HttpAnswer): void {
  if (answer.status !== 201) throw new Error(`expected 201, was answered ${answer.status}: ${answer.text()}`);
}

/** What an artifact has for its config and its layer. */
export const empty = blobOf('{}');

/** An artifact's manifest, of which a name makes another. */
export function artifact(name: string, subject?: Blob): Blob {
  return blobOf(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      artifactType: 'application/vnd.example',
      config: descriptor(mediaTypes.empty, empty),
      layers: [descriptor(mediaTypes.empty, empty)],
      ...(subject && { subject: descriptor(mediaTypes.manifest, subject) }),
      annotations: { name },
    }),
  );
}
