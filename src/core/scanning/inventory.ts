import { createHash } from 'node:crypto';
import type { Digest } from '../values/digest.ts';
import type { OsRelease } from './os-release.ts';
import type { InstalledPackage } from './package.ts';

/**
 * What one layer says of packages. It is kept for the layer's digest and is plain JSON; what an image holds follows from
 * those of its layers in order.
 */
export interface LayerInventory {
  /** The shape of this record; one of another shape is read anew from the layer. */
  readonly format: typeof INVENTORY_FORMAT;
  /** Paths that earlier layers have and this one takes away, with all below. */
  readonly removed: readonly string[];
  /** Folders of which nothing that earlier layers have stays; the empty path is the root. */
  readonly opaque: readonly string[];
  /** Marks of the links and executables without packages, in base64: each replaces what an earlier layer has at its path. */
  readonly replaced: string;
  readonly files: readonly InventoryFile[];
}

export const INVENTORY_FORMAT = 1;

/** A file that could say something of packages, whether it does or not: it replaces that of an earlier layer. */
export interface InventoryFile {
  /** From the root, without a slash in front. */
  readonly path: string;
  readonly packages: readonly InstalledPackage[];
  readonly osRelease?: OsRelease;
  /** Why packages that it may hold are not known. */
  readonly unread?: string;
}

export interface ImageInventory {
  readonly osRelease?: OsRelease;
  readonly packages: readonly FoundPackage[];
  /** Files that may hold packages which are not known, with the reason. */
  readonly unread: readonly { readonly path: string; readonly reason: string }[];
}

export interface FoundPackage extends InstalledPackage {
  readonly path: string;
  /** The layer that brought it, in this version: databases of packages are written anew with each one. */
  readonly layerDigest?: Digest;
}

/**
 * What an image holds whose layers are these, the lowest first (OCI image specification, "Whiteouts": they act on earlier
 * layers alone). A non-executable file that replaces an executable is not seen to do so.
 *
 * @param layerDigests of the layers, where it is to be told which of them brought a package
 */
export function mergeInventories(
  layers: readonly LayerInventory[],
  layerDigests: readonly Digest[] = [],
): ImageInventory {
  let files = new Map<string, PlacedFile>();
  for (const [at, layer] of layers.entries()) {
    const isHidden = hiding(layer);
    const before = files;
    const kept = [...before].filter(([path]) => !isHidden(path));
    const placed = layer.files.map(
      (file) => [file.path, place(file, layerDigests[at], before.get(file.path))] as const,
    );
    files = new Map([...kept, ...placed]);
  }
  const all = [...files.values()];
  const osRelease = OS_RELEASE_PATHS.map((path) => files.get(path)?.osRelease).find((found) => found !== undefined);
  return {
    ...(osRelease && { osRelease }),
    packages: all.flatMap(({ packages }) => packages),
    unread: all.flatMap(({ path, unread }) => (unread === undefined ? [] : [{ path, reason: unread }])),
  };
}

type PlacedFile = Omit<InventoryFile, 'packages'> & { readonly packages: readonly FoundPackage[] };

/** @param former what the file replaces */
function place(file: InventoryFile, layerDigest: Digest | undefined, former: PlacedFile | undefined): PlacedFile {
  const { path } = file;
  if (layerDigest === undefined) return { ...file, packages: file.packages.map((one) => ({ ...one, path })) };
  const brought = new Map(former?.packages.map((one) => [identityOf(one), one.layerDigest ?? layerDigest]));
  const packages = file.packages.map((one) => {
    const from = brought.size === 0 ? layerDigest : (brought.get(identityOf(one)) ?? layerDigest);
    return { ...one, path, layerDigest: from };
  });
  return { ...file, packages };
}

function identityOf({ name, version, architecture = '' }: InstalledPackage): string {
  return `${name}\0${version}\0${architecture}`;
}

/** The first that there is counts (os-release(5)). */
export const OS_RELEASE_PATHS: readonly string[] = ['etc/os-release', 'usr/lib/os-release'];

/** Whether a path of an earlier layer is no longer there. */
function hiding(layer: LayerInventory): (path: string) => boolean {
  const removed = new Set([...layer.removed, ...layer.files.map(({ path }) => path)]);
  const opaque = new Set(layer.opaque);
  const replaced = readMarks(layer.replaced);
  return (path) => {
    if (opaque.has('') || removed.has(path) || replaced.has(markOf(path))) return true;
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
      const folder = path.slice(0, at);
      if (opaque.has(folder) || removed.has(folder) || replaced.has(markOf(folder))) return true;
    }
    return false;
  };
}

/** A layer may have a hundred thousand links: a mark of nine bytes says of each as much as is needed. */
const MARK_CHARACTERS = 12;

/** A path's mark, in base64; as each is a multiple of three bytes, many can stand in one text. */
export function markOf(path: string): string {
  return createHash('sha256').update(path).digest('base64').slice(0, MARK_CHARACTERS);
}

function readMarks(text: string): ReadonlySet<string> {
  const marks = new Set<string>();
  for (let at = 0; at + MARK_CHARACTERS <= text.length; at += MARK_CHARACTERS) {
    marks.add(text.slice(at, at + MARK_CHARACTERS));
  }
  return marks;
}
