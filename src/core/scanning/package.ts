/** The kinds of packages that are known, each with the file that says what is installed. */
export const packageTypes = ['dpkg', 'apk', 'rpm', 'npm', 'python', 'go', 'java'] as const;
export type PackageType = (typeof packageTypes)[number];

/** A package as its own tool names it. */
export interface InstalledPackage {
  readonly type: PackageType;
  /** Java: `group:artifact`. Go: the module's path, or `stdlib`. */
  readonly name: string;
  /** Whole, as its tool orders it: with epoch and revision or release. */
  readonly version: string;
  readonly architecture?: string;
  /** What it was built from, where that is named differently or has another version; distributions' records name this. */
  readonly source?: { readonly name: string; readonly version: string };
}

/** Those that come with the operating system, and are judged by the records of its distribution. */
export function isOfDistribution({ type }: InstalledPackage): boolean {
  return type === 'dpkg' || type === 'apk' || type === 'rpm';
}
