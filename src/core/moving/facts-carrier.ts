/** Carries all facts from one store to another; the stores are of the same form. */
export interface FactsCarrier {
  /** What there is to carry, in the order in which it is carried. */
  count(): Promise<TableCount[]>;

  /** A table of the target that holds what a new store does not; undefined when it is new. */
  firstFilled(): Promise<string | undefined>;

  /** Which row the target cannot keep as it is, and why, in a sentence; undefined when it can keep all. */
  firstUnkeepable(): Promise<string | undefined>;

  /**
   * Replaces what the target holds by all that the source holds, as one whole, while nobody can write to the source. Ids stay,
   * and none that the source ever handed out comes again.
   *
   * @returns what was carried
   * @throws Error when the target holds other than that in the end, cannot keep a row, or a blob has no copy; nothing has changed
   * then
   */
  carry(plan: CarryPlan): Promise<TableCount[]>;
}

export interface CarryPlan {
  /** Uploads whose bytes stay behind: they are forgotten. */
  readonly withoutUploads: readonly string[];
  /** Whether blobs point at their copies in the target, and whether those of archived images lie in an archive there. */
  readonly bytes: 'stay' | 'moved' | 'moved-with-archive';
  readonly onProgress?: ((rows: number) => void) | undefined;
}

export interface TableCount {
  readonly table: string;
  readonly rows: number;
}
