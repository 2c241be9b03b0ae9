import type { ImportReader } from './import-follower.ts';
import type { RecentBytes } from './recent-bytes.ts';

/** After so long without a byte taken an import goes on without its readers. */
const PATIENCE_MS = 5_000;

/**
 * Lets an import wait for its readers where nothing but memory serves them. It waits for the fastest, and only while memory
 * still has what each of them is to read: once one has to wait for the whole blob, that should be soon.
 */
export class ImportPace {
  readonly #recent: RecentBytes;
  /** How far each has read. */
  readonly #readers = new Set<{ position: number }>();
  #isPatient = true;
  /** Exists while the import waits. */
  #moved: PromiseWithResolvers<void> | undefined;

  constructor(recent: RecentBytes) {
    this.#recent = recent;
  }

  get hasReaders(): boolean {
    return this.#readers.size > 0;
  }

  enter(position: number): ImportReader {
    const reader = { position };
    this.#readers.add(reader);
    this.#wake();
    return {
      moved: (to) => {
        reader.position = to;
        this.#wake();
      },
      leave: () => {
        this.#readers.delete(reader);
        this.#wake();
      },
    };
  }

  /** Resolves when no reader is to be waited for. @param leadBytesMax how far an import may be before its fastest reader */
  async wait(leadBytesMax: number): Promise<void> {
    while (this.#isPatient && this.#leadBytes > leadBytesMax) {
      this.#moved = Promise.withResolvers();
      const timer = setTimeout(() => {
        this.#isPatient = false;
        this.#moved?.resolve();
      }, PATIENCE_MS);
      await this.#moved.promise;
      clearTimeout(timer);
    }
  }

  get #leadBytes(): number {
    const positions = [...this.#readers].map(({ position }) => position);
    if (positions.length === 0 || Math.min(...positions) < this.#recent.start) return 0;
    return this.#recent.end - Math.max(...positions);
  }

  #wake(): void {
    this.#isPatient = true;
    this.#moved?.resolve();
  }
}
