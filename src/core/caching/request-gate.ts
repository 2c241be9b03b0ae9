/** How many requests go to one host at a time. Those beyond wait in line, and those beyond that are refused. */
export interface RequestGate {
  /** @throws what `onFull` makes, when the line is full, and the signal's reason when it aborts in line */
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

export interface GateLimits {
  readonly atOnceMax: number;
  readonly waitingMax: number;
}

export function createRequestGate({ atOnceMax, waitingMax }: GateLimits, onFull: () => Error): RequestGate {
  const waiting: (() => void)[] = [];
  let underWay = 0;
  const leave = () => {
    const next = waiting.shift();
    // Whoever comes next takes the place over.
    if (next) next();
    else underWay -= 1;
  };
  const turn = async (signal: AbortSignal | undefined) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    waiting.push(resolve);
    const giveUp = () => {
      const at = waiting.indexOf(resolve);
      // Whose turn has come leaves by itself.
      if (at < 0) return;
      waiting.splice(at, 1);
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', giveUp);
    try {
      await promise;
    } finally {
      signal?.removeEventListener('abort', giveUp);
    }
  };
  return {
    async run(work, signal) {
      signal?.throwIfAborted();
      if (underWay < atOnceMax) underWay += 1;
      else if (waiting.length >= waitingMax) throw onFull();
      else await turn(signal);
      try {
        return await work();
      } finally {
        leave();
      }
    },
  };
}

/** Which blobs are fetched from one host: those that clients wait for before those that nobody waits for. */
export interface BlobGate {
  /** A place for a blob that a client waits for. The holder disposes of it. */
  forClient(): Promise<Disposable>;
  /** A place for one that nobody waits for; where clients wait, it comes late. */
  forNobody(signal: AbortSignal): Promise<Disposable>;
}

const CLIENTS_AT_ONCE = 32;
const CLIENTS_WAITING = 1000;
const NOBODIES_AT_ONCE = 3;
/** Even where clients always wait, what nobody waits for is fetched after so long. */
const PATIENCE_MS = 10_000;
const LOOK_MS = 50;

export function createBlobGate(onFull: () => Error): BlobGate {
  const gate = createRequestGate({ atOnceMax: CLIENTS_AT_ONCE, waitingMax: CLIENTS_WAITING }, onFull);
  let clients = 0;
  let nobodies = 0;
  return {
    async forClient() {
      clients += 1;
      const { promise: entered, resolve: enter, reject } = Promise.withResolvers<void>();
      const { promise: left, resolve: leave } = Promise.withResolvers<void>();
      gate
        .run(() => {
          enter();
          return left;
        })
        .catch(reject);
      const end = () => {
        clients -= 1;
        leave();
      };
      await entered.catch((error) => {
        end();
        throw error;
      });
      return { [Symbol.dispose]: end };
    },

    async forNobody(signal) {
      const patientUntil = performance.now() + PATIENCE_MS;
      while (nobodies >= NOBODIES_AT_ONCE || (clients > 0 && performance.now() < patientUntil)) {
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
        signal.throwIfAborted();
      }
      nobodies += 1;
      return {
        [Symbol.dispose]() {
          nobodies -= 1;
        },
      };
    },
  };
}
