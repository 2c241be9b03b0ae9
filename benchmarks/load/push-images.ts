import { randomBytes } from 'node:crypto';
import { blobOf, descriptor, mediaTypes, randomImage } from '../../test/support/images.ts';
import { Connection } from './connection.ts';
import { freshContent } from './content.ts';
import { expect, head } from './requests.ts';
import { uploadBlob } from './upload-blobs.ts';

export interface PushImages {
  readonly kind: 'push-images';
  readonly port: number;
  /** Each client pushes image after image, over one connection. */
  readonly clients: number;
  readonly seconds: number;
  /** One repository for all, or a new one for each image. */
  readonly into: 'one' | 'many';
}

/** Small images no registry has seen: a config, one layer of 2 KiB, a manifest; each blob asked for before it is sent, as clients do. */
export async function pushImages({ port, clients, seconds, into }: PushImages) {
  const run = randomBytes(4).toString('hex');
  let pushed = 0;
  const start = performance.now();
  const end = start + seconds * 1000;
  const work = Array.from({ length: clients }, async (_, client) => {
    const connection = await Connection.open(port);
    for (let serial = 0; performance.now() < end; serial++) {
      const name = `${client}-${serial}`;
      await pushImage(connection, port, into === 'one' ? `push/${run}` : `push/${run}/${name}`, name);
      pushed++;
    }
    connection.close();
  });
  await Promise.all(work);
  return { seconds: (performance.now() - start) / 1000, bytes: 0, operations: pushed };
}

async function pushImage(connection: Connection, port: number, repository: string, tag: string): Promise<void> {
  const image = randomImage();
  for (const { bytes, digest } of [...image.layers, image.config]) {
    const asked = await connection.request(head('HEAD', `/v2/${repository}/blobs/${digest}`, port), [], {
      hasBody: false,
    });
    expect(asked, 404);
    await uploadBlob(connection, port, repository, { bytes: bytes.length, digest, pieces: () => [bytes] });
  }
  await putManifest(connection, port, `/v2/${repository}/manifests/${tag}`, image.manifest.bytes);
}

async function putManifest(connection: Connection, port: number, path: string, bytes: Buffer): Promise<void> {
  const headers = { 'Content-Type': mediaTypes.manifest, 'Content-Length': bytes.length };
  expect(await connection.request(head('PUT', path, port, headers), [bytes]), 201);
}

export interface SeedImages {
  readonly kind: 'seed-images';
  readonly port: number;
  readonly repository: string;
  readonly images: number;
}

const seedConnections = 32;

/** Many images, each with a tag of its own, all of the same two blobs: what makes a store large is its facts. */
export async function seedImages({ port, repository, images }: SeedImages) {
  const start = performance.now();
  const connections = await Promise.all(Array.from({ length: seedConnections }, () => Connection.open(port)));
  const layer = freshContent(2048);
  const config = blobOf('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}');
  await uploadBlob(connections[0]!, port, repository, layer);
  const configContent = { bytes: config.bytes.length, digest: config.digest, pieces: () => [config.bytes] };
  await uploadBlob(connections[0]!, port, repository, configContent);
  let next = 0;
  const work = connections.map(async (connection) => {
    while (next < images) {
      const serial = next++;
      const manifest = JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.manifest,
        config: descriptor(mediaTypes.config, config),
        layers: [{ mediaType: mediaTypes.layer, digest: layer.digest, size: layer.bytes }],
        annotations: { serial: String(serial) },
      });
      const tag = `v${String(serial).padStart(7, '0')}`;
      await putManifest(connection, port, `/v2/${repository}/manifests/${tag}`, Buffer.from(manifest));
    }
    connection.close();
  });
  await Promise.all(work);
  return { seconds: (performance.now() - start) / 1000, bytes: 0, operations: images };
}
