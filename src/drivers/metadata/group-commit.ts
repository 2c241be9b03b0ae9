import { setImmediate as nextTurn } from 'node:timers/promises';

/** What groups of work are committed on: one connection, used by nothing else meanwhile. */
export interface GroupConnection {
  /** Undoes what an earlier group may have left, then begins. */
  begin(): Promise<void>;
  commit(): void;
  savepoint(): void;
  releaseSavepoint(): void;
  rollbackToSavepoint(): void;
  /** False once the database itself has undone the group, as it may when the disk fails. */
  readonly inTransaction: boolean;
}

/**
 * Lets works that meet share one commit, which costs a sync of the disk. They still run one after another, and each
 * is undone alone when it throws.
 */
export class GroupCommit {
  readonly #connection: GroupConnection;
  readonly #worksMax: number;
  #waiting: QueuedWork[] = [];
  #draining: Promise<void> | undefined;
  #group: Promise<void> | undefined;

  constructor(connection: GroupConnection, worksMax = 64) {
    this.#connection = connection;
    this.#worksMax = worksMax;
  }

  /** Resolves when the work is committed. Rejects with what the work threw, or with why its group did not commit. */
  run<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        async run() {
          const result = await work();
          return () => resolve(result);
        },
        reject,
      });
      this.#draining ??= this.#drain();
    });
  }

  /** The group that is between begin and commit, if any; never rejects. */
  get openGroup(): Promise<void> | undefined {
    return this.#group;
  }

  /** Resolves when no work waits or runs. */
  async idle(): Promise<void> {
    await this.#draining;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      // Requests that arrived in the same turn of the event loop get here before its end: together they fill a group.
      await nextTurn();
      this.#group = this.#runGroup();
      await this.#group;
      this.#group = undefined;
    }
    this.#draining = undefined;
  }

  async #runGroup(): Promise<void> {
    const done: DoneWork[] = [];
    try {
      await this.#connection.begin();
    } catch (error) {
      for (const work of this.#waiting.splice(0, this.#worksMax)) work.reject(error);
      return;
    }
    try {
      for (let count = 0; count < this.#worksMax && this.#waiting.length > 0; count++) {
        await this.#runWork(this.#waiting.shift()!, done);
      }
      this.#connection.commit();
    } catch (error) {
      for (const { reject } of done) reject(error);
      return;
    }
    for (const { resolve } of done) resolve();
  }

  /** Throws only when the group as a whole is lost. */
  async #runWork(work: QueuedWork, done: DoneWork[]): Promise<void> {
    const { reject } = work;
    try {
      this.#connection.savepoint();
    } catch (error) {
      reject(error);
      throw error;
    }
    try {
      const resolve = await work.run();
      this.#connection.releaseSavepoint();
      done.push({ resolve, reject });
    } catch (error) {
      reject(error);
      if (!this.#connection.inTransaction) throw error;
      this.#connection.rollbackToSavepoint();
    }
  }
}

interface QueuedWork {
  /** Runs the work and gives what tells its caller, once committed. */
  run(): Promise<() => void>;
  reject(error: unknown): void;
}

interface DoneWork {
  resolve(): void;
  reject(error: unknown): void;
}
