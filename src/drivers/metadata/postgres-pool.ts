import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { StoreUnavailableError } from '../../core/metadata-store.ts';
import { isDisconnection, storageErrorOf } from './postgres-errors.ts';
import type { SqlValue } from './session.ts';

export type Client = pg.PoolClient;

/** How long a connection may take to come about, and how long a statement waits for a free one. */
const CONNECT_MILLISECONDS = 5000;

/** For how long a server that is gone is asked again, as it is gone while it restarts. */
const RETURN_MILLISECONDS = 5000;
const RETURN_RETRY_MILLISECONDS = 100;

const STATEMENT_SECONDS_MAX = 30;

/**
 * Of each session. A statement is bounded, and so are waits for locks; a node that vanishes leaves no transaction open
 * for long. Every query is written for an index, as SQLite's planner takes it: a small table read as a whole would be
 * cheaper for one statement, but in a serializable transaction all of it would count as read, and writers who have
 * nothing to do with each other would undo each other's work. Generic plans: with these settings the values do not
 * change them.
 */
const SESSION_SETTINGS = `
  set statement_timeout = '${STATEMENT_SECONDS_MAX}s';
  set lock_timeout = '10s';
  set idle_in_transaction_session_timeout = '15s';
  set tcp_keepalives_idle = 10;
  set tcp_keepalives_interval = 3;
  set tcp_keepalives_count = 3;
  set jit = off;
  set plan_cache_mode = force_generic_plan;
  set enable_seqscan = off;
  set enable_hashjoin = off;
  set enable_mergejoin = off;
  set max_parallel_workers_per_gather = 0;
  set random_page_cost = 1.1;
  set enable_bitmapscan = off;
`;

/** Connections to one database, opened as they are needed; those that break are replaced. */
export class PostgresPool {
  readonly #pool: pg.Pool;

  constructor(url: string, connectionsMax: number) {
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
      onConnect: prepareSession,
    });
    // An idle connection that breaks is taken out of the pool, and the next statement opens another.
    this.#pool.on('error', () => {});
  }

  /** A connection of the caller's own, to be released; while the server is gone, it is asked again for a while. */
  async connect(): Promise<Client> {
    return whileReturning(() => this.#pool.connect());
  }

  /** Runs one statement on any connection. It is run again when the server went away, so it must only read. */
  async rows<Row>(statement: string, values: readonly SqlValue[]): Promise<Row[]> {
    return whileReturning(async () => {
      const client = await this.#pool.connect();
      let broken: Error | undefined;
      try {
        return await rowsOf<Row>(client, statement, values);
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

/** Runs one statement; its text is prepared once on each connection. */
export async function rowsOf<Row>(client: Client, text: string, values: readonly SqlValue[]): Promise<Row[]> {
  try {
    const { rows } = await client.query({ name: nameOf(text), text, values: values as SqlValue[] });
    return rows as Row[];
  } catch (error) {
    throw storageErrorOf(error);
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
  // The statement that runs is told of a broken connection itself.
  client.on('error', () => {});
  await client.query(SESSION_SETTINGS);
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
