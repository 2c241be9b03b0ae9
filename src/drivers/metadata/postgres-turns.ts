/** Lets works of the same name take turns; works of different names do not know each other. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();

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
