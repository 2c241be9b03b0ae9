import type { FileHandle } from 'node:fs/promises';

/** How much may be written before the disk is set to work, so that the last sync of a large upload is short. */
const SYNC_EVERY_BYTES = 16 * 1024 * 1024;

/**
 * Takes written bytes to the disk while more arrive. Runs in the thread pool, never in an upload worker, where it
 * would hold up the other uploads.
 */
export class BackgroundSync {
  readonly #handle: FileHandle;
  #unsyncedBytes = 0;
  #running: Promise<void> | undefined;
  #failed = false;
  #failure: unknown;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** Whether a sync failed: what the disk holds is then unknown, and asking again would report success. */
  get failed(): boolean {
    return this.#failed;
  }

  wrote(bytes: number): void {
    this.#unsyncedBytes += bytes;
    if (this.#unsyncedBytes >= SYNC_EVERY_BYTES && this.#running === undefined) void this.#sync();
  }

  /** Resolves when no sync is under way; rejects when one has failed. */
  async idle(): Promise<void> {
    await this.#running;
    if (this.#failed) throw this.#failure;
  }

  /** On return every byte of the file is on the disk, whoever wrote it. */
  async finish(): Promise<void> {
    await this.idle();
    await this.#sync();
    await this.idle();
  }

  #sync(): Promise<void> {
    this.#unsyncedBytes = 0;
    this.#running = this.#handle.datasync().then(
      () => this.#ended(),
      (error) => {
        this.#failed = true;
        this.#failure = error;
        this.#ended();
      },
    );
    return this.#running;
  }

  #ended(): void {
    this.#running = undefined;
  }
}
