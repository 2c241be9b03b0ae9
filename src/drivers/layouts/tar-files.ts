import { type FileHandle, open } from 'node:fs/promises';
import { posix } from 'node:path';
import { TransferError } from '../../core/transfer/transfer.ts';
import { createFileReader } from './file-reader.ts';
import type { LayoutFiles } from './layout-files.ts';
import { parsePaxRecords, parseTarHeader, TAR_BLOCK_BYTES, type TarHeader } from './tar-header.ts';
import { plainTar } from './unpacked-archive.ts';

/** Bounds memory; an archive of images has some members for each layer. */
const MEMBERS_MAX = 100_000;
/** Long names and pax headers. */
const EXTENSION_BYTES_MAX = 64 * 1024;
const LINKS_MAX = 8;

interface Member {
  readonly offset: number;
  readonly bytes: number;
  /** Of a link: the path it leads to, within the archive. */
  readonly linksTo?: string;
}

/**
 * Files in a tar archive, which may be compressed with gzip. Nothing is unpacked: a name leads nowhere but to a part of the
 * archive. Names that lead out of it, and names that come twice, are refused.
 */
export async function openTarFiles(file: string): Promise<LayoutFiles> {
  await using opening = new AsyncDisposableStack();
  const handle = opening.use(await open(file, 'r').catch((error: Error) => refuseFile(file, error)));
  const archive = await plainTar(file, handle);
  opening.defer(() => archive.close());
  const members = await readMembers(archive.handle).catch((error: unknown) => {
    if (!(error instanceof TransferError)) throw error;
    throw new TransferError(error.code, `${file}: ${error.message}`, { cause: error });
  });
  const find = (path: string): Member | undefined => {
    let member = members.get(path);
    for (let links = 0; member?.linksTo !== undefined; links += 1) {
      if (links === LINKS_MAX) throw new TransferError('invalid', `${file}: ${path} is a link without an end`);
      member = members.get(member.linksTo);
    }
    return member;
  };
  const opened = opening.move();
  return {
    name: file,
    stat: async (path) => {
      const member = find(path);
      return member && { bytes: member.bytes };
    },
    async read(path, { first, last }) {
      const member = find(path);
      if (!member) throw new TransferError('missing', `${file}: there is no ${path}`);
      if (last >= member.bytes) throw new TransferError('invalid', `${file}: ${path} has ${member.bytes} bytes only`);
      const part = { name: `${file}: ${path}`, offset: member.offset + first, bytes: last + 1 - first };
      return createFileReader(archive.handle, part, async () => {});
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function refuseFile(file: string, error: Error & { code?: string }): never {
  if (error.code !== 'ENOENT') throw error;
  throw new TransferError('missing', `There is no file ${file}`);
}

/** Where everything is; only headers are read. */
async function readMembers(handle: FileHandle): Promise<Map<string, Member>> {
  const members = new Map<string, Member>();
  const { size: end } = await handle.stat();
  let extension: Extension = {};
  let count = 0;
  for (let at = 0; at + TAR_BLOCK_BYTES <= end; ) {
    const header = parseTarHeader(await readBlock(handle, at, TAR_BLOCK_BYTES));
    if (!header) break;
    count += 1;
    if (count > MEMBERS_MAX) throw new TransferError('invalid', `It has more than ${MEMBERS_MAX} members`);
    const offset = at + TAR_BLOCK_BYTES;
    const bytes = extension.bytes ?? header.bytes;
    if (offset + bytes > end) throw new TransferError('invalid', `It ends within ${header.name}`);
    if (EXTENSIONS.includes(header.type))
      extension = { ...extension, ...(await readExtension(handle, header, offset)) };
    else {
      add(members, { ...header, ...extension, bytes }, offset);
      extension = {};
    }
    at = offset + Math.ceil(bytes / TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES;
  }
  return members;
}

/** GNU's long name and link, pax for the next member and for all. */
const EXTENSIONS = ['L', 'K', 'x', 'g'];

type Extension = Partial<Pick<TarHeader, 'name' | 'linkName' | 'bytes'>>;

async function readExtension(handle: FileHandle, { type, bytes }: TarHeader, offset: number): Promise<Extension> {
  if (type === 'g') return {};
  if (bytes > EXTENSION_BYTES_MAX) throw new TransferError('invalid', 'A name in the archive is too long');
  const content = await readBlock(handle, offset, bytes);
  if (type !== 'x') {
    const text = content.toString('utf8').replace(/\0.*$/s, '');
    return type === 'L' ? { name: text } : { linkName: text };
  }
  const records = parsePaxRecords(content);
  const [path, linkName, size] = ['path', 'linkpath', 'size'].map((key) => records.get(key));
  if (size !== undefined && !/^[0-9]{1,15}$/.test(size)) throw new TransferError('invalid', 'A pax header is damaged');
  return {
    ...(path !== undefined && { name: path }),
    ...(linkName !== undefined && { linkName }),
    ...(size !== undefined && { bytes: Number(size) }),
  };
}

function add(members: Map<string, Member>, { name, type, bytes, linkName }: TarHeader, offset: number): void {
  if (type === '5' || name.endsWith('/')) return;
  const path = within(name, name);
  if (members.has(path)) throw new TransferError('invalid', `It has two members of the name ${path}`);
  if (type === '0' || type === '7') members.set(path, { offset, bytes });
  // A hard link names a member, a symbolic one is seen from where it stands.
  else if (type === '1') members.set(path, { offset, bytes: 0, linksTo: within(linkName, name) });
  else if (type === '2')
    members.set(path, { offset, bytes: 0, linksTo: within(posix.join(posix.dirname(path), linkName), name, linkName) });
}

/** A path below the root, without dots. */
function within(path: string, name: string, asGiven = path): string {
  const plain = posix.normalize(path).replace(/\/$/, '');
  if (
    !asGiven.startsWith('/') &&
    !plain.startsWith('/') &&
    plain !== '..' &&
    !plain.startsWith('../') &&
    plain !== '.'
  ) {
    if (!plain.includes('\0')) return plain;
  }
  throw new TransferError('invalid', `The member ${JSON.stringify(name)} leads out of the archive`);
}

async function readBlock(handle: FileHandle, at: number, bytes: number): Promise<Buffer> {
  const block = Buffer.alloc(bytes);
  for (let filled = 0; filled < bytes; ) {
    const { bytesRead } = await handle.read(block, filled, bytes - filled, at + filled);
    if (bytesRead === 0) throw new TransferError('invalid', 'It ends within a header');
    filled += bytesRead;
  }
  return block;
}
