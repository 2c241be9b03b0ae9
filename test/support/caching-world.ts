import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ECR } from '@aws-sdk/client-ecr';
import { http } from './http.ts';
import { type Blob, blobOf, descriptor, type Image, mediaTypes, randomImage } from './images.ts';
import { run } from './programs.ts';
import { type ScriptedRegistry, startScripted } from './scripted-registry.ts';
import { checkout, pinnedNode, type RunningServer, type ServerOptions, startServer } from './server.ts';

/** A server with a rule `hub` for a registry beside it. */
export interface CachingWorld extends AsyncDisposable {
  readonly server: RunningServer;
  readonly upstream: ScriptedRegistry;
  readonly ecr: ECR;
  /** GET below /v2/ of the server. */
  get(path: string, headers?: Record<string, string>): ReturnType<typeof http>;
}

export async function cachingWorld(options: ServerOptions = {}): Promise<CachingWorld> {
  await using stack = new AsyncDisposableStack();
  const upstream = stack.use(await startScripted());
  const args = ['--allow-private-upstreams', ...(options.args ?? [])];
  const server = stack.use(await startServer({ ...options, args }));
  const ecr = openEcr(server.url);
  await ecr.createPullThroughCacheRule({ ecrRepositoryPrefix: 'hub', upstreamRegistryUrl: upstream.url });
  const owned = stack.move();
  return {
    server,
    upstream,
    ecr,
    get: (path, headers = {}) => http(`${server.url}/v2/${path}`, { headers }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A client for the default account of a server that admits everybody. */
function openEcr(endpoint: string): ECR {
  const credentials = { accessKeyId: '000000000000', secretAccessKey: 'any' };
  return new ECR({ endpoint, region: 'us-east-1', maxAttempts: 1, credentials });
}

/** Pulls as docker does: the manifest, then what it names. @returns what came */
export async function pull(
  { get }: Pick<CachingWorld, 'get'>,
  repository: string,
  reference: string,
): Promise<Buffer[]> {
  const manifest = await get(`${repository}/manifests/${reference}`);
  if (manifest.status !== 200) throw new Error(`expected 200, was answered ${manifest.status}: ${manifest.text()}`);
  const { config, layers } = manifest.json();
  const blobs = await Promise.all(
    [config, ...layers].map(async ({ digest }) => {
      const blob = await get(`${repository}/blobs/${digest}`);
      if (blob.status !== 200) throw new Error(`expected 200, was answered ${blob.status}: ${blob.text()}`);
      if (blobOf(blob.body).digest !== digest) throw new Error(`${digest} came as other bytes`);
      return blob.body;
    }),
  );
  return [manifest.body, ...blobs];
}

const PATIENCE_MS = 20_000;

/** Looks until something is there. */
export async function eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error('It did not come to be');
    await sleep(50);
  }
}

/** Waits until an image is recorded. */
export function recorded({ ecr }: Pick<CachingWorld, 'ecr'>, repositoryName: string, imageDigest: string) {
  return eventually(async () => {
    const described = await ecr.describeImages({ repositoryName, imageIds: [{ imageDigest }] }).catch(() => undefined);
    return described?.imageDetails?.[0];
  });
}

/** An index of images. */
export function indexOf(images: readonly Image[]): Blob {
  const manifests = images.map((image) => ({
    ...descriptor(image.mediaType, image.manifest),
    platform: { architecture: 'amd64', os: 'linux' },
  }));
  return blobOf(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }));
}

/** Keeps a secret on a data folder. @returns its ARN */
export async function putSecret(data: string, name: string, username: string, password: string): Promise<string> {
  const words = ['secret', 'put', name, '--username', username, '--password-stdin', '--json', '--data', data];
  const said = await run([pinnedNode, join(checkout, 'bin', 'gantry.js'), ...words], { input: `${password}\n` });
  return JSON.parse(said).arn;
}

export { randomImage };
