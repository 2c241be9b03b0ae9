import type { InstalledPackage } from '../../../../core/scanning/package.ts';
import { paragraphs } from './debian-fields.ts';

/** What dpkg has installed: its `status`, or a file of `status.d`, which distroless images have for each package. */
export function parseDpkgStatus(text: string): InstalledPackage[] {
  const packages: InstalledPackage[] = [];
  for (const fields of paragraphs(text, FIELDS)) {
    const name = fields.get('Package');
    const version = fields.get('Version');
    // `install ok installed`: the third word is the state. Files of status.d have no such field.
    const state = fields.get('Status')?.split(/\s+/)[2];
    if (!name || !version || (state !== undefined && NOT_THERE.has(state))) continue;
    const architecture = fields.get('Architecture');
    const source = sourceOf(fields.get('Source'), name, version);
    packages.push({ type: 'dpkg', name, version, ...(architecture && { architecture }), ...(source && { source }) });
  }
  return packages;
}

const FIELDS = new Set(['Package', 'Version', 'Status', 'Architecture', 'Source']);

/** Of these no files but configuration are there (dpkg(1)). */
const NOT_THERE = new Set(['not-installed', 'config-files']);

/** `Source: name (version)`: without a version it has that of the package. */
function sourceOf(field: string | undefined, name: string, version: string): InstalledPackage['source'] | undefined {
  const [, sourceName, sourceVersion = version] = /^(\S+)(?:\s+\((\S+)\))?/.exec(field ?? '') ?? [];
  if (sourceName === undefined || (sourceName === name && sourceVersion === version)) return undefined;
  return { name: sourceName, version: sourceVersion };
}
