/** What passes time; tests hold it still. */
export interface Timers {
  /** Calls once after so many milliseconds, unless it is disposed before. */
  after(milliseconds: number, call: () => void): Disposable;
}

/** Timers of the process, which do not keep it alive. */
export const processTimers: Timers = {
  after(milliseconds, call) {
    const timer = setTimeout(call, milliseconds);
    timer.unref();
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};
