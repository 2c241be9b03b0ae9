import { createHash, type Hash } from 'node:crypto';
import type { BlobAppender } from '../../../core/blob-store.ts';
import { reopenBase, startBase } from './assemble.ts';
import type { Bucket, UploadedPart } from './bucket.ts';
import { dataKey } from './keys.ts';
import { PartBuffer } from './part-buffer.ts';
import { copyRanges, partBytesMin, partBytesOf } from './part-sizes.ts';
import type { OpenBase } from './staged-state.ts';
import type { Staged, StagedUploads } from './staged-uploads.ts';

/** What an appender needs of the store it belongs to. */
export interface AppendTarget {
  readonly uploadId: string;
  readonly bucket: Bucket;
  readonly uploads: StagedUploads;
}

/** Parts on their way to the store, per upload, while the next is gathered. */
const PARTS_IN_FLIGHT_MAX = 2;
/** After so many bytes a long append is taken into the state, so that little of it is lost with its node. */
const STATE_BYTES = 64 * 1024 * 1024;

/**
 * Sends parts as bytes come. Enough is held back that what is left at the end is large enough for a part others may follow;
 * only an append of less than that leaves a tail. An upload holds 14 MiB, and two parts on their way, each in as much;
 * one of more than 8 GB up to 66 MiB in all.
 */
export class StagedAppender implements BlobAppender {
  readonly #target: AppendTarget;
  readonly #before: Staged | undefined;
  readonly #hash: Hash | undefined;
  readonly #buffer = new PartBuffer();
  /** In their order; those on their way are undefined. */
  readonly #parts: (UploadedPart | undefined)[];
  #base: Promise<OpenBase> | undefined;
  readonly #startBytes: number;
  #bytes: number;
  #inFlight = 0;
  #stateBytes: number;
  #storing: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  /** Exists while somebody waits for room, or for the end. */
  #changed: PromiseWithResolvers<void> | undefined;
  #closing: Promise<number> | undefined;

  constructor(target: AppendTarget, before: Staged | undefined, bytes: number) {
    this.#target = target;
    this.#before = before;
    this.#startBytes = bytes;
    this.#bytes = bytes;
    this.#stateBytes = bytes;
    this.#hash = before === undefined ? createHash('sha256') : before.hash?.copy();
    const base = before?.state.base;
    this.#parts = base?.kind === 'object' ? copyRanges(base.bytes).map(() => undefined) : [...(base?.parts ?? [])];
    if (before !== undefined) this.#buffer.add(before.tail);
  }

  write(chunk: Uint8Array): boolean {
    if (this.#closing !== undefined) throw new Error('The append has ended');
    if (this.#failure !== undefined) return false;
    this.#hash?.update(chunk);
    this.#buffer.add(chunk);
    this.#bytes += chunk.byteLength;
    this.#sendFull();
    return !this.#isFull;
  }

  async drained(): Promise<void> {
    while (this.#failure === undefined && this.#isFull) await this.#change();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** There is nothing between memory and the bucket: every end is durable. */
  close(): Promise<number> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** The state stays as it is; parts that were sent are remains. */
  async abandon(): Promise<void> {
    this.#failure ??= { error: new Error('The append was abandoned') };
    await this.close().catch(() => {});
  }

  async #close(): Promise<number> {
    if (this.#bytes === this.#startBytes) return this.#bytes;
    while (this.#failure === undefined && this.#isFull) await this.#change();
    const { bytes } = this.#buffer;
    if (this.#failure === undefined && bytes >= partBytesMin(this.#parts.length + 1)) {
      this.#send(this.#buffer.take(bytes));
    }
    while (this.#inFlight > 0) await this.#change();
    await this.#storing;
    if (this.#failure !== undefined) throw this.#failure.error;
    // In memory of its own, for it may be remembered for long.
    const tail = Buffer.from(this.#buffer.take(this.#buffer.bytes));
    const base = this.#base === undefined ? this.#before?.state.base : await this.#baseWith(this.#parts.length);
    await this.#store({ ...(base && { base }), tail, hash: this.#hash });
    return this.#bytes;
  }

  /** Whether there is a part, and behind it what has to be held back. */
  get #isFull(): boolean {
    const partNumber = this.#parts.length + 1;
    return this.#buffer.bytes >= partBytesOf(partNumber) + partBytesMin(partNumber + 1);
  }

  #sendFull(): void {
    while (this.#isFull && this.#inFlight < PARTS_IN_FLIGHT_MAX) {
      this.#send(this.#buffer.take(partBytesOf(this.#parts.length + 1)));
    }
  }

  #send(body: Buffer): void {
    const index = this.#parts.push(undefined) - 1;
    this.#inFlight++;
    this.#upload(index, body)
      .catch((error) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#inFlight--;
        if (this.#failure === undefined) this.#sendFull();
        this.#wake();
      });
  }

  async #upload(index: number, body: Buffer): Promise<void> {
    const { bucket, uploadId } = this.#target;
    this.#base ??= this.#openBase();
    const { name, multipartId } = await this.#base;
    this.#parts[index] = await bucket.uploadPart(dataKey(uploadId, name), multipartId, index + 1, body);
    this.#buffer.recycle(body);
    this.#storeProgress();
  }

  async #openBase(): Promise<OpenBase> {
    const { bucket, uploadId } = this.#target;
    const base = this.#before?.state.base;
    if (base === undefined) return startBase(bucket, uploadId);
    if (base.kind === 'open') return base;
    const reopened = await reopenBase(bucket, uploadId, base);
    for (const [index, part] of reopened.parts.entries()) this.#parts[index] = part;
    return reopened;
  }

  async #baseWith(parts: number): Promise<OpenBase> {
    const base = await this.#base!;
    return { ...base, parts: this.#parts.slice(0, parts).map((part) => part!) };
  }

  /** One at a time: the last to be stored is the one that counts. */
  #storeProgress(): void {
    if (this.#failure !== undefined) return;
    const gap = this.#parts.indexOf(undefined);
    const done = gap === -1 ? this.#parts.length : gap;
    const bytes = this.#parts.slice(0, done).reduce((sum, part) => sum + part!.bytes, 0);
    if (this.#storing !== undefined || bytes < this.#stateBytes + STATE_BYTES) return;
    this.#stateBytes = bytes;
    this.#storing = this.#baseWith(done)
      .then((base) => this.#store({ base, tail: EMPTY, hash: undefined }))
      .catch((error) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#storing = undefined;
      });
  }

  #store(staged: Parameters<StagedUploads['store']>[1]): Promise<void> {
    return this.#target.uploads.store(this.#target.uploadId, staged, this.#before);
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

const EMPTY = Buffer.alloc(0);
