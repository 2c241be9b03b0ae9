import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { blobOf, descriptor, type Image, mediaTypes, pushBlob, pushImage, randomImage } from '../support/images.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';
import { ecrClient } from './aws-client.ts';
import { addPeer, clientOf, digestAt, pulled, remote, replicated, replicateTo, until } from './replication-world.ts';

/** An address that stays the same while the server behind it comes and goes, and that counts what passes. */
interface Door extends AsyncDisposable {
  readonly url: string;
  /** The port that it leads to; undefined: nobody is there. */
  target: number | undefined;
  bytesIn: number;
  /** Called with every piece that goes to the server. */
  onBytes: (bytes: number) => void;
}

async function openDoor(): Promise<Door> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    if (door.target === undefined) return socket.destroy();
    const onward = new (socket.constructor as typeof Socket)().connect(door.target, '127.0.0.1');
    sockets.add(onward.on('error', () => socket.destroy()));
    socket.on('data', (chunk: Buffer) => {
      door.bytesIn += chunk.length;
      door.onBytes(chunk.length);
    });
    socket.pipe(onward).pipe(socket);
    socket.once('close', () => onward.destroy());
    onward.once('close', () => socket.destroy());
    return socket;
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const door: Door = {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    target: undefined,
    bytesIn: 0,
    onBytes: () => {},
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
  return door;
}

describe('replication through faults', () => {
  let sourceData: TemporaryFolder;
  let peerData: TemporaryFolder;
  let server: RunningServer;
  let peer: RunningServer;
  let door: Door;

  const startSource = () => startServer({ data: sourceData.path, args: ['--log-level', 'silent'] });
  const startPeer = async () => {
    peer = await startServer({ data: peerData.path });
    door.target = peer.port;
  };
  const ecr = () => ecrClient(server.url);

  before(async () => {
    [sourceData, peerData, door] = await Promise.all([temporaryFolder(), temporaryFolder(), openDoor()]);
    server = await startSource();
    await startPeer();
    await addPeer(server, { url: door.url });
    await replicateTo(ecr(), remote);
  });
  after(async () => {
    for (const each of [server, peer, door, sourceData, peerData]) await each?.[Symbol.asyncDispose]();
  });

  async function isThere(repositoryName: string, tag: string, image: Image) {
    const there = clientOf(peer);
    assert.equal(await digestAt(there, repositoryName, tag), image.manifest.digest);
    for (const layer of image.layers) assert.deepEqual(await pulled(there, repositoryName, layer.digest), layer.bytes);
  }

  it('sends each layer once, however many images share it', async () => {
    const layer = blobOf(Buffer.alloc(2_000_000, 'shared'));
    const images = Array.from({ length: 100 }, (_, at) => {
      const config = blobOf(JSON.stringify({ at }));
      const manifest = blobOf(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: mediaTypes.manifest,
          config: descriptor(mediaTypes.config, config),
          layers: [descriptor(mediaTypes.layer, layer)],
        }),
      );
      return { config, layers: [layer], manifest, mediaType: mediaTypes.manifest };
    });
    door.bytesIn = 0;
    await pushBlob(server.url, 'shared/app', layer);
    for (const [at, image] of images.entries())
      await pushImage(server.url, 'shared/app', `v${at}`, { ...image, layers: [] });
    for (const at of images.keys()) await replicated(ecr(), 'shared/app', `v${at}`);
    await isThere('shared/app', 'v99', images[99]!);
    assert.ok(door.bytesIn < 2 * layer.bytes.length, `${door.bytesIn} bytes were sent`);
    // Another repository of the destination is given the layer by the first.
    door.bytesIn = 0;
    await pushImage(server.url, 'shared/other', 'v1', images[0]!);
    await replicated(ecr(), 'shared/other', 'v1');
    await isThere('shared/other', 'v1', images[0]!);
    assert.ok(door.bytesIn < layer.bytes.length, `${door.bytesIn} bytes were sent`);
  });

  it('catches up with a destination that was away', async () => {
    door.target = undefined;
    await peer.stop();
    const images = [randomImage(), randomImage(), randomImage()];
    for (const [at, image] of images.entries()) await pushImage(server.url, 'away/app', `v${at}`, image);
    const status = async () => {
      const asked = { repositoryName: 'away/app', imageId: { imageTag: 'v0' } };
      return (await ecr().describeImageReplicationStatus(asked)).replicationStatuses?.[0];
    };
    const waiting = await until(status, (said) => said?.failureCode !== undefined);
    assert.deepEqual(waiting, { ...remote, status: 'IN_PROGRESS', failureCode: 'DestinationUnavailable' });
    await startPeer();
    for (const [at, image] of images.entries()) {
      assert.deepEqual(await replicated(ecr(), 'away/app', `v${at}`), [{ ...remote, status: 'COMPLETE' }]);
      await isThere('away/app', `v${at}`, image);
    }
  });

  it('loses nothing when the source is killed in the middle', async () => {
    const image = randomImage([20_000_000, 3_000_000]);
    const half = Promise.withResolvers<void>();
    let sent = 0;
    door.onBytes = (bytes) => {
      sent += bytes;
      if (sent > 5_000_000) half.resolve();
    };
    await pushImage(server.url, 'killed/source', 'v1', image);
    await half.promise;
    await server.kill();
    door.onBytes = () => {};
    server = await startSource();
    assert.deepEqual(await replicated(ecr(), 'killed/source', 'v1'), [{ ...remote, status: 'COMPLETE' }]);
    await isThere('killed/source', 'v1', image);
    const { imageDetails = [] } = await clientOf(peer).describeImages({ repositoryName: 'killed/source' });
    assert.equal(imageDetails.length, 1);
  });

  it('loses nothing when the destination is killed in the middle', async () => {
    const image = randomImage([20_000_000, 3_000_000]);
    const half = Promise.withResolvers<void>();
    let sent = 0;
    door.onBytes = (bytes) => {
      sent += bytes;
      if (sent > 5_000_000) half.resolve();
    };
    await pushImage(server.url, 'killed/peer', 'v1', image);
    await half.promise;
    door.target = undefined;
    await peer.kill();
    door.onBytes = () => {};
    await startPeer();
    assert.deepEqual(await replicated(ecr(), 'killed/peer', 'v1'), [{ ...remote, status: 'COMPLETE' }]);
    await isThere('killed/peer', 'v1', image);
  });
});
