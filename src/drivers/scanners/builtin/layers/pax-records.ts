import { ScanError } from '../../../../core/scanning/scanner.ts';

/** What an extended header says of the entry that follows (POSIX pax), as far as it matters here. */
export interface PaxRecords {
  readonly path?: string;
  readonly linkPath?: string;
  readonly bytes?: number;
  readonly isSparse?: boolean;
}

/** @throws ScanError when they cannot be read */
export function parsePax(block: Buffer): PaxRecords {
  let records: PaxRecords = {};
  for (let at = 0; at < block.length; ) {
    const space = block.indexOf(0x20, at);
    const length = space < 0 ? Number.NaN : Number(block.toString('latin1', at, space));
    const end = at + length;
    const isRecord = Number.isInteger(length) && end > space + 1 && end <= block.length && block[end - 1] === 0x0a;
    const equals = isRecord ? block.indexOf(0x3d, space) : -1;
    if (!isRecord || equals < 0 || equals >= end) {
      throw new ScanError('corrupt-layer', "An extended header of the layer's archive is broken");
    }
    records = {
      ...records,
      ...meaning(block.toString('utf8', space + 1, equals), block.toString('utf8', equals + 1, end - 1)),
    };
    at = end;
  }
  return records;
}

function meaning(key: string, value: string): PaxRecords {
  if (key === 'path' || key === 'GNU.sparse.name') return { path: value };
  if (key === 'linkpath') return { linkPath: value };
  if (key.startsWith('GNU.sparse.')) return { isSparse: true };
  if (key !== 'size') return {};
  const bytes = Number(value);
  if (/^\d+$/.test(value) && Number.isSafeInteger(bytes)) return { bytes };
  throw new ScanError('corrupt-layer', `An extended header of the layer's archive says size '${value.slice(0, 40)}'`);
}
