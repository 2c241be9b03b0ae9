import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Blob, blobOf, descriptor, digestOf, type Image, mediaTypes } from './images.ts';
import { findProgram } from './programs.ts';
import { type TarEntry, tar } from './tar.ts';

/** What the image prints when it is run. */
export const greeting = 'busybox runs';

const archs: Partial<Record<NodeJS.Architecture, string>> = { x64: 'amd64', arm64: 'arm64' };

/** Files of a root file system that needs no other image: a static busybox and what a runtime looks for. */
export function busyboxFiles(): TarEntry[] {
  const busybox = findProgram('busybox');
  if (busybox === undefined) throw new Error('busybox cannot be found');
  return [
    { name: 'bin/' },
    { name: 'bin/busybox', mode: 0o755, bytes: readFileSync(busybox) },
    { name: 'bin/sh', linkTo: 'busybox' },
    { name: 'etc/' },
    { name: 'etc/passwd', bytes: Buffer.from('root:x:0:0:root:/:/bin/sh\n') },
    { name: 'proc/' },
    { name: 'tmp/', mode: 0o1777 },
  ];
}

/**
 * An OCI image that runs: busybox, and a second layer of random bytes that nobody has stored before.
 *
 * @param randomLayerBytes size of the second layer's file, which does not compress
 */
export function busyboxImage(randomLayerBytes = 64 * 1024, architecture = archs[process.arch] ?? 'amd64'): Image {
  const tars = [tar(busyboxFiles()), tar([{ name: 'random', bytes: randomBytes(randomLayerBytes) }])];
  const layers = tars.map((bytes) => blobOf(gzipSync(bytes, { level: 1 })));
  const config = blobOf(
    JSON.stringify({
      architecture,
      os: 'linux',
      config: { Cmd: ['/bin/busybox', 'echo', greeting], Env: ['PATH=/bin'] },
      rootfs: { type: 'layers', diff_ids: tars.map((bytes) => digestOf(bytes)) },
    }),
  );
  const manifest = blobOf(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: descriptor(mediaTypes.config, config),
      layers: layers.map((layer) => descriptor(`${mediaTypes.layer}+gzip`, layer)),
    }),
  );
  return { config, layers, manifest, mediaType: mediaTypes.manifest };
}

/** Writes what `docker build` and its kin need to build such an image from scratch into a new folder. */
export function writeBuildContext(folder: string): void {
  mkdirSync(join(folder, 'root', 'bin'), { recursive: true });
  const busybox = busyboxFiles().find(({ name }) => name === 'bin/busybox')?.bytes;
  writeFileSync(join(folder, 'root', 'bin', 'busybox'), busybox ?? '', { mode: 0o755 });
  symlinkSync('busybox', join(folder, 'root', 'bin', 'sh'));
  writeFileSync(join(folder, 'random'), randomBytes(100_000));
  const lines = ['FROM scratch', 'COPY root /', 'COPY random /', `CMD ["/bin/busybox", "echo", "${greeting}"]`];
  writeFileSync(join(folder, 'Dockerfile'), lines.join('\n'));
}

/** An index of images for several architectures. */
export function indexOf(images: Readonly<Record<string, Image>>): Blob {
  const manifests = Object.entries(images).map(([architecture, image]) => ({
    ...descriptor(image.mediaType, image.manifest),
    platform: { os: 'linux', architecture },
  }));
  return blobOf(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }));
}

/**
 * Writes an OCI image layout into a new folder.
 *
 * @param tag the name under which `top` stands in index.json
 */
export function writeLayout(
  folder: string,
  tag: string,
  top: { blob: Blob; mediaType: string },
  images: readonly Image[],
): void {
  const blobs = join(folder, 'blobs', 'sha256');
  mkdirSync(blobs, { recursive: true });
  writeFileSync(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  const entry = { ...descriptor(top.mediaType, top.blob), annotations: { 'org.opencontainers.image.ref.name': tag } };
  writeFileSync(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
  const all = [top.blob, ...images.flatMap(({ config, layers, manifest }) => [config, ...layers, manifest])];
  for (const { bytes, digest } of all) writeFileSync(join(blobs, digest.slice('sha256:'.length)), bytes);
}
