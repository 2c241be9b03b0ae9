import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { StorageFullError } from '../../core/blob-store.ts';
import type { GroupConnection } from './group-commit.ts';
import type { SqlValue } from './session.ts';

/** Statements a connection keeps ready; those used longest ago make room. */
const STATEMENTS_MAX = 256;

/** How long a write waits for another process that writes. */
const BUSY_WAIT_MILLISECONDS = 10_000;
const BUSY_RETRY_MILLISECONDS = 5;

/** One connection to a SQLite database. Statements run to their end before `rows` returns. */
export class SqliteConnection implements GroupConnection {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(file: string) {
    this.#database = new DatabaseSync(file, { enableForeignKeyConstraints: true, timeout: 0 });
  }

  rows<Row>(statement: string, values: readonly SqlValue[]): Row[] {
    try {
      return this.#statement(statement).all(...values) as Row[];
    } catch (error) {
      throw storageErrorOf(error);
    }
  }

  /** Runs statements that take no values and give no rows. */
  execute(statements: string): void {
    try {
      this.#database.exec(statements);
    } catch (error) {
      throw storageErrorOf(error);
    }
  }

  /** Runs statements that may meet another process's lock, and waits for that without holding up the event loop. */
  async executeWhenFree(statements: string): Promise<void> {
    for (let waited = 0; ; waited += BUSY_RETRY_MILLISECONDS) {
      try {
        this.#database.exec(statements);
        return;
      } catch (error) {
        if (primaryCodeOf(error) !== SQLITE_BUSY || waited >= BUSY_WAIT_MILLISECONDS) throw storageErrorOf(error);
      }
      await sleep(BUSY_RETRY_MILLISECONDS);
    }
  }

  async begin(): Promise<void> {
    if (this.inTransaction) this.rollback();
    await this.executeWhenFree('begin immediate');
  }

  commit(): void {
    this.execute('commit');
  }

  rollback(): void {
    this.execute('rollback');
  }

  savepoint(): void {
    this.rows('savepoint work', []);
  }

  releaseSavepoint(): void {
    this.rows('release work', []);
  }

  rollbackToSavepoint(): void {
    this.rows('rollback to work', []);
    this.rows('release work', []);
  }

  get inTransaction(): boolean {
    return this.#database.isTransaction;
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #statement(text: string): StatementSync {
    let statement = this.#statements.get(text);
    if (statement === undefined) {
      statement = this.#database.prepare(text);
      if (this.#statements.size >= STATEMENTS_MAX) this.#statements.delete(this.#statements.keys().next().value!);
    } else {
      this.#statements.delete(text);
    }
    this.#statements.set(text, statement);
    return statement;
  }
}

const SQLITE_BUSY = 5;
const SQLITE_FULL = 13;

/** SQLite's result code without what extends it (https://sqlite.org/rescode.html); undefined for other errors. */
function primaryCodeOf(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown } | undefined)?.errcode;
  return typeof code === 'number' ? code & 0xff : undefined;
}

function storageErrorOf(error: unknown): unknown {
  return primaryCodeOf(error) === SQLITE_FULL ? new StorageFullError(error) : error;
}
