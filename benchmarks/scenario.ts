import type { Outcome } from './load/generate.ts';
import type { Sample } from './measure.ts';
import type { Subject, SubjectName } from './subjects.ts';

export interface Scale {
  /** Sizes and times are divided by this, for a run that only shows that everything works. */
  readonly divisor: number;
  readonly images: number;
}

export interface Target {
  /** A factor of the reference's median, a bound of what is added to it, or a bound of its own. */
  readonly kind: 'ratioMin' | 'moreMax' | 'min' | 'max';
  readonly value: number;
}

export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly unit: 'MB/s' | '/s' | 'ms' | 'MiB' | 'µs CPU';
  readonly target: Target;
  /** CPU per GB must not exceed the peer's. */
  readonly cpuAtMostPeer?: boolean;
  readonly peakMibMax?: number;
  readonly subjects: readonly SubjectName[];
  /** Who is measured and whom it is held against, if not Gantry and its peer. */
  readonly versus?: readonly [SubjectName, SubjectName];
  /** Runs once per server before its rounds; what it returns is handed to them. */
  prepare?(subject: Subject, scale: Scale): Promise<Outcome>;
  /** One measured round on a running server; scenarios about starting bring `start` instead. */
  round?(subject: Subject, scale: Scale, prepared: Outcome | undefined): Promise<Sample>;
  /** One measured start over a data folder. */
  start?(name: SubjectName, folder: string): Promise<Sample>;
  /** Images that the data folder holds before a start. */
  readonly seeded?: boolean;
}
