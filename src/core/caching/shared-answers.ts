/** Answers that several wait for at the same time: one asks. */
export interface SharedAnswers {
  get<T>(key: string, ask: () => Promise<T>): Promise<T>;
}

export function createSharedAnswers(): SharedAnswers {
  const asking = new Map<string, Promise<unknown>>();
  return {
    get<T>(key: string, ask: () => Promise<T>) {
      const present = asking.get(key) ?? ask().finally(() => asking.delete(key));
      asking.set(key, present);
      return present as Promise<T>;
    },
  };
}
