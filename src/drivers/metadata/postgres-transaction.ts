import { StoreUnavailableError } from '../../core/metadata-store.ts';
import { postgresDialect } from './postgres-dialect.ts';
import { isConflict, isDisconnection, storageErrorOf } from './postgres-errors.ts';
import type { Client, PostgresPool } from './postgres-pool.ts';
import type { Session, SqlValue } from './session.ts';

/** Begins a transaction, when its first statement comes. */
export type Beginning = (statement: string, values: readonly SqlValue[]) => Promise<Client>;

const UNCERTAIN = 'The database went away in the middle of a commit, and nobody knows whether it was done';

/** One transaction, from its first statement to commit or rollback. Its statements run one after another. */
export class PostgresTransaction implements Session {
  readonly dialect = postgresDialect;
  readonly #pool: PostgresPool;
  readonly #begin: Beginning;
  #client: Client | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #isOver = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(pool: PostgresPool, begin: Beginning) {
    this.#pool = pool;
    this.#begin = begin;
  }

  rows<Row>(statement: string, values: readonly SqlValue[]): Promise<Row[]> {
    if (this.#isOver) return Promise.reject(new Error('The transaction is over'));
    const running = this.#last.then(() => this.#run<Row>(statement, values));
    this.#last = running.catch(() => {});
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
      this.#client ??= await this.#begin(statement, values);
      return await this.#pool.rowsOn<Row>(this.#client, statement, values);
    } catch (error) {
      this.#failure ??= { error };
      throw error;
    }
  }

  async #end(): Promise<void> {
    this.#isOver = true;
    await this.#last;
  }

  #release(broken?: Error): void {
    this.#client?.release(broken);
    this.#client = undefined;
  }
}
