import { StoreUnavailableError } from '../../core/metadata-store.ts';
import { postgresDialect } from './postgres-dialect.ts';
import { isConflict, isDisconnection, storageErrorOf } from './postgres-errors.ts';
import type { Client, PostgresPool } from './postgres-pool.ts';
import type { Session, SqlValue } from './session.ts';

/**
 * Begins a transaction, when its first statement comes. `begun` rejects when the database does not begin it; what is sent
 * meanwhile fails then too, as it comes after.
 */
export type Beginning = (
  statement: string,
  values: readonly SqlValue[],
) => Promise<{ readonly client: Client; readonly begun: Promise<unknown> }>;

const UNCERTAIN = 'The database went away in the middle of a commit, and nobody knows whether it was done';

/**
 * One transaction, from its first statement to commit or rollback. Its statements run one after another in the database; those
 * that are asked for at once are sent at once, so that together they cost one round trip.
 */
export class PostgresTransaction implements Session {
  readonly dialect = postgresDialect;
  readonly #pool: PostgresPool;
  readonly #begin: Beginning;
  #client: Client | undefined;
  #opening: Promise<Client> | undefined;
  readonly #running = new Set<Promise<unknown>>();
  #isOver = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(pool: PostgresPool, begin: Beginning) {
    this.#pool = pool;
    this.#begin = begin;
  }

  rows<Row>(statement: string, values: readonly SqlValue[]): Promise<Row[]> {
    if (this.#isOver) return Promise.reject(new Error('The transaction is over'));
    const running = this.#run<Row>(statement, values);
    const settled = running.then(
      () => {},
      () => {},
    );
    this.#running.add(settled);
    settled.then(() => this.#running.delete(settled));
    return running;
  }

  /** What made the database give the transaction up, whatever work made of it; undefined when nothing did. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  /**
   * Makes what was done durable. A conflict may come out only here; when the connection is lost meanwhile, nobody knows
   * what became of it.
   */
  async commit(): Promise<void> {
    await this.#end();
    if (this.#failure) throw this.#failure.error;
    const client = this.#client;
    if (client === undefined) return;
    try {
      const { command } = await client.query('commit');
      // A transaction that failed is undone by its commit, and that is no error to the database.
      if (command !== 'COMMIT') throw new Error(`The database answered commit with ${command}`);
      this.#release();
    } catch (error) {
      this.#failure = { error: isDisconnection(error) ? new StoreUnavailableError(UNCERTAIN, error) : error };
      if (!isConflict(error)) this.#release(error as Error);
      throw storageErrorOf(this.#failure.error);
    }
  }

  /** Undoes what was done, if anything is left to undo; never rejects. */
  async rollback(): Promise<void> {
    await this.#end();
    const client = this.#client;
    if (client === undefined) return;
    try {
      await client.query('rollback');
      this.#release();
    } catch (error) {
      this.#release(error as Error);
    }
  }

  async #run<Row>(statement: string, values: readonly SqlValue[]): Promise<Row[]> {
    try {
      this.#opening ??= this.#open(statement, values);
      const client = await this.#opening;
      return await this.#pool.rowsOn<Row>(client, statement, values);
    } catch (error) {
      this.#failure ??= { error };
      throw error;
    }
  }

  async #open(statement: string, values: readonly SqlValue[]): Promise<Client> {
    const { client, begun } = await this.#begin(statement, values);
    this.#client = client;
    // It fails before the statement that is sent behind it: its reason is the one that tells.
    begun.catch((error) => {
      this.#failure ??= { error };
    });
    return client;
  }

  async #end(): Promise<void> {
    this.#isOver = true;
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #release(broken?: Error): void {
    this.#client?.release(broken);
    this.#client = undefined;
  }
}
