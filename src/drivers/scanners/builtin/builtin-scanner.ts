import { statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { doubtsOf } from '../../../core/scanning/doubts.ts';
import { createMatcher } from '../../../core/scanning/match-inventory.ts';
import { ScanError, type Scanner } from '../../../core/scanning/scanner.ts';
import { inventoryLayer } from './inventory-layer.ts';
import { type LayerLimits, layerLimits } from './layers/layer-limits.ts';
import { VulnerabilityDatabase } from './vulnerabilities/vulnerability-database.ts';

export interface BuiltinScannerOptions {
  /** The database of vulnerabilities. It may come to be, be imported into and be replaced while the scanner is in use. */
  readonly databaseFile: string | undefined;
  /** Where what must be read from a file lies for the moment. */
  readonly temporaryFolder?: string;
  readonly limits?: Partial<LayerLimits>;
}

/** Reads layers and matches what they hold against a local database: nothing leaves the machine. */
export function createBuiltinScanner(options: BuiltinScannerOptions): Scanner & Disposable {
  const { databaseFile, temporaryFolder = tmpdir() } = options;
  const limits = { ...layerLimits, ...options.limits };
  let opened:
    | { database: VulnerabilityDatabase; inode: number; revision: number; match: ReturnType<typeof createMatcher> }
    | undefined;

  /** The database as it is now, with a matcher for it; undefined while it has no records. */
  const current = () => {
    const inode = databaseFile === undefined ? undefined : statSync(databaseFile, { throwIfNoEntry: false })?.ino;
    // One that was replaced goes on as long as it is open, and is never told of anything new.
    if (opened !== undefined && opened.inode !== inode) {
      opened.database.close();
      opened = undefined;
    }
    if (databaseFile === undefined || inode === undefined) return undefined;
    const database = opened?.database ?? new VulnerabilityDatabase(databaseFile);
    const revision = database.revision();
    if (opened?.revision !== revision) opened = { database, inode, revision, match: createMatcher(database) };
    return revision === 0 ? undefined : opened;
  };

  return {
    readLayer: (layer, signal) => inventoryLayer(layer, { limits, temporaryFolder, signal }),
    async match(image) {
      const now = current();
      if (now === undefined) throw new ScanError('no-database', NO_DATABASE);
      const doubts = doubtsOf(image, (ecosystem) => now.database.hasRecords(ecosystem));
      return { findings: now.match(image), doubts };
    },
    async data() {
      return current()?.database.data();
    },
    [Symbol.dispose]() {
      opened?.database.close();
      opened = undefined;
    },
  };
}

const NO_DATABASE = 'There is no vulnerability database: `gantry vulndb import FILE` makes one from records of OSV';
