import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { BlobAppender } from '../../../../core/blob-store.ts';
import { BackgroundSync } from '../background-sync.ts';
import { freeCopied } from '../chunk-batch.ts';
import { BATCH_BYTES } from '../lane.ts';
import { storageError } from '../storage-errors.ts';
import type { UploadWorkers } from '../upload-workers.ts';
import { CHUNK_BYTES, type ChunkCipher, type ChunkKey, RECORD_BYTES } from './chunk-cipher.ts';
import { type EncryptingLane, EncryptingMainLane, EncryptingWorkerLane } from './encrypting-lane.ts';
import { type EncryptedFacts, encryptedFacts, NOTHING_ENCRYPTED, type StagedFiles, writeTail } from './staged-files.ts';

/** What is remembered of an encrypted upload between two appends; see `UploadMemory`. */
export interface EncryptedMemory {
  readonly facts: EncryptedFacts;
  readonly lane: EncryptingLane | undefined;
  /** Whether the names of its files are known to be on the disk. */
  readonly nameSynced: boolean;
}

/** What an appender needs of the store it belongs to. */
export interface EncryptedTarget {
  readonly files: StagedFiles;
  readonly chunkKey: ChunkKey;
  readonly cipher: ChunkCipher;
  readonly workers: UploadWorkers;
  /** Takes the names of staged files to the disk. */
  syncNames(): Promise<void>;
  /** Called once when the append ended well. */
  remember(memory: EncryptedMemory): void;
  /** Called once when a sync failed: what the disk holds of the staged bytes is unknown. */
  lose(): Promise<void>;
}

/** How much may wait to be written, per upload, before the sender is asked to pause; and when it may go on. */
const WAITING_BYTES_MAX = 2 * 1024 * 1024;
const WAITING_BYTES_RESUME = 1024 * 1024;

/** The only owner of its descriptor: opened at the first batch, or at the end, and closed once after everything in flight. */
export class EncryptedAppender implements BlobAppender {
  readonly #target: EncryptedTarget;
  readonly #before: EncryptedFacts;
  #nameSynced: boolean;
  #lane: EncryptingLane | undefined;
  /** What was handed over and is not a batch yet. Begins with a chunk. */
  #gathered = Buffer.allocUnsafeSlow(BATCH_BYTES);
  #gatheredBytes: number;
  /** Number of the chunk that `gathered` begins with. */
  #nextIndex: number;
  #hasGrown = false;
  #opening: Promise<OpenFile> | undefined;
  #inFlightBytes = 0;
  #writtenBytes = 0;
  /** The last of those that were asked for; they follow one another, as their tails do. */
  #flushing: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;
  /** Exists while somebody waits for room, or for the end. */
  #changed: PromiseWithResolvers<void> | undefined;
  #closing: Promise<number> | undefined;

  /** @param tail what there is of the chunk that is not whole */
  constructor(target: EncryptedTarget, { facts, lane, nameSynced }: EncryptedMemory, tail: Uint8Array) {
    this.#target = target;
    this.#before = facts;
    this.#nameSynced = nameSynced;
    this.#lane = lane;
    this.#nextIndex = facts.wholeChunks;
    this.#gathered.set(tail);
    this.#gatheredBytes = tail.byteLength;
  }

