import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { type Access, openAccess } from '../compose/access.ts';
import { coreDependencies, openStores } from '../compose/stores.ts';
import { readAccessCommand } from '../config/access-config.ts';
import type { AccessReads } from '../core/access/identity-records.ts';
import type { CoreDependencies } from '../core/dependencies.ts';
import { partitionOf } from '../core/values/registry.ts';
import { CommandError, type Invocation } from './command-spec.ts';
import { createOperatorTrail, type RecordChange } from './operator-trail.ts';

/** What a command about access works on: the stores of a server, which may run meanwhile. */
export interface AccessSession extends AsyncDisposable {
  readonly access: Access;
  readonly records: AccessReads;
  readonly dependencies: CoreDependencies;
  readonly accountId: string;
  readonly region: string;
  readonly partition: string;
  readonly keyFile: string;
  readonly recordChange: RecordChange;
}

export async function openAccessSession({ flags, environment }: Invocation): Promise<AccessSession> {
  const { dataDirectory, databaseUrl, keyFile, auditFile, accountId, region } = readAccessCommand(flags, environment);
  await using opening = new AsyncDisposableStack();
  const stores = opening.use(await openStores(dataDirectory, { databaseUrl }));
  const partition = partitionOf(region);
  const dependencies = coreDependencies(stores, { partition });
  const access = await openAccess(dependencies, { keyFile, region });
  const opened = opening.move();
  return {
    access,
    records: stores.metadata.read.access,
    dependencies,
    accountId,
    region,
    partition,
    keyFile,
    recordChange: createOperatorTrail(auditFile, accountId, dependencies.now),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** @param file `-` is standard input */
export async function readDocument(file: string): Promise<string> {
  if (file === '-') return text(process.stdin);
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(
      `${file} cannot be read: ${error.code === 'ENOENT' ? 'there is no such file' : error.message}`,
    );
  });
}
