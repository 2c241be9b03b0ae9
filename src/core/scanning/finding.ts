import type { FoundPackage } from './inventory.ts';
import type { Severity } from './severity/severity.ts';

/** A weakness of a package in an image. */
export interface Finding {
  /** The CVE where there is one, else the id of the record. */
  readonly name: string;
  /** The record that says so. */
  readonly recordId: string;
  readonly aliases: readonly string[];
  readonly summary: string;
  readonly uri: string;
  readonly severity: Severity;
  readonly cvss?: CvssRating;
  readonly package: FoundPackage;
  /** The first version without it that is newer than the installed one; absent when none is known. */
  readonly fixedVersion?: string;
  readonly publishedAt?: Date;
  readonly modifiedAt: Date;
}

export interface CvssRating {
  /** `2.0`, `3.0`, `3.1` or `4.0`. */
  readonly version: string;
  readonly vector: string;
  readonly score: number;
}
