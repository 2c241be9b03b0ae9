import { type Blob, blobOf, descriptor, mediaTypes } from '../support/images.ts';
import { call, mountLayer, type Pusher, pushAtOnce, pushInChunks, pushInParts, unexpected } from './layer-pushes.ts';
import {
  expectLayer,
  type ImageEntry,
  mustHaveLayer,
  possibleTagTargets,
  type RepositoryLedger,
  settleGone,
  settleRepositoryGone,
  usersOf,
} from './ledger.ts';
import { StormOver } from './world.ts';

export interface StormClient extends Pusher {
  /** Nobody else changes these. */
  readonly repositories: readonly RepositoryLedger[];
  /** Contents that all clients push, so that repositories share blobs. */
  readonly common: readonly Blob[];
}

const IMAGES_MAX = 8;
const TAGS = ['latest', 'v1', 'v2', 'v3', 'edge'];

/** Pushes, mounts, tags and deletes until the storm is over. */
export async function runClient(client: StormClient): Promise<void> {
  const { world, random, repositories } = client;
  try {
    for (;;) {
      await world.alive();
      const ledger = random.pick(repositories);
      if (random.chance(0.03)) await renewRepository(client, ledger);
      else if (ledger.images.size >= IMAGES_MAX || random.chance(0.25)) await deleteSomething(client, ledger);
      else await pushImage(client, ledger);
    }
  } catch (error) {
    if (!(error instanceof StormOver)) world.fail(`a client came to an end: ${(error as Error).stack}`);
  }
}

async function pushImage(client: StormClient, ledger: RepositoryLedger): Promise<void> {
  const { random } = client;
  const config = blobOf(
    JSON.stringify({ architecture: 'amd64', os: 'linux', nonce: random.bytes(12).toString('hex') }),
  );
  const layers: Blob[] = [];
  for (let count = 1 + random.below(3); count > 0; count--) {
    const layer = await provideLayer(client, ledger);
    if (!layers.some(({ digest }) => digest === layer.digest)) layers.push(layer);
  }
  await pushAtOnce(client, ledger, config);
  const manifest = blobOf(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: descriptor(mediaTypes.config, config),
      layers: layers.map((layer) => descriptor(mediaTypes.layer, layer)),
    }),
  );
  const tag = random.chance(0.8) ? random.pick(TAGS) : undefined;
  await putManifest(
    client,
    ledger,
    manifest,
    [config, ...layers].map(({ digest }) => digest),
    tag,
  );
}

async function provideLayer(client: StormClient, ledger: RepositoryLedger): Promise<Blob> {
  const { random, repositories, common } = client;
  const other = random.pick(repositories);
  const mountable = other === ledger ? [] : [...other.layers.values()].filter(({ deleted }) => !deleted);
  if (mountable.length > 0 && random.chance(0.25)) {
    const { blob } = random.pick(mountable);
    if (await mountLayer(client, other, ledger, blob)) return blob;
  }
  if (random.chance(0.2)) {
    const blob = random.pick(common);
    await random.pick([pushAtOnce, pushInChunks])(client, ledger, blob);
    return blob;
  }
  const draw = random.below(100);
  if (draw < 8) return push(pushInParts, 5 * 1024 * 1024 + 1 + random.below(65536));
  if (draw < 40) return push(pushInParts, 1 + random.below(65536));
  if (draw < 50) return push(pushInChunks, 1024 * 1024 + random.below(1024 * 1024));
  if (draw < 75) return push(pushInChunks, 2 + random.below(200_000));
  return push(pushAtOnce, random.below(65536));

  async function push(way: typeof pushAtOnce, bytes: number): Promise<Blob> {
    const blob = blobOf(random.bytes(bytes));
    await way(client, ledger, blob);
    return blob;
  }
}

