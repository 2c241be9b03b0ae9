import { randomUUID } from 'node:crypto';
import { call, type Pusher, pushAtOnce, pushInChunks, pushInParts, unexpected } from '../../crash/layer-pushes.ts';
import { mustHaveLayer, newLedger, promise, type RepositoryLedger } from '../../crash/ledger.ts';
import { StormOver } from '../../crash/world.ts';
import { type Blob, blobOf, descriptor, mediaTypes } from '../../support/images.ts';
import { askStore } from './storm-world.ts';

/** An image whose push was acknowledged and that nobody may take away. */
export interface KeptImage {
  readonly repository: string;
  readonly tag: string;
  readonly manifest: Blob;
  /** The configuration and the layers. */
  readonly blobs: readonly Blob[];
}

export interface Keeper extends Pusher {
  readonly name: string;
  readonly repositories: readonly string[];
  /** What all keepers pushed so far. */
  readonly kept: KeptImage[];
  /** Layers that all of them push: they come and go with images that a policy takes. */
  readonly common: readonly Blob[];
}

const PART_BYTES = 5 * 1024 * 1024;

/** Pushes images that stay (tags keep-…), and images that a lifecycle policy takes (tags v-…), until the storm is over. */
export async function runKeeper(keeper: Keeper): Promise<void> {
  const { world, random, repositories, name } = keeper;
  try {
    for (let number = 0; ; number++) {
      await world.alive();
      const isKept = random.chance(0.6);
      const tag = `${isKept ? 'keep' : 'v'}-${name}-${number}`;
      const image = await push(keeper, newLedger(random.pick(repositories)), tag);
      if (image && isKept) {
        keeper.kept.push(image);
        await pull(keeper, image);
      }
      world.count(isKept ? 'images pushed to stay' : 'images pushed to be taken by a policy');
    }
  } catch (error) {
    if (!(error instanceof StormOver)) world.fail(`a keeper came to an end: ${(error as Error).stack}`);
  }
}

/** @returns undefined when it came too late for its layers */
async function push(keeper: Keeper, ledger: RepositoryLedger, tag: string): Promise<KeptImage | undefined> {
  const { random } = keeper;
  const config = blobOf(JSON.stringify({ architecture: 'amd64', os: 'linux', made: randomUUID() }));
  const shared = random.pick(keeper.common);
  const own = blobOf(random.bytes(random.chance(0.1) ? PART_BYTES + random.below(200_000) : 1 + random.below(100_000)));
  const blobs = [config, shared, own];
  for (const blob of blobs) await provide(keeper, ledger, blob);
  const manifest = blobOf(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: descriptor(mediaTypes.config, config),
      layers: [shared, own].map((layer) => descriptor(mediaTypes.layer, layer)),
    }),
  );
  const isThere = await (random.chance(0.5) ? putManifest : putImage)(keeper, ledger, tag, manifest, blobs);
  return isThere ? { repository: ledger.name, tag, manifest, blobs } : undefined;
}

/** Asks for it first, as docker does. */
async function provide(keeper: Keeper, ledger: RepositoryLedger, blob: Blob): Promise<void> {
  const { world, random, leaseMs } = keeper;
  const isThere = await world.persist(async () => {
    const head = await world.ask(`/v2/${ledger.name}/blobs/${blob.digest}`, { method: 'HEAD' });
    if (head.status === 200) promise(ledger, blob, head.sentAt, leaseMs / 2);
    else if (head.status !== 404) unexpected(world, 'HEAD of a layer', head);
    return head.status === 200;
  });
  if (isThere) return;
  if (blob.bytes.length > PART_BYTES) return random.pick([pushInParts, pushInChunks])(keeper, ledger, blob);
  await random.pick([pushAtOnce, pushInChunks, pushInParts])(keeper, ledger, blob);
}

type Put = (
  keeper: Keeper,
  ledger: RepositoryLedger,
  tag: string,
  manifest: Blob,
  blobs: readonly Blob[],
) => Promise<boolean>;

