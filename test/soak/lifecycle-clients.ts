import { setTimeout as sleep } from 'node:timers/promises';
import { type ECR, ECRServiceException } from '@aws-sdk/client-ecr';
import type { Random } from '../crash/random.ts';
import { http } from '../support/http.ts';
import { type Blob, blobOf, descriptor, digestOf, mediaTypes, pushBlob, pushManifest } from '../support/images.ts';
import type { Tally } from './scenario.ts';

export interface SoakClient {
  readonly url: string;
  readonly ecr: ECR;
  readonly repositories: readonly string[];
  /** Milliseconds since 1970. */
  readonly until: number;
  readonly random: Random;
  readonly tally: Tally;
}

/** Layers that images of all pushers share: they come and go, and are there for many only because somebody else pushed them. */
const SHARED = Array.from({ length: 12 }, (_, at) => blobOf(`shared layer ${at} `.repeat(2000)));

/** Pushes like docker: HEAD of each blob, an upload only of what is missing, then the manifest. Nothing of it may fail. */
export async function runPusher(client: SoakClient & { name: string }): Promise<void> {
  const { random, tally, repositories, until, name } = client;
  for (let number = 0; Date.now() < until; number++) {
    const repository = repositories[random.below(repositories.length)]!;
    try {
      const kind = random.below(10);
      if (kind < 4) await pushOne(client, repository, `v-${name}-${number}`);
      else if (kind < 6) await pushOne(client, repository, `keep-${name}`);
      else if (kind < 8) await pushOne(client, repository, `arch-${name}-${number}`);
      else await pushIndex(client, repository, `v-${name}-${number}`);
      tally.count('pushes');
    } catch (error) {
      tally.fail(`a push to ${repository}: ${(error as Error).message}`);
    }
  }
}

/** Pulls tags that a policy keeps for ever, bytes and all. */
export async function runPuller({ url, repositories, random, until, tally }: SoakClient): Promise<void> {
  while (Date.now() < until) {
    const repository = repositories[random.below(repositories.length)]!;
    const tag = `keep-p${random.below(3)}`;
    const answer = await http(`${url}/v2/${repository}/manifests/${tag}`);
    if (answer.status === 404 && !seen.has(`${repository}:${tag}`)) {
      await sleep(100);
      continue;
    }
    seen.add(`${repository}:${tag}`);
    if (answer.status !== 200) {
      tally.fail(`a pull of ${repository}:${tag}: ${answer.status} ${answer.text()}`);
      continue;
    }
    for (const { digest } of [answer.json().config, ...answer.json().layers]) {
      const blob = await http(`${url}/v2/${repository}/blobs/${digest}`);
      const isRight = blob.status === 200 && digestOf(blob.body) === digest;
      if (!isRight) tally.fail(`a pull of ${repository}:${tag}: blob ${digest} ${blob.status}`);
    }
    tally.count('pulls');
  }
}

const seen = new Set<string>();

/** Restores archived images, and deletes some: their own, and what a policy would take anyway. */
export async function runRestorer({ ecr, repositories, random, until, tally }: SoakClient): Promise<void> {
  while (Date.now() < until) {
    await sleep(300);
    const repositoryName = repositories[random.below(repositories.length)]!;
    const { imageIds = [] } = await ecr.listImages({ repositoryName, filter: { imageStatus: 'ARCHIVED' } });
    const imageId = imageIds[random.below(imageIds.length || 1)];
    if (!imageId) continue;
    try {
      if (random.chance(0.6)) {
        await ecr.updateImageStorageClass({ repositoryName, imageId, targetStorageClass: 'STANDARD' });
        tally.count('restored images');
      } else {
        await ecr.batchDeleteImage({ repositoryName, imageIds: [imageId] });
        tally.count('deleted archived images');
      }
    } catch (error) {
      // Somebody else may have been there first.
      const expected = ['ImageNotFoundException', 'ImageStorageClassUpdateNotSupportedException'];
      const isExpected = error instanceof ECRServiceException && expected.includes(error.name);
      if (!isExpected) tally.fail(`restoring in ${repositoryName}: ${(error as Error).message}`);
    }
  }
}

async function pushOne(client: SoakClient, repository: string, reference?: string): Promise<Blob> {
  const { random, url } = client;
  const layers = [SHARED[random.below(SHARED.length)]!, blobOf(random.bytes(1 + random.below(40_000)))];
  const config = blobOf(JSON.stringify({ architecture: 'amd64', os: 'linux', made: random.below(1e9) }));
  for (const blob of [config, ...layers]) {
    const head = await http(`${url}/v2/${repository}/blobs/${blob.digest}`, { method: 'HEAD' });
    if (head.status === 404) await mustBe(201, pushBlob(url, repository, blob), `blob ${blob.digest}`);
    else if (head.status !== 200) throw new Error(`HEAD of a blob: ${head.status}`);
  }
  const manifest = blobOf(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: descriptor(mediaTypes.config, config),
      layers: layers.map((layer) => descriptor(mediaTypes.layer, layer)),
    }),
  );
  const pushed = pushManifest(url, repository, reference ?? manifest.digest, manifest, mediaTypes.manifest);
  await mustBe(201, pushed, 'manifest');
  await mustBe(200, http(`${url}/v2/${repository}/manifests/${manifest.digest}`), 'manifest just pushed');
  return manifest;
}

async function pushIndex(client: SoakClient, repository: string, tag: string): Promise<void> {
  const children = [await pushOne(client, repository), await pushOne(client, repository)];
  const index = blobOf(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.index,
      manifests: children.map((child) => descriptor(mediaTypes.manifest, child)),
    }),
  );
  await mustBe(201, pushManifest(client.url, repository, tag, index, mediaTypes.index), 'index');
  client.tally.count('pushed indexes');
}

async function mustBe(status: number, pending: ReturnType<typeof http>, what: string): Promise<void> {
  const answer = await pending;
  if (answer.status !== status) throw new Error(`${what} was answered ${answer.status}: ${answer.text()}`);
}
