import type { MetadataStore, WorkScope } from '../../core/metadata-store.ts';
import { postgresDialect } from './postgres-dialect.ts';
import { postgresIds } from './postgres-ids.ts';
import { PostgresPool, type SessionKeeping } from './postgres-pool.ts';
import { SETTINGS } from './postgres-settings.ts';
import { PostgresWriter } from './postgres-writer.ts';
import type { Session, SqlDatabase } from './session.ts';
import { sqlMetadataStore } from './sql.ts';

export interface PostgresOptions {
  /**
   * `postgres://user:password@host:port/database`, with the parameters of libpq that the client knows, and with
   * `connections`: how many to open at most, at least 2. Half of them read, half of them write. With
   * `preparedStatements=false` nothing is kept on a connection beyond a transaction, as poolers want it.
   */
  readonly url: string;
}

/**
 * Opens the store of a database that exists; any number of nodes may. It serves after `migrate()`. Rejects when the
 * database cannot be reached, and when it would not keep what it says it has committed.
 */
export async function openPostgresMetadataStore(options: PostgresOptions): Promise<MetadataStore> {
  return sqlMetadataStore(await openPostgresDatabase(options));
}

/** As `openPostgresMetadataStore`, for what carries tables and not records. */
export async function openPostgresDatabase({ url }: PostgresOptions): Promise<SqlDatabase> {
  const address = new URL(url);
  const connectionsMax = Number(address.searchParams.get('connections') ?? CONNECTIONS_MAX);
  const keeping = address.searchParams.get('preparedStatements') === 'false' ? 'pooled-transactions' : 'sessions';
  for (const ours of ['connections', 'preparedStatements']) address.searchParams.delete(ours);
  const database = new PostgresDatabase(address.href, Math.floor(connectionsMax / 2), keeping);
  try {
    await requireTrustworthy(database.reader);
    if (keeping === 'pooled-transactions') await requireSettings(database.reader);
  } catch (error) {
    await database[Symbol.asyncDispose]();
    throw error;
  }
  return database;
}

const CONNECTIONS_MAX = 20;

/** Writers have connections of their own: a read never waits behind an open transaction. */
class PostgresDatabase implements SqlDatabase {
  readonly isShared = true;
  readonly ids = postgresIds;
  readonly reader: Session;
  readonly #readers: PostgresPool;
  readonly #writers: PostgresPool;
  readonly #writer: PostgresWriter;
  readonly #running = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  constructor(url: string, connectionsMax: number, keeping: SessionKeeping) {
    const readers = new PostgresPool(url, connectionsMax, keeping);
    this.#readers = readers;
    this.#writers = new PostgresPool(url, connectionsMax, keeping);
    this.#writer = new PostgresWriter(this.#writers);
    this.reader = { dialect: postgresDialect, rows: (statement, values) => readers.rows(statement, values) };
  }

  transaction<T>(about: WorkScope, work: (session: Session) => Promise<T>): Promise<T> {
    return this.#untilClosed(() => this.#writer.transaction(about, work));
  }

  migration<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.#untilClosed(() => this.#writer.migration(work));
  }

  /** Those of other users are counted only for one who may see what they run. */
  async othersAtWork(): Promise<number> {
    const [row] = await this.reader.rows<{ others: number }>(OTHERS, []);
    return row?.others ?? 0;
  }

  /** At once: row by row it would look at what hangs on each, and take longer than a statement may. */
  async empty(session: Session, tables: readonly string[]): Promise<void> {
    await session.rows(`truncate ${tables.join(', ')}`, []);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #untilClosed<T>(run: () => Promise<T>): Promise<T> {
    if (this.#closing) throw new Error('The metadata store is closed');
    const running = run();
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#running);
    await Promise.all([this.#writers.end(), this.#readers.end()]);
  }
}

/** Whoever asks has another name than servers and commands have: `application_name` in its address. */
const OTHERS = `
  select count(*) as others from pg_stat_activity
  where datname = current_database() and application_name = 'gantry'
`;

interface Trust {
  fsync: string | null;
  synchronous_commit: string | null;
  encoding: string;
  is_standby: boolean;
}

async function requireTrustworthy(session: Session): Promise<void> {
  const [found] = await session.rows<Trust>(TRUST, []);
  const { fsync, synchronous_commit, encoding, is_standby } = found!;
  const refuse = (reason: string) => {
    throw new Error(`This PostgreSQL server cannot hold a registry: ${reason}`);
  };
  if (fsync === 'off') refuse('fsync is off, so what it has committed is lost with its power');
  if (synchronous_commit === 'off') refuse('synchronous_commit is off, so it says committed before it is');
  if (encoding !== 'UTF8') refuse(`its database has the encoding ${encoding}, and it must be UTF8`);
  if (is_standby) refuse('it is a standby, which takes no writes');
}

/** What is set on a pooled connection is another's at once, so the role has to bring it along. */
async function requireSettings(session: Session): Promise<void> {
  const rows = await session.rows<{ name: string; value: string; role: string }>(PRESENT_SETTINGS, [
    JSON.stringify(Object.keys(SETTINGS)),
  ]);
  const lacking = rows.filter(({ name, value }) => value !== SETTINGS[name]);
  if (lacking.length === 0) return;
  const statements = lacking.map(({ name, role }) => `alter role "${role}" set ${name} = '${SETTINGS[name]}';`);
  throw new Error(`Behind a pooler the role needs its settings beforehand; run:\n${statements.join('\n')}`);
}

const PRESENT_SETTINGS = `
  select value as name, current_setting(value) as value, current_user as role
  from json_array_elements_text(cast($1 as json))
`;

const TRUST = `
  select current_setting('fsync', true) as fsync,
    current_setting('synchronous_commit', true) as synchronous_commit,
    current_setting('server_encoding') as encoding,
    pg_is_in_recovery() as is_standby
`;
