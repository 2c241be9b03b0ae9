import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { firstTables } from './migrations/0001-first-tables.ts';
import { layerRecords } from './records/layers.ts';
import { repositoryRecords } from './records/repositories.ts';
import { signingKeyRecords } from './records/signing-keys.ts';
import type { Session } from './session.ts';
import { openSqliteMetadataStore } from './sqlite.ts';
import { SqliteConnection } from './sqlite-connection.ts';
import { sqliteDialect } from './sqlite-dialect.ts';

const REGISTRY = { accountId: '000000000000', region: 'us-east-1' };
const CREATED = new Date('2026-03-04T05:06:07.089Z');
const REPOSITORY = {
  registry: REGISTRY,
  name: 'kept',
  createdAt: CREATED,
  imageTagMutability: 'MUTABLE',
  exclusionFilters: [],
  scanOnPush: false,
  encryption: { encryptionType: 'AES256' },
  resourceTags: [{ key: 'k', value: 'v' }],
} as const;
const BLOB = { scope: 's', digest: 'sha256:00', location: 'l', bytes: 5, createdAt: CREATED } as const;
const SIGNING_KEY = { id: 'k', purpose: 'registry-token', secret: new Uint8Array([1, 2]), createdAt: CREATED } as const;

describe('a store of an earlier form', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gantry-sqlite-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('keeps what it holds and takes records of access after it is migrated', async () => {
    const file = join(folder, 'first.db');
    await writeFirstForm(file);
    await using store = await openSqliteMetadataStore({ file });
    await store.migrate();

    const { read } = store;
    const repository = await read.repositories.find(REGISTRY, REPOSITORY.name);
    assert.deepEqual(repository, { ...REPOSITORY, id: 1 });
    const blob = await read.blobs.find(BLOB.scope, BLOB.digest);
    assert.deepEqual(blob, { ...BLOB, id: 1 });
    assert.equal((await read.layers.find(1, BLOB.digest))?.location, BLOB.location);
    assert.deepEqual(await read.signingKeys.all('registry-token'), [SIGNING_KEY]);

    assert.equal(await read.access.repositoryPolicy(1), undefined);
    const before = await read.access.version();
    await store.transaction('alone', ({ access }) => access.putRepositoryPolicy(1, 'text'));
    assert.equal(await read.access.repositoryPolicy(1), 'text');
    assert.ok((await read.access.version()) > before);
  });

  it('keeps the version of access when it is migrated again', async () => {
    const file = join(folder, 'again.db');
    await writeFirstForm(file);
    await using store = await openSqliteMetadataStore({ file });
    await store.migrate();
    await store.transaction('alone', ({ access }) => access.putRegistryPolicy(REGISTRY, 'text'));
    const version = await store.read.access.version();
    await store.migrate();
    assert.equal(await store.read.access.version(), version);
    assert.equal(await store.read.access.registryPolicy(REGISTRY), 'text');
  });
});

/** A store as the Gantry wrote it that knew the first step alone. */
async function writeFirstForm(file: string): Promise<void> {
  const connection = new SqliteConnection(file);
  const session: Session = {
    dialect: sqliteDialect,
    rows: async (statement, values) => connection.rows(statement, values),
  };
  connection.execute(`
    create table migrations (version integer primary key, applied_at integer not null);
    insert into migrations (version, applied_at) values (1, 0);
  `);
  await firstTables(session);
  const repository = await repositoryRecords(session).insert(REPOSITORY);
  // By hand, since what writes blobs now knows columns that were not there.
  connection.rows(
    'insert into blobs (scope, digest, location, bytes, created_at, referenced) values (?, ?, ?, ?, ?, 1)',
    [BLOB.scope, BLOB.digest, BLOB.location, BLOB.bytes, BLOB.createdAt.getTime()],
  );
  const layer = { repositoryId: repository!.id, digest: BLOB.digest, blobId: 1, leaseUntil: CREATED };
  await layerRecords(session).insert(layer);
  await signingKeyRecords(session).insert(SIGNING_KEY);
  connection.close();
}
