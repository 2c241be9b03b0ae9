/** Work that several may want at the same time, such as bringing one layer to one place. */
export interface SharedWork {
  /** Runs work when nobody is at work under the same key any more; whoever waited looks at what the others left. */
  oneByOne<T>(key: string, work: () => Promise<T>): Promise<T>;
}

export function createSharedWork(): SharedWork {
  const last = new Map<string, Promise<unknown>>();
  return {
    async oneByOne(key, work) {
      const before = last.get(key);
      const mine = (before ?? Promise.resolve()).then(work, work);
      last.set(key, mine);
      try {
        return await mine;
      } finally {
        if (last.get(key) === mine) last.delete(key);
      }
    },
  };
}
