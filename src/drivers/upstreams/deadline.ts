import { Fault } from './fault.ts';

/** One timer that is set for one thing after the other; it calls back with a fault when the present one takes too long. */
export class Deadline {
  readonly #expire: (fault: Fault) => void;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(expire: (fault: Fault) => void) {
    this.#expire = expire;
  }

  /** @param what what did not happen, as in `no answer` */
  set(seconds: number, what: string): void {
    this.clear();
    if (this.#isOver) return;
    this.#timer = setTimeout(
      () => this.#expire(new Fault('unavailable', `${what} within ${seconds} s`)),
      seconds * 1000,
    );
  }

  /** Begins to count anew. */
  refresh(): void {
    this.#timer?.refresh();
  }

  /** Waits for nothing any more, whatever is set later. */
  end(): void {
    this.#isOver = true;
    this.clear();
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
