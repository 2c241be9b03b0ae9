import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { openSqliteMetadataStore } from './sqlite.ts';

const REGISTRY = { accountId: '000000000000', region: 'us-east-1' };

describe('sqlite metadata store', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gantry-sqlite-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('refuses a store that a newer Gantry wrote, and leaves it as it is', async () => {
    const file = join(folder, 'newer.db');
    const migrated = await openSqliteMetadataStore({ file });
    await migrated.migrate();
    await migrated[Symbol.asyncDispose]();
    using database = new DatabaseSync(file);
    database.exec('insert into migrations (version, applied_at) values (4711, 0)');
    await using store = await openSqliteMetadataStore({ file });
    await assert.rejects(store.migrate(), /has form 4711, and this Gantry knows forms up to \d+: start the newer/);
    const versions = database.prepare('select max(version) as version from migrations').all();
    assert.deepEqual(
      versions.map(({ version }) => version),
      [4711],
    );
  });

  it('keeps the file and those beside it from other users', async () => {
    const file = join(folder, 'private.db');
    await using store = await openSqliteMetadataStore({ file });
    await store.migrate();
    for (const each of [file, `${file}-wal`, `${file}-shm`]) assert.equal((await stat(each)).mode & 0o777, 0o600);
  });

  it('rejects when there is no such folder, or the file is no store', async () => {
    await assert.rejects(openSqliteMetadataStore({ file: join(folder, 'nowhere', 'metadata.db') }), { code: 'ENOENT' });
    await assert.rejects(openSqliteMetadataStore({ file: folder }), { code: 'EISDIR' });
    await assert.rejects(openSqliteMetadataStore({ file: import.meta.filename }), /not a database/);
  });

  it('loses nothing it confirmed when the process is killed', async () => {
    const file = join(folder, 'killed.db');
    const child = spawn(process.execPath, ['--input-type=module', '-e', WRITE_WITHOUT_END], {
      env: { ...process.env, FILE: file, STORE: join(import.meta.dirname, 'sqlite.ts') },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let confirmed = '';
    for await (const chunk of child.stdout.setEncoding('utf8')) {
      confirmed += chunk;
      if (confirmed.split('\n').length > 50) child.kill('SIGKILL');
    }
    if (child.signalCode === null) await once(child, 'exit');
    const names = confirmed.split('\n').slice(0, -1);
    assert.ok(names.length >= 50);
    await using store = await openSqliteMetadataStore({ file });
    const found = await store.read.repositories.findMany(REGISTRY, names);
    assert.equal(found.length, names.length);
    await store.migrate();
    await store.ready();
  });
});

/** Says each name once its transaction resolved. */
const WRITE_WITHOUT_END = `
  import { writeSync } from 'node:fs';
  const { openSqliteMetadataStore } = await import(process.env.STORE);
  const store = await openSqliteMetadataStore({ file: process.env.FILE });
  await store.migrate();
  for (let number = 0; ; number++) {
    const name = 'name/' + number;
    await store.transaction('alone', ({ repositories }) => repositories.insert({
      registry: ${JSON.stringify(REGISTRY)}, name, createdAt: new Date(), imageTagMutability: 'MUTABLE',
      exclusionFilters: [], scanOnPush: false, encryption: { encryptionType: 'AES256' }, resourceTags: [],
    }));
    writeSync(1, name + '\\n');
  }
`;
