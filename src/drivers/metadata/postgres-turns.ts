/**
 * Lets works that get in each other's way take turns instead. Works of the same name run side by side until one of them
 * was undone for the sake of another; from then on they wait for each other, until none is left.
 */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /** Whether works of the name take turns now. */
  areTaken(name: string): boolean {
    return this.#last.has(name);
  }

  /** Resolves when it is the caller's turn, which lasts until what this gives is called. */
  async take(name: string): Promise<() => void> {
    const before = this.#last.get(name);
    let end!: () => void;
    const turn = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#last.set(name, turn);
    await before;
    return () => {
      if (this.#last.get(name) === turn) this.#last.delete(name);
      end();
    };
  }
}
