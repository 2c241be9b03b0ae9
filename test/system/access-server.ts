import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ECR } from '@aws-sdk/client-ecr';
import { type HttpAnswer, type HttpRequest, http } from '../support/http.ts';
import type { Image } from '../support/images.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { type Gantry, gantryOn } from './gantry-command.ts';

export interface AccessKeyPair {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** A server that asks who is there, a root key it was given, and an operator beside it. */
export interface EnforcedServer extends AsyncDisposable {
  readonly server: RunningServer;
  readonly rootKey: AccessKeyPair;
  readonly gantry: Gantry;
  /** A client of the SDK that signs with this key, each request once. */
  ecr(key: AccessKeyPair): ECR;
  /** A user with a key, and a managed policy by its short name such as ReadOnly. */
  userWith(name: string, managed: string): Promise<AccessKeyPair>;
}

export async function startEnforcedServer(args: readonly string[] = []): Promise<EnforcedServer> {
  const rootKey = {
    accessKeyId: `AKIA${randomBytes(8).toString('hex').toUpperCase()}`,
    secretAccessKey: randomBytes(30).toString('base64'),
  };
  const server = await startServer({
    args: ['--auth', 'enforced', ...args],
    env: {
      GANTRY_ROOT_ACCESS_KEY_ID: rootKey.accessKeyId,
      GANTRY_ROOT_SECRET_ACCESS_KEY: rootKey.secretAccessKey,
    },
  });
  const gantry = gantryOn(server.data);
  return {
    server,
    rootKey,
    gantry,
    ecr: (credentials) => new ECR({ endpoint: server.url, region: 'us-east-1', maxAttempts: 1, credentials }),
    async userWith(name, managed) {
      await gantry('user', 'create', name);
      await gantry('policy', 'attach', '--user', name, '--managed', managed);
      return JSON.parse(await gantry('key', 'create', '--user', name, '--json'));
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** A request of docker's, with a password. */
export function httpAs(password: string, url: string, request: HttpRequest = {}): Promise<HttpAnswer> {
  const authorization = `Basic ${Buffer.from(`AWS:${password}`).toString('base64')}`;
  return http(url, { ...request, headers: { ...request.headers, Authorization: authorization } });
}

/** Pushes an image as `latest`. @returns the first answer that is no success, else the one to the manifest */
export async function pushImageAs(
  password: string,
  url: string,
  repository: string,
  image: Image,
): Promise<HttpAnswer> {
  for (const { bytes, digest } of [image.config, ...image.layers]) {
    const started = await httpAs(password, `${url}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
    if (started.status !== 202) return started;
    const location = new URL(String(started.headers.location), url);
    location.searchParams.set('digest', digest);
    const stored = await httpAs(password, location.href, { method: 'PUT', body: bytes });
    if (stored.status !== 201) return stored;
  }
  const headers = { 'Content-Type': image.mediaType };
  const manifest = { method: 'PUT', headers, body: image.manifest.bytes };
  return httpAs(password, `${url}/v2/${repository}/manifests/latest`, manifest);
}

/** What is said of it within a moment: servers learn of a change by asking twice a second. */
export async function eventually<Value>(ask: () => Promise<Value>, wanted: Value): Promise<void> {
  const end = performance.now() + 10_000;
  let said = await ask();
  while (said !== wanted && performance.now() < end) {
    await sleep(50);
    said = await ask();
  }
  assert.equal(said, wanted);
}
