import type { Digest } from '../values/digest.ts';

/**
 * What a gate makes of an image: `excepted` passes for an exception, `in-grace` until the time of grace is over. What is
 * `refused` passes too where nothing is enforced.
 */
export interface GateDecision {
  readonly outcome: 'passed' | 'excepted' | 'in-grace' | 'refused';
  /** Sentences without their ends; none when it passed. */
  readonly reasons: readonly string[];
  /** Of what is in grace: its end. */
  readonly until?: Date;
}

/** A decision as the audit trail keeps it. */
export interface GateNote {
  readonly repository: string;
  readonly imageDigest: Digest;
  readonly decision: GateDecision['outcome'];
  /** Nothing is refused. */
  readonly dryRun: boolean;
  /** What the gate asks, in words. */
  readonly gate: string;
  readonly reasons: readonly string[];
}
