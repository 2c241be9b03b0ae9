import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { StoreUnavailableError } from '../../core/metadata-store.ts';
import { isDisconnection, storageErrorOf } from './postgres-errors.ts';
import { SESSION_SETTINGS, STATEMENT_SECONDS_MAX } from './postgres-settings.ts';
import type { SqlValue } from './session.ts';

/** What keeps statements and settings from one use of a connection to the next, and what does not. */
export type SessionKeeping = 'sessions' | 'pooled-transactions';

export type Client = pg.PoolClient;

/** How long a connection may take to come about, and how long a statement waits for a free one. */
const CONNECT_MILLISECONDS = 5000;

/** For how long a server that is gone is asked again, as it is gone while it restarts. */
const RETURN_MILLISECONDS = 5000;
const RETURN_RETRY_MILLISECONDS = 100;

/** Connections to one database, opened as they are needed; those that break are replaced. */
export class PostgresPool {
  readonly #pool: pg.Pool;
  readonly #keeping: SessionKeeping;

  constructor(url: string, connectionsMax: number, keeping: SessionKeeping = 'sessions') {
    this.#keeping = keeping;
    this.#pool = new pg.Pool({
      connectionString: url,
      max: connectionsMax,
      application_name: 'gantry',
      connectionTimeoutMillis: CONNECT_MILLISECONDS,
      // The server ends a statement itself; this is for a server that no longer says anything.
      query_timeout: (STATEMENT_SECONDS_MAX + 5) * 1000,
      idleTimeoutMillis: 60_000,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      types: { getTypeParser: parserOf } as pg.CustomTypesConfig,
      // Statements of one transaction that do not wait for each other share a round trip.
      ...({ pipeline: true } as object),
      onConnect: keeping === 'sessions' ? prepareSession : listenToErrors,
    });
    // An idle connection that breaks is taken out of the pool, and the next statement opens another.
    this.#pool.on('error', () => {});
  }

  /** A connection of the caller's own, to be released; while the server is gone, it is asked again for a while. */
  async connect(): Promise<Client> {
    return whileReturning(() => this.#pool.connect());
  }

  /** Runs one statement on a connection of this pool; where sessions are kept, its text is prepared once on each. */
  async rowsOn<Row>(client: Client, text: string, values: readonly SqlValue[]): Promise<Row[]> {
    const name = this.#keeping === 'sessions' && { name: nameOf(text) };
    try {
      const { rows } = await client.query({ ...name, text, values: values as SqlValue[] });
      return rows as Row[];
    } catch (error) {
      throw storageErrorOf(error);
    }
  }

  /** Runs one statement on any connection. It is run again when the server went away, so it must only read. */
  async rows<Row>(statement: string, values: readonly SqlValue[]): Promise<Row[]> {
    return whileReturning(async () => {
      const client = await this.#pool.connect();
      let broken: Error | undefined;
      try {
        return await this.rowsOn<Row>(client, statement, values);
      } catch (error) {
        if (isDisconnection(error)) broken = error as Error;
        throw error;
      } finally {
        client.release(broken);
      }
    });
  }

  /** Resolves when all connections are released and closed. */
  end(): Promise<void> {
    return this.#pool.end();
  }
}

async function whileReturning<T>(attempt: () => Promise<T>): Promise<T> {
  const until = performance.now() + RETURN_MILLISECONDS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!isDisconnection(error)) throw error;
      if (performance.now() >= until) throw new StoreUnavailableError('The database cannot be reached', error);
    }
    await sleep(RETURN_RETRY_MILLISECONDS);
  }
}

async function prepareSession(client: pg.ClientBase): Promise<void> {
  await listenToErrors(client);
  await client.query(SESSION_SETTINGS);
}

/** The statement that runs is told of a broken connection itself. */
async function listenToErrors(client: pg.ClientBase): Promise<void> {
  client.on('error', () => {});
}

const names = new Map<string, string>();

/** Queries are written once, so their texts are few. */
function nameOf(text: string): string {
  let name = names.get(text);
  if (name === undefined) {
    name = `gantry_${names.size}`;
    names.set(text, name);
  }
  return name;
}

const { INT8, NUMERIC, BYTEA } = pg.types.builtins;

/** Sums of bigints are numerics; neither ever is beyond what a number holds exactly. */
function parserOf(type: number, format?: 'text' | 'binary') {
  if (type === INT8 || type === NUMERIC) return Number;
  if (type === BYTEA) return bytesOf;
  return format === 'binary' ? pg.types.getTypeParser(type, 'binary') : pg.types.getTypeParser(type, 'text');
}

/** https://www.postgresql.org/docs/current/datatype-binary.html: `\x` and two hexadecimal digits for each byte. */
function bytesOf(text: string): Uint8Array {
  const bytes = Buffer.from(text.slice(2), 'hex');
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
