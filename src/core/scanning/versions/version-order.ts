/** How the versions of one kind of package are put in order. */
export interface VersionOrder {
  /** Whether a text is a version of this kind; two that are can be compared. */
  isVersion(text: string): boolean;
  /** Below 0 when `one` is older than `other`, 0 when they are equal in order, above 0 when it is newer. */
  compare(one: string, other: string): number;
}
