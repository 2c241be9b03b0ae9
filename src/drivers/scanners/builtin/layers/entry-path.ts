import { ScanError } from '../../../../core/scanning/scanner.ts';

/** As in Linux (PATH_MAX). */
const PATH_CHARACTERS_MAX = 4096;

/**
 * A path from the root without a slash in front, `.` or empty parts; the root itself is the empty path.
 *
 * @throws ScanError for one that leads outside, or means something else to whoever unpacks the layer
 */
export function entryPath(name: string): string {
  if (name.length > PATH_CHARACTERS_MAX) throw hostile(name, 'is too long');
  if (name.includes('\0')) throw hostile(name, 'holds a NUL');
  if (name.startsWith('/')) throw hostile(name, 'is absolute');
  if (!UNCLEAN.test(name)) return name;
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw hostile(name, 'leads outside');
  return parts.join('/');
}

const UNCLEAN = /(?:^|\/)\.{0,2}(?:\/|$)/;

function hostile(name: string, why: string): ScanError {
  return new ScanError('hostile-path', `The path ${JSON.stringify(name.slice(0, 200))} ${why}`);
}