async function putManifest(
  { world }: StormClient,
  ledger: RepositoryLedger,
  manifest: Blob,
  layers: readonly string[],
  tag: string | undefined,
): Promise<void> {
  const image: ImageEntry = { manifest, layers, mayBeThere: true, mayBeGone: true, deletionSentAt: 0 };
  const before = tag === undefined ? undefined : new Set(possibleTagTargets(ledger, tag));
  await world.persist(async () => {
    ledger.images.set(manifest.digest, image);
    if (tag !== undefined) possibleTagTargets(ledger, tag).add(manifest.digest);
    const answer = await world.ask(`/v2/${ledger.name}/manifests/${tag ?? manifest.digest}`, {
      method: 'PUT',
      headers: { 'Content-Type': mediaTypes.manifest, 'Content-Length': manifest.bytes.length },
      body: manifest.bytes,
    });
    if (answer.status === 201) {
      image.mayBeThere = true;
      image.mayBeGone = false;
      if (tag !== undefined) ledger.tags.set(tag, new Set([manifest.digest]));
      return world.count('images pushed');
    }
    // The lease of a layer may have ended while the server was down; then the refusal is right.
    if (layers.every((digest) => mustHaveLayer(ledger, digest))) unexpected(world, 'a manifest', answer);
    world.count('manifests that came too late for their layers');
    ledger.images.delete(manifest.digest);
    if (tag !== undefined && before) ledger.tags.set(tag, before);
  });
}

async function deleteSomething(client: StormClient, ledger: RepositoryLedger): Promise<void> {
  const { random } = client;
  const unused = [...ledger.layers.keys()].filter((digest) => usersOf(ledger, digest).length === 0);
  if (unused.length > 0 && random.chance(0.2)) return deleteLayer(client, ledger, random.pick(unused));
  const images = [...ledger.images.values()].filter(({ mayBeGone }) => !mayBeGone);
  if (images.length > 0) await deleteImage(client, ledger, random.pick(images));
}

async function deleteImage({ world, random, leaseMs }: StormClient, ledger: RepositoryLedger, image: ImageEntry) {
  const { digest } = image.manifest;
  await world.persist(async (isRetry) => {
    image.mayBeGone = true;
    image.deletionSentAt = Date.now();
    for (const targets of ledger.tags.values()) if (targets.has(digest)) targets.add(undefined);
    const overApi = random.chance(0.5);
    const answer = overApi
      ? await call(world, 'BatchDeleteImage', { repositoryName: ledger.name, imageIds: [{ imageDigest: digest }] })
      : await world.ask(`/v2/${ledger.name}/manifests/${digest}`, { method: 'DELETE' });
    const isGone = overApi ? answer.status === 200 : answer.status === 202 || (isRetry && answer.status === 404);
    if (!isGone) return unexpected(world, 'the deletion of an image', answer);
    settleGone(ledger, digest, leaseMs);
    world.count('images deleted');
  });
}

/** Deletes a repository with all it has, and makes it again. */
async function renewRepository({ world }: StormClient, ledger: RepositoryLedger): Promise<void> {
  const { name: repositoryName } = ledger;
  await world.persist(async (isRetry) => {
    ledger.mayBeGone = true;
    const answer = await call(world, 'DeleteRepository', { repositoryName, force: true });
    const wasGone = isRetry && answer.json().__type?.endsWith('RepositoryNotFoundException');
    if (answer.status !== 200 && !wasGone) unexpected(world, 'the deletion of a repository', answer);
    settleRepositoryGone(ledger);
  });
  await world.persist(async (isRetry) => {
    const answer = await call(world, 'CreateRepository', { repositoryName });
    const wasThere = isRetry && answer.json().__type?.endsWith('RepositoryAlreadyExistsException');
    if (answer.status !== 200 && !wasThere) unexpected(world, 'the making of a repository', answer);
    ledger.mayBeGone = false;
    world.count('repositories deleted and made again');
  });
}

async function deleteLayer({ world }: StormClient, ledger: RepositoryLedger, digest: string): Promise<void> {
  const entry = ledger.layers.get(digest);
  if (entry === undefined) return;
  await world.persist(async () => {
    const wasThere = mustHaveLayer(ledger, digest);
    entry.promisedUntil = 0;
    const answer = await world.ask(`/v2/${ledger.name}/blobs/${digest}`, { method: 'DELETE' });
    if (answer.status === 404 && wasThere) unexpected(world, 'the deletion of a layer that is there', answer);
    if (answer.status !== 202 && answer.status !== 404) return unexpected(world, 'the deletion of a layer', answer);
    expectLayer(ledger, entry.blob).deleted = true;
    world.count('layers deleted');
  });
}
