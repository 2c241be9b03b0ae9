import { INVENTORY_FORMAT, type InventoryFile, type LayerInventory, markOf } from '../../../core/scanning/inventory.ts';
import { type LayerBytes, ScanError } from '../../../core/scanning/scanner.ts';
import { decompress } from './layers/decompress.ts';
import type { LayerLimits } from './layers/layer-limits.ts';
import { readTar, type TarEntry } from './layers/read-tar.ts';
import { type FileFacts, readerFor } from './packages/files-of-interest.ts';
import { readGoBuildInfo } from './packages/go-build-info.ts';

/**
 * Reads a layer once and keeps what it says of packages.
 *
 * @throws ScanError when it cannot be read for what it is
 */
export async function inventoryLayer(
  { mediaType, chunks }: LayerBytes,
  {
    limits,
    temporaryFolder,
    signal,
  }: { limits: LayerLimits; temporaryFolder: string; signal?: AbortSignal | undefined },
): Promise<LayerInventory> {
  if (!LAYER_MEDIA_TYPE.test(mediaType)) {
    throw new ScanError('unsupported-media-type', `'${mediaType}' is not the media type of an image's layer`);
  }
  const found: Found = { removed: [], opaque: [], replaced: [], files: new Map(), packages: 0 };
  for await (const entry of readTar(decompress(chunks, limits), limits)) {
    signal?.throwIfAborted();
    await note(found, entry, temporaryFolder);
    const records = Math.max(
      found.removed.length,
      found.opaque.length,
      found.replaced.length,
      found.files.size,
      found.packages,
    );
    if (records > limits.recordsMax) {
      throw new ScanError('too-many-entries', `The layer says more than ${limits.recordsMax} things of packages`);
    }
  }
  return {
    format: INVENTORY_FORMAT,
    removed: found.removed,
    opaque: found.opaque,
    replaced: found.replaced.join(''),
    files: [...found.files.values()],
  };
}

/** Docker's and OCI's, compressed or not; whether they are is seen from the bytes. */
const LAYER_MEDIA_TYPE =
  /^application\/vnd\.(?:docker\.image\.rootfs(?:\.foreign)?\.diff\.tar|oci\.image\.layer\.(?:nondistributable\.)?v1\.tar)(?:[.+](?:gzip|zstd))?$/;

interface Found {
  readonly removed: string[];
  readonly opaque: string[];
  readonly replaced: string[];
  /** By path: of two entries for one path the later counts. */
  readonly files: Map<string, InventoryFile>;
  packages: number;
}

async function note(found: Found, entry: TarEntry, temporaryFolder: string): Promise<void> {
  const { path, kind, isExecutable } = entry;
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (name.startsWith(WHITEOUT)) return noteWhiteout(found, path, name);
  if (kind === 'folder') return;
  const facts = kind === 'file' ? await factsOf(entry, temporaryFolder) : undefined;
  if (facts !== undefined) {
    found.files.set(path, { path, ...facts });
    found.packages += facts.packages.length;
    return;
  }
  found.files.delete(path);
  if (kind !== 'file' || isExecutable) found.replaced.push(markOf(path));
}

/** OCI image specification, "Whiteouts": `.wh.NAME` takes NAME away, an opaque one what the folder had. */
const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

function noteWhiteout({ removed, opaque }: Found, path: string, name: string): void {
  const folder = path.slice(0, Math.max(0, path.length - name.length - 1));
  if (name === OPAQUE) opaque.push(folder);
  // Others with the prefix twice are aufs's own affairs.
  if (name.startsWith(WHITEOUT + WHITEOUT)) return;
  const target = name.slice(WHITEOUT.length);
  if (target === '' || target === '.' || target === '..') {
    throw new ScanError(
      'hostile-path',
      `The whiteout ${JSON.stringify(path.slice(0, 200))} takes nothing away that has a name`,
    );
  }
  removed.push(folder === '' ? target : `${folder}/${target}`);
}

/** @returns undefined for a file that says nothing of packages */
async function factsOf(
  { path, isExecutable, content }: TarEntry,
  temporaryFolder: string,
): Promise<FileFacts | undefined> {
  const read = readerFor(path);
  if (read !== undefined) return read(content, temporaryFolder);
  if (!isExecutable || content.bytes < PROGRAM_BYTES_MIN) return undefined;
  const packages = await readGoBuildInfo(content);
  if (packages === 'unreadable') return { packages: [], unread: 'it is a program of Go before 1.18' };
  return packages && { packages };
}

/** Go's smallest program has more than a megabyte; those made small by hand still some hundred thousand bytes. */
const PROGRAM_BYTES_MIN = 64 * 1024;
