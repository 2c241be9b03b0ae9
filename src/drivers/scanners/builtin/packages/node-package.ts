import type { InstalledPackage } from '../../../../core/scanning/package.ts';

/** An installed package of Node's: the `package.json` in a folder of its name under `node_modules`. */
export function parseNodePackage(text: string): InstalledPackage[] {
  let document: unknown;
  try {
    document = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    // Packages carry broken ones along to try their own programs with.
    return [];
  }
  const { name, version } = (document ?? {}) as Record<string, unknown>;
  if (typeof name !== 'string' || typeof version !== 'string' || name === '' || version === '') return [];
  return [{ type: 'npm', name, version }];
}
