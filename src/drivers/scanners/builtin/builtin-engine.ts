import { cycloneDxOf } from '../../../core/scanning/cyclone-dx.ts';
import { countSeverities, inOrder } from '../../../core/scanning/finding-order.ts';
import {
  type ImageInventory,
  INVENTORY_FORMAT,
  type LayerInventory,
  mergeInventories,
} from '../../../core/scanning/inventory.ts';
import type { ScanEngine } from '../../../core/scanning/scan-engine.ts';
import type { PackedInventory } from '../../../core/scanning/scan-records.ts';
import { ScanError, type Scanner } from '../../../core/scanning/scanner.ts';
import { type BuiltinScannerOptions, createBuiltinScanner } from './builtin-scanner.ts';
import { pack, unpack } from './pack.ts';
import { unpackReport } from './unpack-report.ts';

/** Images have most of their layers in common: so much of inventories, as they are packed, is kept unpacked. */
const UNPACKED_KEPT_BYTES = 4 * 1024 * 1024;

/** Reads layers and matches them where it is called: on a thread that serves clients, only small images. */
export function createBuiltinEngine(options: BuiltinScannerOptions): ScanEngine & Disposable {
  return engineOf(createBuiltinScanner(options));
}

/** What a scanner reads and finds, packed. */
export function engineOf(scanner: Scanner & Disposable): ScanEngine & Disposable {
  const kept = new Map<string, LayerInventory>();
  let keptBytes = 0;

  const unpackLayer = async ({ digest, bytes }: PackedInventory): Promise<LayerInventory> => {
    const known = kept.get(digest);
    if (known) return known;
    const inventory = (await unpack(bytes)) as LayerInventory;
    if (keptBytes + bytes.byteLength > UNPACKED_KEPT_BYTES) {
      kept.clear();
      keptBytes = 0;
    }
    if (bytes.byteLength <= UNPACKED_KEPT_BYTES) {
      kept.set(digest, inventory);
      keptBytes += bytes.byteLength;
    }
    return inventory;
  };
  const merge = async (layers: readonly PackedInventory[]): Promise<ImageInventory> =>
    mergeInventories(
      await Promise.all(layers.map(unpackLayer)),
      layers.map(({ digest }) => digest),
    );

  return {
    inventoryFormat: INVENTORY_FORMAT,
    readLayer: async (layer, signal) => pack(await scanner.readLayer(layer, signal)),
    async match(layers) {
      const image = await merge(layers);
      const { findings, doubts } = await scanner.match(image);
      const data = await scanner.data();
      if (!data) throw new ScanError('no-database', 'The vulnerability database is gone');
      const platform = platformOf(image);
      return {
        data,
        findings: await pack({ ...(platform && { platform }), findings: inOrder(findings) }),
        severityCounts: countSeverities(findings),
        doubts,
        isEmpty: image.osRelease === undefined && image.packages.length === 0 && image.unread.length === 0,
      };
    },
    describe: async (layers, subject) => Buffer.from(JSON.stringify(cycloneDxOf(await merge(layers), subject))),
    unpack: unpackReport,
    data: () => scanner.data(),
    [Symbol.dispose]: () => scanner[Symbol.dispose](),
  };
}

/** As Inspector names it: `DEBIAN_12`, `ALPINE_LINUX_3_19` being theirs for what says `alpine`. */
function platformOf({ osRelease }: ImageInventory): string | undefined {
  if (!osRelease) return undefined;
  const { id, versionId = '' } = osRelease;
  const name = id === 'alpine' ? 'alpine_linux' : id;
  return [name, versionId]
    .filter((part) => part !== '')
    .join('_')
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]+/g, '_');
}
