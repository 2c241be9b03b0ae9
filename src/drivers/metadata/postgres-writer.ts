import { setTimeout as sleep } from 'node:timers/promises';
import { StoreUnavailableError, type WorkScope } from '../../core/metadata-store.ts';
import { isConflict, isDisconnection } from './postgres-errors.ts';
import type { Client, PostgresPool } from './postgres-pool.ts';
import { type Beginning, PostgresTransaction } from './postgres-transaction.ts';
import { Turns } from './postgres-turns.ts';
import type { Session, SqlValue } from './session.ts';

/** How often a work is run again when the database undid it, or went away before its commit. */
const ATTEMPTS_MAX = 10;
const BACKOFF_MILLISECONDS = 4;
const BACKOFF_MILLISECONDS_MAX = 200;

const GOES_AWAY = 'The database goes away again and again';

/**
 * Each statement sees what is committed when it begins: after the wait for a lock, what was done meanwhile. All take the
 * table of migrations, in a mode that goes with those they may run beside; reads need no such lock. Nothing else takes it
 * but a migration, which only those that change the registry wait for.
 * https://www.postgresql.org/docs/current/explicit-locking.html#TABLE-LOCK-COMPATIBILITY
 */
const BEGIN: Readonly<Record<WorkScope, string>> = {
  repository: beginning('row share'),
  'own-rows': beginning('row share'),
  registry: beginning('share row exclusive'),
  alone: beginning('exclusive'),
};

function beginning(mode: string): string {
  return `begin isolation level read committed; lock table migrations in ${mode} mode`;
}

/**
 * A step of the migrations waits for one that another node runs, and then sees what it did. The lock is the transaction's
 * own, so that a pooler which hands connections out by the transaction may stand between. The number means nothing.
 */
const BEGIN_MIGRATION = `
  begin isolation level read committed;
  set local statement_timeout = 0;
  set local lock_timeout = 0;
  select pg_advisory_xact_lock(7310226411879)
`;

/** Runs works until they are committed. */
export class PostgresWriter {
  readonly #pool: PostgresPool;
  readonly #turns = new Turns();

  constructor(pool: PostgresPool) {
    this.#pool = pool;
  }

  transaction<T>(about: WorkScope, work: (session: Session) => Promise<T>): Promise<T> {
    return this.#attempt(work, async (place, statement, values) => {
      if (about === 'repository') await place.wait(statement, values);
      return this.#begin(BEGIN[about]);
    });
  }

  /** As `transaction`, for steps of the migrations: one at a time, whoever runs them. One that met a server's work is run again. */
  migration<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.#attempt(work, () => this.#begin(BEGIN_MIGRATION));
  }

  async #attempt<T>(work: (session: Session) => Promise<T>, begin: PlacedBeginning): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      using place = new Place(this.#turns);
      const transaction = new PostgresTransaction(this.#pool, (statement, values) => begin(place, statement, values));
      try {
        return await attemptOnce(transaction, work);
      } catch (error) {
        const reason = transaction.failure?.error;
        if (!(isConflict(reason) || isDisconnection(reason))) throw error;
        if (attempt >= ATTEMPTS_MAX)
          throw isDisconnection(reason) ? new StoreUnavailableError(GOES_AWAY, reason) : error;
      }
      await sleep(Math.random() * Math.min(BACKOFF_MILLISECONDS * 2 ** (attempt - 1), BACKOFF_MILLISECONDS_MAX));
    }
  }

  /** What is sent behind it waits for no answer: a transaction that does not begin takes nothing that follows either. */
  async #begin(text: string): Promise<{ client: Client; begun: Promise<unknown> }> {
    const client = await this.#pool.connect();
    return { client, begun: client.query(text) };
  }
}

/** Begins a transaction, perhaps after a wait for its place among those of its kind. */
type PlacedBeginning = (place: Place, statement: string, values: readonly SqlValue[]) => ReturnType<Beginning>;

async function attemptOnce<T>(transaction: PostgresTransaction, work: (session: Session) => Promise<T>): Promise<T> {
  try {
    const result = await work(transaction);
    await transaction.commit();
    return result;
  } finally {
    await transaction.rollback();
  }
}

/**
 * A place among this node's works that begin by taking the same repository: those that wait for its row hold no connection
 * meanwhile.
 */
class Place implements Disposable {
  readonly #turns: Turns;
  #endTurn: (() => void) | undefined;

  constructor(turns: Turns) {
    this.#turns = turns;
  }

  async wait(statement: string, values: readonly SqlValue[]): Promise<void> {
    this.#endTurn = await this.#turns.take([statement, ...values].join('\0'));
  }

  [Symbol.dispose](): void {
    this.#endTurn?.();
  }
}
