/** Bytes that requests may hold in memory at one time. Those that find no room wait in the order they came. */
export interface ByteBudget {
  /**
   * Resolves when there is room; disposing gives the room back, once however often it is done.
   *
   * @param bytes more than the whole budget counts as the whole budget
   */
  acquire(bytes: number): Promise<Disposable>;
}

export function createByteBudget(bytesMax: number): ByteBudget {
  let bytesFree = bytesMax;
  const queue: { readonly bytes: number; readonly admit: (share: Disposable) => void }[] = [];

  const share = (bytes: number): Disposable => {
    let held = bytes;
    bytesFree -= bytes;
    return {
      [Symbol.dispose]() {
        bytesFree += held;
        held = 0;
        admitWaiting();
      },
    };
  };
  const admitWaiting = () => {
    while (queue[0] !== undefined && queue[0].bytes <= bytesFree) {
      const { bytes, admit } = queue.shift()!;
      admit(share(bytes));
    }
  };
  return {
    acquire(bytes) {
      const demand = Math.min(bytes, bytesMax);
      if (queue.length === 0 && demand <= bytesFree) return Promise.resolve(share(demand));
      const { promise, resolve } = Promise.withResolvers<Disposable>();
      queue.push({ bytes: demand, admit: resolve });
      return promise;
    },
  };
}

/** A budget of which one client can hold a part only, however many requests it sends. */
export interface FairByteBudget {
  /** @param client who asks, for example by address */
  acquire(bytes: number, client: string): Promise<Disposable>;
}

/** Whoever has the most of its own part waits for itself alone, before standing in line with the others. */
export function createFairByteBudget(bytesMax: number, bytesPerClientMax: number): FairByteBudget {
  const whole = createByteBudget(bytesMax);
  const clients = new Map<string, { readonly budget: ByteBudget; requests: number }>();
  return {
    async acquire(bytes, client) {
      const known = clients.get(client) ?? { budget: createByteBudget(bytesPerClientMax), requests: 0 };
      clients.set(client, known);
      known.requests += 1;
      const ofClient = await known.budget.acquire(bytes);
      const ofWhole = await whole.acquire(Math.min(bytes, bytesPerClientMax));
      let isHeld = true;
      return {
        [Symbol.dispose]() {
          if (!isHeld) return;
          isHeld = false;
          ofWhole[Symbol.dispose]();
          ofClient[Symbol.dispose]();
          known.requests -= 1;
          if (known.requests === 0) clients.delete(client);
        },
      };
    },
  };
}
