import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ECR } from '@aws-sdk/client-ecr';
import { needsFolder } from '../support/cluster-mode.ts';
import { type KmsServer, startKmsServer } from '../support/kms-server.ts';
import { type RunningServer, type ServerOptions, startServer } from '../support/server.ts';
import { ecrClient, refused } from './aws-client.ts';

/** Why tests of keys are skipped, as their `skip` wants it. */
export const skipKms = needsFolder('the store of these tests encrypts under no key of a key service');

/** A server and the key service that it uses. */
export interface KmsWorld extends AsyncDisposable {
  readonly kms: KmsServer;
  readonly server: RunningServer;
  readonly ecr: ECR;
  /** Makes a repository under a key. @param key anything that names one; the default key without */
  repository(repositoryName: string, key?: string, encryptionType?: 'KMS' | 'KMS_DSSE'): Promise<string>;
  /** Ends the server and starts it again on its folder. */
  restart(): Promise<void>;
}

/** @param args added to those of the server */
export async function startKmsWorld({ args = [] }: Pick<ServerOptions, 'args'> = {}): Promise<KmsWorld> {
  await using starting = new AsyncDisposableStack();
  const kms = starting.use(await startKmsServer());
  const options = { args, env: kms.environment };
  let server = starting.use(await startServer(options));
  let ecr = ecrClient(server.url);
  const running = starting.move();
  return {
    kms,
    get server() {
      return server;
    },
    get ecr() {
      return ecr;
    },
    async repository(repositoryName, key, encryptionType = 'KMS') {
      const encryptionConfiguration = { encryptionType, ...(key !== undefined && { kmsKey: key }) };
      const { repository } = await ecr.createRepository({ repositoryName, encryptionConfiguration });
      return String(repository?.encryptionConfiguration?.kmsKey);
    },
    async restart() {
      await server.kill();
      server = running.use(await startServer({ ...options, data: server.data }));
      ecr = ecrClient(server.url);
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** The call is refused for its key. @returns the message */
export async function refusedForKey(call: Promise<unknown>, kmsError = 'DisabledException'): Promise<string> {
  const error = await refused(call, 'KmsException');
  assert.equal(error.kmsError, kmsError);
  return String(error.message);
}

/** Whether a file anywhere in the data folder holds these bytes. */
export async function isInFolder({ data }: RunningServer, mark: string): Promise<boolean> {
  const files = await readdir(data, { recursive: true, withFileTypes: true });
  for (const file of files.filter((entry) => entry.isFile())) {
    // One that was renamed or deleted meanwhile is another of the list, or holds nothing.
    const content = await readFile(join(file.parentPath, file.name)).catch(() => Buffer.alloc(0));
    if (content.includes(mark)) return true;
  }
  return false;
}
