import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const licenseFile = /^(licen[cs]e|notice|copying)/i;
const rule = '-'.repeat(80);

/**
 * Collects the licence texts of everything that was bundled into dist/THIRD-PARTY-LICENSES.txt.
 *
 * @param packages their folders, from the root
 * @throws Error when a package states no licence at all
 */
export function writeLicenses(root: string, dist: string, packages: ReadonlySet<string>): void {
  const sections = [...packages].sort().map((folder) => section(join(root, folder)));
  const title = 'Gantry contains these packages, each under its own licence.';
  writeFileSync(join(dist, 'THIRD-PARTY-LICENSES.txt'), [title, ...sections].join(`\n\n${rule}\n`));
}

function section(folder: string): string {
  const { name, version, license, author } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const texts = readdirSync(folder)
    .filter((file) => licenseFile.test(file))
    .sort()
    .map((file) => readFileSync(join(folder, file), 'utf8').trim());
  if (texts.length === 0 && license === undefined) throw new Error(`${name} states no licence`);
  const by = texts.length === 0 && author !== undefined ? `\nby ${author.name ?? author}` : '';
  return [`${name} ${version} (${license})${by}`, ...texts].join('\n\n');
}
