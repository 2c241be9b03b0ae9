import { ScanError } from '../../../../core/scanning/scanner.ts';
import { ChunkSource } from './chunk-source.ts';
import { EntryContent } from './entry-content.ts';
import { entryPath } from './entry-path.ts';
import { type PaxRecords, parsePax } from './pax-records.ts';
import { BLOCK_BYTES, parseHeader, type TarHeader } from './tar-header.ts';

export interface TarEntry {
  /** From the root, without a slash in front; the root itself is the empty path. */
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  readonly isExecutable: boolean;
  /** Of a file; must be read before the next entry is asked for. A sparse file's cannot be, and has no bytes. */
  readonly content: EntryContent;
}

/** Names that fill pages are somebody's attempt at our memory. */
const EXTENSION_BYTES_MAX = 1024 * 1024;

/**
 * The entries of an archive, in order: ustar, pax, GNU tar. Where a link leads is not asked: nothing is unpacked, and no
 * link is followed. An archive without the two blocks of zeros at its end is taken for whole, as the runtimes do; one that
 * ends within an entry is not.
 *
 * @throws ScanError when it is broken, too large, or has names that lead outside
 */
export async function* readTar(
  chunks: AsyncIterable<Uint8Array>,
  { entriesMax }: { readonly entriesMax: number },
): AsyncGenerator<TarEntry> {
  const source = new ChunkSource(chunks);
  try {
    let pax: PaxRecords = {};
    for (let entries = 0; ; entries += 1) {
      if (entries > entriesMax)
        throw new ScanError('too-many-entries', `The layer has more than ${entriesMax} entries`);
      const header = await nextHeader(source);
      if (header === undefined) break;
      const extension = await readExtension(source, header);
      if (extension !== undefined) {
        pax = { ...pax, ...extension };
        continue;
      }
      const entry = await entryOf(source, header, pax);
      pax = {};
      yield entry;
      await entry.content.end();
    }
    // What stands behind the end is not looked at, but read: only then is it sure that the compressed bytes are whole.
    while ((await source.readSome(Number.MAX_SAFE_INTEGER)) !== undefined);
  } finally {
    await source.close();
  }
}

/** @returns undefined at the end */
async function nextHeader(source: ChunkSource): Promise<TarHeader | undefined> {
  const block = source.takeWhole(BLOCK_BYTES) ?? (await source.read(BLOCK_BYTES));
  if (block.length === 0) return undefined;
  if (block.length < BLOCK_BYTES) throw truncated();
  return parseHeader(block);
}

/** @returns undefined when this is no extension but an entry of its own */
async function readExtension(source: ChunkSource, { type, bytes }: TarHeader): Promise<PaxRecords | undefined> {
  if (!EXTENSIONS.includes(type)) return undefined;
  if (bytes > EXTENSION_BYTES_MAX) {
    throw new ScanError('corrupt-layer', `An extended header of the layer's archive has ${bytes} bytes`);
  }
  const block = await source.read(bytes);
  const padding = paddingOf(bytes);
  if (block.length < bytes || (await source.skip(padding)) < padding) throw truncated();
  if (type === 'x') return parsePax(block);
  if (type === 'g') return {};
  const end = block.indexOf(0);
  const name = block.toString('utf8', 0, end < 0 ? block.length : end);
  return type === 'L' ? { path: name } : { linkPath: name };
}

/** pax for the next entry and for all; GNU tar's long name and long link. */
const EXTENSIONS = 'xgLK';

async function entryOf(source: ChunkSource, header: TarHeader, pax: PaxRecords): Promise<TarEntry> {
  let isExtended = header.isExtended;
  while (isExtended) {
    const block = await source.read(BLOCK_BYTES);
    if (block.length < BLOCK_BYTES) throw truncated();
    isExtended = block[504] !== 0;
  }
  const name = pax.path ?? header.name;
  const path = entryPath(name);
  if (header.type === '1') entryPath((pax.linkPath ?? header.linkName).replace(/^\/+/, ''));
  const kind = kindOf(header.type, name);
  const isSparse = pax.isSparse === true || header.type === 'S';
  const bytes = WITHOUT_BYTES.includes(header.type) ? 0 : (pax.bytes ?? header.bytes);
  return {
    path,
    kind: isSparse ? 'other' : kind,
    isExecutable: (header.mode & 0o111) !== 0,
    content: new EntryContent(source, bytes, paddingOf(bytes), truncated),
  };
}

/** Links, devices, folders, pipes: a size that they claim is no size (POSIX, `pax`, "ustar interchange format"). */
const WITHOUT_BYTES = '123456';

function kindOf(type: string, name: string): TarEntry['kind'] {
  if (type === '5') return 'folder';
  if (type === '1' || type === '2') return 'link';
  // Before POSIX a folder was a file whose name ends with a slash.
  if (type === '0' || type === '7') return name.endsWith('/') ? 'folder' : 'file';
  return 'other';
}

function paddingOf(bytes: number): number {
  return (BLOCK_BYTES - (bytes % BLOCK_BYTES)) % BLOCK_BYTES;
}

function truncated(): ScanError {
  return new ScanError('truncated-layer', "The layer's archive ends within an entry");
}
