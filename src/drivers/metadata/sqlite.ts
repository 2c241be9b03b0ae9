import { open } from 'node:fs/promises';
import type { MetadataStore, WorkScope } from '../../core/metadata-store.ts';
import { GroupCommit } from './group-commit.ts';
import type { Session, SqlDatabase } from './session.ts';
import { sqlMetadataStore } from './sql.ts';
import { SqliteConnection } from './sqlite-connection.ts';
import { sqliteDialect } from './sqlite-dialect.ts';
import { sqliteIds } from './sqlite-ids.ts';

export interface SqliteOptions {
  /** A path, whose folder exists; or `:memory:` for a store that ends with the process. */
  readonly file: string;
}

/** Opens the store, making the file when there is none. It serves after `migrate()`. */
export async function openSqliteMetadataStore(options: SqliteOptions): Promise<MetadataStore> {
  return sqlMetadataStore(await openSqliteDatabase(options));
}

/** As `openSqliteMetadataStore`, for what carries tables and not records. */
export async function openSqliteDatabase({ file }: SqliteOptions): Promise<SqlDatabase> {
  if (file === ':memory:') return new SqliteDatabase(new SqliteConnection(file), undefined);
  await makeFile(file);
  const writer = new SqliteConnection(file);
  try {
    await writer.executeWhenFree(FILE_PRAGMAS);
    const reader = new SqliteConnection(file);
    reader.execute(READER_PRAGMAS);
    return new SqliteDatabase(writer, reader);
  } catch (error) {
    writer.close();
    throw error;
  }
}

/**
 * synchronous=full: what was committed outlives a loss of power (in WAL mode `normal` would not do). The size limit
 * gives the log's room back after a burst. No temp_store=memory: with it SQLite keeps a savepoint's journal as a list
 * in memory and walks it after each statement, which made works of ten thousand records twenty times slower.
 */
const FILE_PRAGMAS = `
  pragma journal_mode = wal;
  pragma synchronous = full;
  pragma journal_size_limit = 67108864;
  pragma cache_size = -16384;
`;

const READER_PRAGMAS = `
  pragma query_only = on;
  pragma busy_timeout = 1000;
  pragma cache_size = -16384;
`;

/** The store holds secrets: nobody but its owner reads it. SQLite gives its other files the same permissions. */
async function makeFile(file: string): Promise<void> {
  const handle = await open(file, 'a', 0o600);
  await handle.close();
}

/** One connection that writes and one that reads; in memory there can be but one, and reads wait for its group. */
class SqliteDatabase implements SqlDatabase {
  readonly isShared = false;
  readonly ids = sqliteIds;
  readonly reader: Session;
  readonly #writer: SqliteConnection;
  readonly #reader: SqliteConnection | undefined;
  readonly #groups: GroupCommit;
  #closing: Promise<void> | undefined;

  constructor(writer: SqliteConnection, reader: SqliteConnection | undefined) {
    this.#writer = writer;
    this.#reader = reader;
    this.#groups = new GroupCommit(writer);
    this.reader = reader ? readerOf(reader) : readerBetweenGroups(writer, this.#groups);
  }

  /** Whatever the work is about: there is one writer at a time. */
  async transaction<T>(_about: WorkScope, work: (session: Session) => Promise<T>): Promise<T> {
    if (this.#closing) throw new Error('The metadata store is closed');
    return this.#groups.run(() => inSession(this.#writer, work));
  }

  migration<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.transaction('alone', work);
  }

  /** A server that works on the file holds its folder. */
  async othersAtWork(): Promise<number> {
    return 0;
  }

  async empty(session: Session, tables: readonly string[]): Promise<void> {
    for (const table of tables.toReversed()) await session.rows(`delete from ${table}`, []);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#groups.idle();
    this.#reader?.close();
    this.#writer.close();
  }
}

function readerOf(connection: SqliteConnection): Session {
  return {
    dialect: sqliteDialect,
    rows: async (statement, values) => connection.rows(statement, values),
  };
}

function readerBetweenGroups(connection: SqliteConnection, groups: GroupCommit): Session {
  return {
    dialect: sqliteDialect,
    async rows(statement, values) {
      while (groups.openGroup) await groups.openGroup;
      return connection.rows(statement, values);
    },
  };
}

/** Runs work in a session that is of no use afterwards: what came late would land in another's transaction. */
async function inSession<T>(connection: SqliteConnection, work: (session: Session) => Promise<T>): Promise<T> {
  let over = false;
  try {
    return await work({
      dialect: sqliteDialect,
      async rows(statement, values) {
        if (over) throw new Error('The transaction is over');
        return connection.rows(statement, values);
      },
    });
  } finally {
    over = true;
  }
}
