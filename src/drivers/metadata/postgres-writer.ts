import { setTimeout as sleep } from 'node:timers/promises';
import { isConflict, isDisconnection } from './postgres-errors.ts';
import type { Client, PostgresPool } from './postgres-pool.ts';
import { PostgresTransaction } from './postgres-transaction.ts';
import { Turns } from './postgres-turns.ts';
import type { Session, SqlValue } from './session.ts';

/** How often a work may be undone for the sake of others before it runs with nobody beside it, and before it is refused. */
const BESIDE_OTHERS_MAX = 6;
const ATTEMPTS_MAX = 10;

const BACKOFF_MILLISECONDS = 2;
const BACKOFF_MILLISECONDS_MAX = 100;

/**
 * Serializable: works assume that nobody writes between what they read and what they write
 * (https://www.postgresql.org/docs/current/transaction-iso.html#XACT-SERIALIZABLE). All take the table of migrations in a
 * mode that lets everybody in but for the one that takes it alone. A lock comes before what the transaction sees is fixed.
 */
const BEGIN = 'begin isolation level serializable; lock table migrations in row share mode';
const BEGIN_ALONE = 'begin isolation level serializable; lock table migrations in exclusive mode';

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

/** Runs works until they are committed, in as many attempts as their meeting with others takes. */
export class PostgresWriter {
  readonly #pool: PostgresPool;
  readonly #turns = new Turns();

  constructor(pool: PostgresPool) {
    this.#pool = pool;
  }

  async transaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const place = new Place(this.#turns);
    try {
      for (let attempt = 1; ; attempt++) {
        const text = attempt > BESIDE_OTHERS_MAX ? BEGIN_ALONE : BEGIN;
        const transaction = new PostgresTransaction(async (statement, values) => {
          await place.wait(statement, values);
          return this.#begin(text);
        });
        try {
          return await attemptOnce(transaction, work);
        } catch (error) {
          const reason = transaction.failure?.error;
          const met = isConflict(reason);
          if (!(met || isDisconnection(reason)) || attempt >= ATTEMPTS_MAX) throw error;
          place.contended ||= met;
        }
        await sleep(Math.random() * Math.min(BACKOFF_MILLISECONDS * 2 ** attempt, BACKOFF_MILLISECONDS_MAX));
      }
    } finally {
      place.leave();
    }
  }

  /** As `transaction`, for steps of the migrations: one at a time, whoever runs them. */
  migration<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return attemptOnce(new PostgresTransaction(() => this.#begin(BEGIN_MIGRATION)), work);
  }

  async #begin(text: string): Promise<Client> {
    const client = await this.#pool.connect();
    try {
      await client.query(text);
      return client;
    } catch (error) {
      client.release(error as Error);
      throw error;
    }
  }
}

async function attemptOnce<T>(transaction: PostgresTransaction, work: (session: Session) => Promise<T>): Promise<T> {
  try {
    const result = await work(transaction);
    await transaction.commit();
    return result;
  } finally {
    await transaction.rollback();
  }
}

/** A work's place among those that begin as it does: they are about the same repository, or the same upload. */
class Place {
  readonly #turns: Turns;
  #name: string | undefined;
  #endTurn: (() => void) | undefined;
  /** Whether the work was undone for the sake of another before. */
  contended = false;

  constructor(turns: Turns) {
    this.#turns = turns;
  }

  /** Waits while those that begin alike take turns. Nothing is held yet: neither a connection nor a lock. */
  async wait(statement: string, values: readonly SqlValue[]): Promise<void> {
    if (this.#endTurn) return;
    this.#name ??= [statement, ...values].join('\0');
    if (this.contended || this.#turns.areTaken(this.#name)) this.#endTurn = await this.#turns.take(this.#name);
  }

  leave(): void {
    this.#endTurn?.();
  }
}
