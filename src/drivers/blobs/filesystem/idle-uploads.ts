import type { Lane } from './lane.ts';
import type { StagedFacts } from './staged-facts.ts';

/** What a memory of uploads must say of each. */
interface Remembered {
  readonly facts: Pick<StagedFacts, 'version'>;
  readonly lane: { release(): void } | undefined;
}

/** What is remembered of an upload between two appends. Losing it costs time, never correctness. */
export interface UploadMemory {
  /** The staged bytes that this holds for. */
  readonly facts: StagedFacts;
  /** Holds the running hash of exactly these bytes; undefined when it is not known. */
  readonly lane: Lane | undefined;
  readonly bytesSynced: boolean;
  readonly nameSynced: boolean;
}

/** The uploads between two appends, the longest idle one forgotten first when there are too many. */
export class IdleUploads<Memory extends Remembered = UploadMemory> {
  readonly #uploads = new Map<string, Memory>();
  readonly #countMax: number;

  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  get count(): number {
    return this.#uploads.size;
  }

  remember(uploadId: string, memory: Memory): void {
    this.forget(uploadId);
    this.#uploads.set(uploadId, memory);
    for (const longestIdle of this.#uploads.keys()) {
      if (this.#uploads.size <= this.#countMax) return;
      this.forget(longestIdle);
    }
  }

  /** What is known of an upload whose staged bytes are these now. */
  peek(uploadId: string, { version }: Pick<StagedFacts, 'version'>): Memory | undefined {
    const memory = this.#uploads.get(uploadId);
    return memory?.facts.version === version ? memory : undefined;
  }

  /** Like `peek`, and the memory is the caller's from here on. */
  take(uploadId: string, facts: Pick<StagedFacts, 'version'>): Memory | undefined {
    const memory = this.peek(uploadId, facts);
    if (memory === undefined) this.forget(uploadId);
    else this.#uploads.delete(uploadId);
    return memory;
  }

  forget(uploadId: string): void {
    this.#uploads.get(uploadId)?.lane?.release();
    this.#uploads.delete(uploadId);
  }
}
