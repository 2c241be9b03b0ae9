import type { InstalledPackage } from '../../../../core/scanning/package.ts';
import { linesOf } from './debian-fields.ts';

/** An installed distribution of Python's: METADATA of a dist-info, PKG-INFO of an egg-info (core metadata). */
export function parsePythonMetadata(text: string): InstalledPackage[] {
  const fields = new Map<string, string>();
  for (const line of linesOf(text)) {
    // The description follows the first empty line.
    if (line === '') break;
    const [, key, value] = /^(Name|Version):\s*(\S+)\s*$/i.exec(line) ?? [];
    if (key !== undefined && value !== undefined) fields.set(key.toLowerCase(), value);
  }
  const name = fields.get('name');
  const version = fields.get('version');
  return name && version ? [{ type: 'python', name, version }] : [];
}
