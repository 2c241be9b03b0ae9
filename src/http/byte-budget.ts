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
