import { type HttpAnswer, type HttpRequest, http } from '../support/http.ts';

/** The connection ended before the answer: nobody knows what the server did. */
export class AnswerLost extends Error {}

export interface Answered extends HttpAnswer {
  /** Milliseconds since the epoch. */
  readonly sentAt: number;
}

/**
 * What clients know of a server that dies again and again. Between two lives they wait at a gate, so that what was
 * answered can be compared with what is there while nothing moves.
 */
export interface World {
  /** http://HOST:PORT of the present life. */
  readonly url: string;
  readonly over: boolean;
  /** Asks the present life, whoever may be waiting; throws AnswerLost. */
  ask(path: string, request?: HttpRequest): Promise<Answered>;
  /** Waits for a life in which clients may work. Rejects with StormOver when there is none to come. */
  alive(): Promise<void>;
  /** Runs a step again in the next life whenever its answer was lost. */
  persist<T>(step: (isRetry: boolean) => Promise<T>): Promise<T>;
  fail(what: string): void;
  count(what: string, by?: number): void;
}

export class StormOver extends Error {}

export interface WorldControl extends World {
  readonly failures: readonly string[];
  readonly counts: ReadonlyMap<string, number>;
  /** Opens the gate. */
  begin(): void;
  /** Closes it: from now on an answer may get lost. */
  close(): void;
  /** Resolves when all clients wait before the closed gate. Their requests must be dying. */
  gather(clients: number): Promise<void>;
  moveTo(url: string): void;
  end(): void;
}

export interface WorldOptions {
  /** How the present life is asked. Rejects when it gave no answer that says what it did. */
  readonly send?: (url: string, request?: HttpRequest) => Promise<HttpAnswer>;
  /** What becomes of an answer that was lost while the gate is open, so many milliseconds after the step's first one. */
  readonly onLost?: (error: AnswerLost, sinceMs: number) => Promise<void>;
}

export function createWorld({ send = http, onLost }: WorldOptions = {}): WorldControl {
  const failures: string[] = [];
  const counts = new Map<string, number>();
  let url = '';
  let over = false;
  let gate = Promise.withResolvers<void>();
  let isOpen = false;
  let waiting = 0;
  let arrived: (() => void) | undefined;

  const world: WorldControl = {
    failures,
    counts,
    get url() {
      return url;
    },
    get over() {
      return over;
    },
    async ask(path, request) {
      const sentAt = Date.now();
      try {
        return { ...(await send(`${url}${path}`, request)), sentAt };
      } catch (error) {
        throw new AnswerLost(`${request?.method ?? 'GET'} ${path}: ${(error as Error).message}`);
      }
    },
    async alive() {
      if (!isOpen) {
        waiting++;
        arrived?.();
        await gate.promise;
        waiting--;
      }
      if (over) throw new StormOver();
    },
    async persist(step) {
      let lostAt: number | undefined;
      for (let isRetry = false; ; isRetry = true) {
        await world.alive();
        try {
          return await step(isRetry);
        } catch (error) {
          if (!(error instanceof AnswerLost)) throw error;
          lostAt ??= Date.now();
          if (isOpen && onLost) {
            await onLost(error, Date.now() - lostAt);
            continue;
          }
          // A connection lost while the server lives is the server's fault.
          if (isOpen) await new Promise((resolve) => setTimeout(resolve, 50));
          if (isOpen) world.fail(`the living server gave no answer: ${error.message}`);
        }
      }
    },
    fail(what) {
      failures.push(what);
      console.error(`FAILED: ${what}`);
    },
    count: (what, by = 1) => void counts.set(what, (counts.get(what) ?? 0) + by),
    begin() {
      isOpen = true;
      gate.resolve();
    },
    close() {
      if (isOpen) gate = Promise.withResolvers<void>();
      isOpen = false;
    },
    async gather(clients) {
      while (waiting < clients) {
        const { promise, resolve } = Promise.withResolvers<void>();
        arrived = resolve;
        await promise;
      }
      arrived = undefined;
    },
    moveTo(next) {
      url = next;
    },
    end() {
      over = true;
      gate.resolve();
    },
  };
  return world;
}
