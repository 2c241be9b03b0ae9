import { gzipSync, zstdCompressSync } from 'node:zlib';
import { DEBIAN_STATUS } from './debian-facts.ts';
import { type Blob, blobOf, descriptor, type Image, mediaTypes } from './images.ts';
import { tar } from './tar.ts';

export type LayerFiles = Readonly<Record<string, string>>;

const OS_RELEASE = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n';

/** As a base image of Debian has them. */
export const DEBIAN_FILES: LayerFiles = { 'etc/os-release': OS_RELEASE, 'var/lib/dpkg/status': DEBIAN_STATUS };

/** What a config says besides. */
const MADE = { created: '2026-01-02T03:04:05Z', author: 'Harbour <harbour@example.com>' };

/** An image whose layers have these files; the first layer is gzip, the second zstd, others are not compressed. */
export function imageOfFiles(layers: readonly LayerFiles[], marker = ''): Image {
  const archives = layers.map((files) =>
    tar(Object.entries(files).map(([name, text]) => ({ name, bytes: Buffer.from(text) }))),
  );
  const blobs = archives.map((archive, place) => blobOf(COMPRESSIONS[place]?.compress(archive) ?? archive));
  const config = blobOf(
    JSON.stringify({ ...MADE, architecture: 'amd64', os: 'linux', config: { Labels: { marker } } }),
  );
  const described = blobs.map((blob, place) => layerOf(blob, COMPRESSIONS[place]?.suffix ?? ''));
  return imageOf(config, blobs, described);
}

export function imageOf(config: Blob, layers: readonly Blob[], described: readonly object[]): Image {
  const manifest = blobOf(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: descriptor(mediaTypes.config, config),
      layers: described,
    }),
  );
  return { config, layers, manifest, mediaType: mediaTypes.manifest };
}

function layerOf(blob: Blob, suffix: string): object {
  return descriptor(`${mediaTypes.layer}${suffix}`, blob);
}

const COMPRESSIONS = [
  { suffix: '+gzip', compress: (bytes: Buffer) => gzipSync(bytes) },
  { suffix: '+zstd', compress: (bytes: Buffer) => zstdCompressSync(bytes) },
];
