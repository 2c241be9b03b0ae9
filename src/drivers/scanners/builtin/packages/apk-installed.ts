import type { InstalledPackage } from '../../../../core/scanning/package.ts';
import { linesOf } from './debian-fields.ts';

/** What apk has installed (apk-installed(5)): paragraphs of lines that begin with one letter. */
export function parseApkInstalled(text: string): InstalledPackage[] {
  const packages: InstalledPackage[] = [];
  let fields: Record<string, string> = {};
  const finish = () => {
    const { P: name, V: version, A: architecture, o: origin } = fields;
    fields = {};
    if (!name || !version) return;
    const source = origin && origin !== name ? { name: origin, version } : undefined;
    packages.push({ type: 'apk', name, version, ...(architecture && { architecture }), ...(source && { source }) });
  };
  for (const line of linesOf(text)) {
    if (line === '') finish();
    else if (line[1] === ':' && 'PVAo'.includes(line[0]!)) fields[line[0]!] = line.slice(2);
  }
  finish();
  return packages;
}
