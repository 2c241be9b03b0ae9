import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest } from '../values/digest.ts';
import { INVENTORY_FORMAT, type InventoryFile, type LayerInventory, mergeInventories } from './inventory.ts';
import type { InstalledPackage } from './package.ts';

const STATUS = 'var/lib/dpkg/status';
const digests = [1, 2, 3].map((digit): Digest => `sha256:${String(digit).repeat(64)}`);

const dpkg = (name: string, version: string, architecture = 'amd64'): InstalledPackage => ({
  type: 'dpkg',
  name,
  version,
  architecture,
});
const file = (path: string, ...packages: readonly InstalledPackage[]): InventoryFile => ({ path, packages });
const layer = (...files: readonly InventoryFile[]): LayerInventory => ({
  format: INVENTORY_FORMAT,
  removed: [],
  opaque: [],
  replaced: '',
  files,
});

/** `name version` of each package, with the number of the layer that is said to have brought it. */
function broughtBy(...layers: readonly LayerInventory[]): Record<string, number> {
  const { packages } = mergeInventories(layers, digests);
  const numbers = packages.map(({ name, version, architecture, layerDigest }) => {
    const number = layerDigest === undefined ? 0 : digests.indexOf(layerDigest) + 1;
    return [`${name} ${version} ${architecture}`, number] as const;
  });
  return Object.fromEntries(numbers);
}

test('a package is of the layer that brought it, however often the database was written anew', () => {
  const base = layer(file(STATUS, dpkg('libc6', '2.36-9'), dpkg('bash', '5.2')));
  const more = layer(file(STATUS, dpkg('libc6', '2.36-9'), dpkg('bash', '5.2'), dpkg('curl', '7.88')));
  const newer = layer(file(STATUS, dpkg('libc6', '2.36-10'), dpkg('libc6', '2.36-9', 'i386'), dpkg('curl', '7.88')));
  assert.deepEqual(broughtBy(base, more, newer), {
    'libc6 2.36-10 amd64': 3,
    'libc6 2.36-9 i386': 3,
    'curl 7.88 amd64': 2,
  });
});

test('a package is of its own file, and what stands elsewhere brings nothing to it', () => {
  const npm = { type: 'npm', name: 'lodash', version: '4.17.20' } as const;
  const [one, other] = [file('a/package.json', npm), file('b/package.json', npm)];
  const { packages } = mergeInventories([layer(one), layer(other)], digests);
  assert.deepEqual(
    packages.map(({ path, layerDigest }) => [path, layerDigest]),
    [
      ['a/package.json', digests[0]],
      ['b/package.json', digests[1]],
    ],
  );
  assert.deepEqual(mergeInventories([layer(one)]).packages, [{ ...npm, path: 'a/package.json' }]);
});
