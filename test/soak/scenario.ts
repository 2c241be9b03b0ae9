import type { Random } from '../crash/random.ts';

export type Scenario = (options: SoakOptions) => Promise<SoakResult>;

export interface SoakOptions {
  readonly seconds: number;
  readonly random: Random;
  say(text: string): void;
}

export interface SoakResult {
  /** How often each thing was done and found right. */
  readonly counts: ReadonlyMap<string, number>;
  readonly failures: readonly string[];
}

/** Counts what went well and keeps what did not. */
export class Tally implements SoakResult {
  readonly counts = new Map<string, number>();
  readonly failures: string[] = [];

  count(what: string, by = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + by);
  }

  fail(what: string): void {
    this.failures.push(what);
  }

  check(isRight: boolean, what: string): void {
    if (isRight) this.count('checks');
    else this.fail(what);
  }
}
