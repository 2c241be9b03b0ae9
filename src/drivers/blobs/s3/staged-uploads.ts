import { createHash, type Hash, randomUUID } from 'node:crypto';
import type { Bucket } from './bucket.ts';
import { dataKey, stagedKey } from './keys.ts';
import { bytesOf, decodeStart, decodeState, encodeState, type StagedState } from './staged-state.ts';

/** A staged upload as this node knows it. */
export interface Staged {
  readonly state: StagedState;
  readonly tail: Buffer;
  /** SHA-256 over all staged bytes; undefined when this node did not see them all. */
  readonly hash: Hash | undefined;
}

interface Remembered extends Staged {
  /** Of the state's object: what is remembered counts only while the bucket still has that. */
  readonly etag: string;
}

interface Memory {
  /** The longest untouched first. Undefined where nothing was found. */
  readonly remembered: Map<string, Remembered | undefined>;
  /** Uploads whose writer has asked the bucket, and has not written since. */
  readonly looked: Set<string>;
  tailBytes: number;
}

/**
 * Reads and writes the states of uploads. States, tails and running hashes are remembered between the requests of an upload,
 * and believed when the bucket says that no other node has gone on since.
 */
export class StagedUploads {
  readonly #bucket: Bucket;
  readonly #memory: Memory;

  constructor(bucket: Bucket, memory: Memory = { remembered: new Map(), looked: new Set(), tailBytes: 0 }) {
    this.#bucket = bucket;
    this.#memory = memory;
  }

  /** The same, written to another view of the bucket. */
  inside(bucket: Bucket): StagedUploads {
    return new StagedUploads(bucket, this.#memory);
  }

  /** What is staged now, whichever node did it. */
  async load(uploadId: string): Promise<Staged | undefined> {
    const { remembered, looked } = this.#memory;
    const known = remembered.get(uploadId);
    const found = await this.#find(uploadId, known);
    // What this node wrote meanwhile is newer.
    if (remembered.get(uploadId) !== known) return found;
    if (found !== known || known === undefined) this.#remember(uploadId, found);
    looked.add(uploadId);
    return found;
  }

  /**
   * As `load`, for the upload's one writer: when it has asked before, nobody else has written since.
   *
   * @param bytes what the writer takes to be staged; when it is not that, the bucket is asked
   */
  async latest(uploadId: string, bytes?: number): Promise<Staged | undefined> {
    const { remembered, looked } = this.#memory;
    if (!looked.has(uploadId)) return this.load(uploadId);
    const known = remembered.get(uploadId);
    const knownBytes = known === undefined ? 0 : bytesOf(known.state);
    return bytes === undefined || bytes === knownBytes ? known : this.load(uploadId);
  }

  /** The state alone; the tail stays where it is. */
  async peek(uploadId: string): Promise<StagedState | undefined> {
    const start = await this.#bucket.read(stagedKey(uploadId), { first: 0, last: STATE_BYTES - 1 });
    const end = start?.body.indexOf('\n') ?? 0;
    if (start === undefined || end !== -1) return start && decodeStart(start.body);
    return (await this.load(uploadId))?.state;
  }

  /**
   * Replaces what is staged, durably.
   *
   * @param before what was staged; an object of which the new state has taken what it needs is deleted
   */
  async store(
    uploadId: string,
    staged: { base?: StagedState['base']; tail: Buffer; hash: Hash | undefined },
    before: Staged | undefined,
  ): Promise<void> {
    const { base, tail, hash } = staged;
    const state = { revision: randomUUID(), ...(base && { base }), tailBytes: tail.byteLength };
    const etag = await this.#bucket.put(stagedKey(uploadId), encodeState(state, tail));
    this.#remember(uploadId, { state, tail, hash, etag });
    await this.deleteFormer(uploadId, before, base?.name);
  }

  /** Deletes the object that held staged bytes when they are now in one of another name. */
  async deleteFormer(uploadId: string, before: Staged | undefined, name: string | undefined): Promise<void> {
    const former = before?.state.base?.name;
    if (former !== undefined && former !== name) await this.#bucket.delete([dataKey(uploadId, former)]);
  }

  /** Keeps a hash that was found by reading. */
  learn(uploadId: string, hash: Hash): void {
    const known = this.#memory.remembered.get(uploadId);
    if (known !== undefined) this.#remember(uploadId, { ...known, hash });
  }

  forget(uploadId: string): void {
    this.#memory.tailBytes -= this.#memory.remembered.get(uploadId)?.tail.byteLength ?? 0;
    this.#memory.remembered.delete(uploadId);
    this.#memory.looked.delete(uploadId);
  }

  async delete(uploadId: string): Promise<void> {
    this.forget(uploadId);
    await this.#bucket.delete([stagedKey(uploadId)]);
  }

  async #find(uploadId: string, known: Remembered | undefined): Promise<Remembered | undefined> {
    const key = stagedKey(uploadId);
    if (known !== undefined) {
      const head = await this.#bucket.head(key);
      if (head === undefined || head.etag === known.etag) return head && known;
    }
    const found = await this.#bucket.read(key);
    if (found === undefined) return undefined;
    const { state, tail } = decodeState(found.body);
    const hash = state.base === undefined ? createHash('sha256').update(tail) : undefined;
    return { state, tail, hash, etag: found.etag };
  }

  #remember(uploadId: string, staged: Remembered | undefined): void {
    this.forget(uploadId);
    this.#memory.remembered.set(uploadId, staged);
    this.#memory.tailBytes += staged?.tail.byteLength ?? 0;
    for (const oldest of this.#memory.remembered.keys()) {
      if (this.#memory.remembered.size <= REMEMBERED_MAX && this.#memory.tailBytes <= TAIL_BYTES_MAX) break;
      this.forget(oldest);
    }
  }
}

/** What is forgotten is read again. */
const REMEMBERED_MAX = 1000;
/** Enough for the states of all but very large uploads. */
const STATE_BYTES = 64 * 1024;
const TAIL_BYTES_MAX = 64 * 1024 * 1024;
