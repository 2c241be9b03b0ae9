import type { InstalledPackage } from '../../../../core/scanning/package.ts';

/**
 * One package of an rpm database: a header without its lead, as rpm keeps it (rpm documentation, "Package format", header
 * structure): two counts, an index of sixteen bytes each, then the data.
 *
 * @returns undefined for what is no package: keys that were imported; @throws RangeError when it is broken
 */
export function parseRpmHeader(blob: Uint8Array): InstalledPackage | undefined {
  const header = Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength);
  const values = new Map<number, string>();
  const count = header.readUInt32BE(0);
  const data = 8 + count * ENTRY_BYTES;
  if (data > header.length) throw new RangeError('The index of a header is longer than the header');
  for (let at = 8; at < data; at += ENTRY_BYTES) {
    const tag = header.readUInt32BE(at);
    if (!WANTED.has(tag)) continue;
    const offset = data + header.readUInt32BE(at + 8);
    const type = header.readUInt32BE(at + 4);
    if (type === INT32) values.set(tag, String(header.readUInt32BE(offset)));
    if (type === STRING) values.set(tag, textAt(header, offset));
  }
  return packageOf(values);
}

const ENTRY_BYTES = 16;
const INT32 = 4;
const STRING = 6;

const Tag = { name: 1000, version: 1001, release: 1002, epoch: 1003, architecture: 1022, source: 1044 };
const WANTED = new Set(Object.values(Tag));

function textAt(header: Buffer, offset: number): string {
  const end = header.indexOf(0, offset);
  if (end < 0) throw new RangeError('A text of a header does not end');
  return header.toString('utf8', offset, end);
}

function packageOf(values: ReadonlyMap<number, string>): InstalledPackage | undefined {
  const name = values.get(Tag.name);
  const version = values.get(Tag.version);
  const release = values.get(Tag.release);
  if (!name || !version || !release || name === 'gpg-pubkey') return undefined;
  const epoch = values.get(Tag.epoch);
  const prefix = epoch === undefined || epoch === '0' ? '' : `${epoch}:`;
  const architecture = values.get(Tag.architecture);
  const source = sourceOf(values.get(Tag.source), prefix);
  const own = { name, version: `${prefix}${version}-${release}` };
  const isSame = source === undefined || (source.name === name && source.version === own.version);
  return { type: 'rpm', ...own, ...(architecture && { architecture }), ...(!isSame && { source }) };
}

/** `name-version-release.src.rpm`, which does not say the epoch: that of the package stands for it. */
function sourceOf(file: string | undefined, prefix: string): InstalledPackage['source'] | undefined {
  const [, name, version] = /^(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm$/.exec(file ?? '') ?? [];
  return name === undefined ? undefined : { name, version: `${prefix}${version}` };
}