  write(chunk: Uint8Array): boolean {
    if (this.#closing !== undefined) throw new Error('The append has ended');
    if (chunk.byteLength > 0) this.#hasGrown = true;
    for (let at = 0; at < chunk.byteLength && this.#failure === undefined; ) {
      const part = chunk.subarray(at, at + BATCH_BYTES - this.#gatheredBytes);
      this.#gathered.set(part, this.#gatheredBytes);
      this.#gatheredBytes += part.byteLength;
      at += part.byteLength;
      if (this.#gatheredBytes === BATCH_BYTES) this.#handOver(true);
    }
    freeCopied(chunk);
    return this.#failure === undefined && this.#inFlightBytes < WAITING_BYTES_MAX;
  }

  async drained(): Promise<void> {
    while (this.#failure === undefined && this.#inFlightBytes > WAITING_BYTES_RESUME) await this.#change();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Of an upload that has a tail, which may count for somebody, whole chunks alone: its tail is replaced at the end. */
  flush(): Promise<void> {
    const flushing = this.#flushing.catch(() => {}).then(() => this.#flushNow());
    this.#flushing = flushing;
    // Closing rejects with the same.
    flushing.catch(() => {});
    return flushing;
  }

  async #flushNow(): Promise<void> {
    if (this.#closing !== undefined) return;
    // To the worker, however little it is: what is written on two threads at once has no order.
    if (this.#gatheredBytes >= CHUNK_BYTES && this.#failure === undefined) this.#handOver(true);
    const [index, plain] = [this.#nextIndex, Buffer.from(this.#gathered.subarray(0, this.#gatheredBytes))];
    const handedOver = (index - this.#before.wholeChunks) * CHUNK_BYTES;
    while (this.#failure === undefined && this.#writtenBytes < handedOver) await this.#change();
    if (this.#failure !== undefined) throw this.#failure.error;
    if (plain.byteLength === 0 || this.#before.tailBytes > 0) return;
    const { files, cipher } = this.#target;
    try {
      await this.#open();
      await writeTail(files, cipher, { index, plain, synced: false });
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  close(durable: boolean): Promise<number> {
    this.#closing ??= this.#close(durable);
    return this.#closing;
  }

  async #close(durable: boolean): Promise<number> {
    await this.#flushing.catch(() => {});
    if (this.#hasGrown && this.#gatheredBytes >= CHUNK_BYTES && this.#failure === undefined) this.#handOver(false);
    while (this.#inFlightBytes > 0) await this.#change();
    if (this.#hasGrown || (durable && this.#before.bytes > 0)) this.#open().catch(() => {});
    // Absent when nothing had to be opened, or opening failed: the failure is then known.
    const file = await this.#opening?.catch((error) => this.#fail(error));
    let facts: EncryptedFacts = this.#before;
    try {
      if (this.#failure !== undefined) throw this.#failure.error;
      if (file !== undefined) facts = await this.#end(file, durable);
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
    this.#target.remember({ facts, lane: this.#lane, nameSynced: this.#nameSynced });
    return facts.bytes;
  }

  /** Writes the tail behind the chunks. One that may count for somebody is replaced only by what is on disk. */
  async #end({ sync }: OpenFile, durable: boolean): Promise<EncryptedFacts> {
    const { files, cipher, syncNames } = this.#target;
    const synced = durable || this.#before.tailBytes > 0;
    if (synced) await sync.finish();
    else await sync.idle();
    if (this.#gatheredBytes > 0 && (this.#hasGrown || durable)) {
      const plain = this.#gathered.subarray(0, this.#gatheredBytes);
      await writeTail(files, cipher, { index: this.#nextIndex, plain, synced });
      this.#nameSynced = false;
    }
    if (durable && !this.#nameSynced) {
      await syncNames();
      this.#nameSynced = true;
    }
    return (await encryptedFacts(files)) ?? NOTHING_ENCRYPTED;
  }

  /** Hands the whole chunks among what was gathered to the lane. */
  #handOver(large: boolean): void {
    const whole = Math.floor(this.#gatheredBytes / CHUNK_BYTES);
    const bytes = whole * CHUNK_BYTES;
    const next = Buffer.allocUnsafeSlow(BATCH_BYTES);
    this.#gathered.copy(next, 0, bytes, this.#gatheredBytes);
    const plain = this.#gathered.subarray(0, bytes);
    const firstIndex = this.#nextIndex;
    this.#gathered = next;
    this.#gatheredBytes -= bytes;
    this.#nextIndex += whole;
    this.#inFlightBytes += bytes;
    const ended = (): void => {
      this.#inFlightBytes -= bytes;
      this.#wake();
    };
    this.#open()
      .then(async ({ handle, sync }) => {
        if (this.#failure !== undefined) return;
        await this.#laneFor(handle, firstIndex, large).write(handle, firstIndex, plain);
        sync.wrote(bytes);
        this.#writtenBytes += bytes;
      })
      .then(ended, (error) => {
        this.#fail(error);
        ended();
      });
  }

  /** An upload whose first batch is a whole one goes to a worker; what began on the main thread stays with its hash. */
  #laneFor(handle: FileHandle, firstIndex: number, large: boolean): EncryptingLane {
    const { workers, chunkKey, cipher } = this.#target;
    if (large && this.#lane?.takesLargeBatches !== true) {
      this.#lane?.release();
      this.#lane = new EncryptingWorkerLane(workers.leastBusy(), chunkKey, handle, firstIndex);
    }
    this.#lane ??= new EncryptingMainLane(cipher, firstIndex);
    return this.#lane;
  }

  #open(): Promise<OpenFile> {
    this.#opening ??= openChunks(this.#target.files.chunks, this.#before);
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

/** Made when nothing is staged; the rest of a write that was cut short is taken off. */
async function openChunks(path: string, { wholeChunks, fileBytes }: EncryptedFacts): Promise<OpenFile> {
  const handle = await open(path, constants.O_RDWR | constants.O_CREAT);
  try {
    const counted = wholeChunks * RECORD_BYTES;
    if (fileBytes > counted) await handle.truncate(counted);
    return { handle, sync: new BackgroundSync(handle) };
  } catch (error) {
    await handle.close();
    throw error;
  }
}
