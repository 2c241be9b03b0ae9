import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { BlobAppender } from '../../../core/blob-store.ts';
import { BackgroundSync } from './background-sync.ts';
import { ChunkGatherer } from './chunk-batch.ts';
import type { UploadMemory } from './idle-uploads.ts';
import { BATCH_BYTES, type Lane } from './lane.ts';
import { MainLane } from './main-lane.ts';
import { factsOf, type StagedFacts } from './staged-facts.ts';
import { storageError } from './storage-errors.ts';
import type { UploadWorkers } from './upload-workers.ts';
import { WorkerLane } from './worker-lane.ts';

/** What an appender needs of the store it belongs to. */
export interface AppendTarget {
  readonly path: string;
  readonly workers: UploadWorkers;
  /** Takes the names of staged files to the disk. */
  syncNames(): Promise<void>;
  /** Called once when the append ended well. */
  remember(memory: UploadMemory): void;
  /** Called once when a sync failed: what the disk holds of the staged bytes is unknown. */
  lose(): Promise<void>;
}

/** How much may wait to be written, per upload, before the sender is asked to pause; and when it may go on. */
const WAITING_BYTES_MAX = 2 * 1024 * 1024;
const WAITING_BYTES_RESUME = 1024 * 1024;

/** The only owner of its descriptor: opened at the first batch, closed once after everything in flight has ended. */
export class StagedAppender implements BlobAppender {
  readonly #target: AppendTarget;
  readonly #before: UploadMemory;
  readonly #gatherer = new ChunkGatherer();
  #lane: Lane | undefined;
  #opening: Promise<OpenFile> | undefined;
  /** Where the next batch goes. */
  #position: number;
  /** How much of what was handed over has been written. */
  #writtenBytes = 0;
  #inFlightBytes = 0;
  #inFlightBatches = 0;
  #failure: { readonly error: unknown } | undefined;
  /** Exists while somebody waits for room, or for the end. */
  #changed: PromiseWithResolvers<void> | undefined;
  #closing: Promise<number> | undefined;

  constructor(target: AppendTarget, before: UploadMemory) {
    this.#target = target;
    this.#before = before;
    this.#position = before.facts.bytes;
    this.#lane = before.lane;
  }

  write(chunk: Uint8Array): boolean {
    if (this.#closing !== undefined) throw new Error('The append has ended');
    if (this.#failure !== undefined) return false;
    if (chunk.byteLength > 0) this.#gatherer.add(chunk);
    if (this.#gatherer.bytes >= BATCH_BYTES) this.#flush(true);
    return this.#inFlightBytes < WAITING_BYTES_MAX;
  }

  async drained(): Promise<void> {
    while (this.#failure === undefined && this.#inFlightBytes > WAITING_BYTES_RESUME) await this.#change();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async flush(): Promise<void> {
    // To the worker, however little it is: what is written on two threads at once has no order.
    if (this.#gatherer.bytes > 0 && this.#failure === undefined) this.#flush(true);
    const handedOver = this.#position - this.#before.facts.bytes;
    while (this.#failure === undefined && this.#writtenBytes < handedOver) await this.#change();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  close(durable: boolean): Promise<number> {
    this.#closing ??= this.#close(durable);
    return this.#closing;
  }

  async #close(durable: boolean): Promise<number> {
    if (this.#gatherer.bytes > 0 && this.#failure === undefined) this.#flush(false);
    while (this.#inFlightBatches > 0) await this.#change();
    if (durable && !this.#before.bytesSynced && this.#before.facts.bytes > 0) this.#open().catch(() => {});
    // Absent when nothing had to be opened, or opening failed: the failure is then known.
    const file = await this.#opening?.catch((error) => this.#fail(error));
    let { facts } = this.#before;
    try {
      if (this.#failure !== undefined) throw this.#failure.error;
      if (durable) await this.#makeDurable(file?.sync);
      else await file?.sync.idle();
      if (file !== undefined) facts = factsOf(await file.handle.stat({ bigint: true }));
    } catch (error) {
      this.#fail(error);
    }
    await file?.sync.idle().catch(() => {});
    await file?.handle.close().catch((error) => this.#fail(error));
    if (this.#failure !== undefined) {
      this.#lane?.release();
      if (file?.sync.failed === true) await this.#target.lose();
      throw this.#failure.error;
    }
    this.#remember(facts, durable);
    return this.#position;
  }

  async #makeDurable(sync: BackgroundSync | undefined): Promise<void> {
    await sync?.finish();
    if (this.#position > 0 && !this.#before.nameSynced) await this.#target.syncNames();
  }

  #remember(facts: StagedFacts, durable: boolean): void {
    const { bytesSynced, nameSynced } = this.#before;
    const grew = this.#position > this.#before.facts.bytes;
    this.#target.remember({
      facts,
      lane: this.#lane,
      bytesSynced: durable || (bytesSynced && !grew),
      nameSynced: nameSynced || (durable && this.#position > 0),
    });
  }

  #flush(large: boolean): void {
    const batch = this.#gatherer.take();
    const position = this.#position;
    this.#position += batch.bytes;
    this.#inFlightBytes += batch.bytes;
    this.#inFlightBatches++;
    const ended = (): void => {
      this.#inFlightBytes -= batch.bytes;
      this.#inFlightBatches--;
      this.#wake();
    };
    this.#open()
      .then(async ({ handle, sync }) => {
        if (this.#failure !== undefined) return;
        await this.#laneFor(handle, position, large).write(handle, position, batch);
        sync.wrote(batch.bytes);
        this.#writtenBytes += batch.bytes;
      })
      .then(ended, (error) => {
        this.#fail(error);
        ended();
      });
  }

  /** Small appends stay where they are; the first large batch moves an upload to a worker if its hash can follow. */
  #laneFor(handle: FileHandle, position: number, large: boolean): Lane {
    if (large && this.#lane?.takesLargeBatches !== true) {
      this.#lane?.release();
      this.#lane = new WorkerLane(this.#target.workers.leastBusy(), handle, position);
    }
    this.#lane ??= new MainLane(position);
    return this.#lane;
  }

  #open(): Promise<OpenFile> {
    this.#opening ??= openStaged(this.#target.path, this.#before.facts.bytes === 0);
    return this.#opening;
  }

  #fail(error: unknown): undefined {
    this.#failure ??= { error: storageError(error) };
    this.#wake();
  }

  #change(): Promise<void> {
    this.#changed ??= Promise.withResolvers();
    return this.#changed.promise;
  }

  #wake(): void {
    this.#changed?.resolve();
    this.#changed = undefined;
  }
}

interface OpenFile {
  readonly handle: FileHandle;
  readonly sync: BackgroundSync;
}

async function openStaged(path: string, create: boolean): Promise<OpenFile> {
  // Readable too: a worker that takes over hashes the small start again.
  const handle = await open(path, constants.O_RDWR | (create ? constants.O_CREAT : 0));
  return { handle, sync: new BackgroundSync(handle) };
}