const putManifest: Put = ({ world }, ledger, tag, manifest, blobs) =>
  world.persist(async () => {
    const answer = await world.ask(`/v2/${ledger.name}/manifests/${tag}`, {
      method: 'PUT',
      headers: { 'Content-Type': mediaTypes.manifest, 'Content-Length': manifest.bytes.length },
      body: manifest.bytes,
    });
    if (answer.status === 201) return true;
    if (blobs.every(({ digest }) => mustHaveLayer(ledger, digest))) unexpected(world, 'a manifest', answer);
    world.count('manifests that came too late for their layers');
    return false;
  });

const putImage: Put = ({ world }, ledger, imageTag, manifest, blobs) =>
  world.persist(async (isRetry) => {
    const imageManifest = manifest.bytes.toString();
    const answer = await call(world, 'PutImage', { repositoryName: ledger.name, imageTag, imageManifest });
    if (answer.status === 200) return true;
    if (isRetry && answer.json().__type?.endsWith('ImageAlreadyExistsException')) return true;
    if (blobs.every(({ digest }) => mustHaveLayer(ledger, digest))) unexpected(world, 'PutImage', answer);
    world.count('manifests that came too late for their layers');
    return false;
  });

/** Pulls what is kept, at random, until the storm is over. */
export async function runPuller(keeper: Keeper): Promise<void> {
  const { world, random, kept } = keeper;
  try {
    for (;;) {
      await world.alive();
      if (kept.length === 0) await new Promise((resolve) => setTimeout(resolve, 100));
      else await pull(keeper, random.pick(kept));
    }
  } catch (error) {
    if (!(error instanceof StormOver)) world.fail(`a puller came to an end: ${(error as Error).stack}`);
  }
}

/** The manifest by tag, by digest or by BatchGetImage, then every byte of each blob. */
export async function pull(pusher: Pusher, image: KeptImage): Promise<void> {
  const { world, random } = pusher;
  const { repository, tag, manifest } = image;
  const name = `${repository}:${tag}`;
  await world.persist(async () => {
    const way = random.below(3);
    if (way < 2) {
      const answer = await world.ask(`/v2/${repository}/manifests/${way === 0 ? tag : manifest.digest}`);
      if (answer.status !== 200) unexpected(world, `the manifest of ${name}`, answer);
      else if (!answer.body.equals(manifest.bytes)) world.fail(`${name} has another manifest than was pushed`);
      return;
    }
    const input = { repositoryName: repository, imageIds: [{ imageTag: tag }] };
    const answer = await call(world, 'BatchGetImage', input);
    if (answer.status !== 200) unexpected(world, `BatchGetImage of ${name}`, answer);
    else if (answer.json().images[0]?.imageManifest !== manifest.bytes.toString()) {
      world.fail(`${name} is answered with ${answer.text().slice(0, 500)}`);
    }
  });
  for (const blob of image.blobs) await pullBlob(pusher, image, blob);
  world.count('images pulled');
}

function pullBlob({ world, random }: Pusher, { repository, tag }: KeptImage, blob: Blob): Promise<void> {
  return world.persist(async () => {
    const name = `layer ${blob.digest} of ${repository}:${tag}`;
    if (random.chance(0.5)) {
      const answer = await world.ask(`/v2/${repository}/blobs/${blob.digest}`);
      if (answer.status !== 200) unexpected(world, name, answer);
      else if (!answer.body.equals(blob.bytes)) world.fail(`${name} has wrong bytes`);
      return;
    }
    const input = { repositoryName: repository, layerDigest: blob.digest };
    const answer = await call(world, 'GetDownloadUrlForLayer', input);
    if (answer.status !== 200) return unexpected(world, `the link to ${name}`, answer);
    const bytes = await askStore(String(answer.json().downloadUrl));
    if (bytes.status !== 200)
      world.fail(`${name} was answered ${bytes.status} by its link: ${bytes.text().slice(0, 500)}`);
    else if (!bytes.body.equals(blob.bytes)) world.fail(`${name} has wrong bytes by its link`);
    world.count('blobs by download URL');
  });
}
