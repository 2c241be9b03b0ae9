import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { doubtsOf } from '../../../core/scanning/doubts.ts';
import type { ImageInventory } from '../../../core/scanning/inventory.ts';
import { ownedByDistribution } from '../../../core/scanning/match-inventory.ts';
import { isOfDistribution } from '../../../core/scanning/package.ts';
import { type Findings, ScanError, type Scanner, type VulnerabilityData } from '../../../core/scanning/scanner.ts';
import { inventoryLayer } from '../builtin/inventory-layer.ts';
import { type LayerLimits, layerLimits } from '../builtin/layers/layer-limits.ts';
import { runTrivy, type TrivyProgram } from './run-trivy.ts';
import { dataOfFolder, dataOfServer } from './trivy-data.ts';
import { readTrivyReport } from './trivy-report.ts';
import { trivySbom } from './trivy-sbom.ts';

export interface TrivyOptions extends TrivyProgram {
  /** A server of Trivy's that has the database; the program is its client then, and speaks its protocol. */
  readonly server?: string | undefined;
  /** Where Trivy keeps its database: what it calls `--cache-dir`. */
  readonly cacheFolder: string;
}

export interface TrivyScannerOptions {
  readonly trivy: TrivyOptions;
  readonly temporaryFolder?: string;
  readonly limits?: Partial<LayerLimits>;
}

/**
 * Reads layers as the builtin scanner does and has Trivy judge what they hold. Trivy is told of packages alone, so that each
 * layer is read once for all images that have it, and downloads nothing.
 */
export function createTrivyScanner(options: TrivyScannerOptions): Scanner & Disposable {
  const { trivy, temporaryFolder = tmpdir() } = options;
  const limits = { ...layerLimits, ...options.limits };
  const data = () => (trivy.server === undefined ? dataOfFolder(trivy.cacheFolder) : dataOfServer(trivy.server));
  return {
    readLayer: (layer, signal) => inventoryLayer(layer, { limits, temporaryFolder, signal }),
    async match(image) {
      const known = await data();
      if (known === undefined) throw new ScanError('no-database', noDatabase(trivy));
      return judge(trivy, image, known, temporaryFolder);
    },
    data,
    [Symbol.dispose]() {},
  };
}

async function judge(
  trivy: TrivyOptions,
  image: ImageInventory,
  { updatedAt }: VulnerabilityData,
  temporaryFolder: string,
): Promise<Findings> {
  const isOwned = ownedByDistribution(image);
  const packages = image.packages.filter((one) => !isOwned(one));
  if (packages.length === 0) return { findings: [], doubts: doubtsOf(image, () => true) };
  const folder = await mkdtemp(join(temporaryFolder, 'gantry-scan-'));
  try {
    const file = join(folder, 'sbom.json');
    await writeFile(file, JSON.stringify(trivySbom(packages, image.osRelease)), { mode: 0o600 });
    const text = await runTrivy(trivy, argumentsFor(trivy, file), folder);
    const { findings, knowsSystem } = readTrivyReport(text, { packages, osRelease: image.osRelease, updatedAt });
    return { findings, doubts: [...doubtsOf(image, () => true), ...doubtsOfSystem(image, knowsSystem)] };
  } catch (error) {
    if (error instanceof ScanError && error.code === 'no-database') throw new ScanError(error.code, noDatabase(trivy));
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function argumentsFor({ server, cacheFolder }: TrivyOptions, file: string): string[] {
  const where = server === undefined ? ['--skip-db-update', '--skip-java-db-update'] : ['--server', server];
  return ['sbom', '--quiet', '--format', 'json', '--offline-scan', '--cache-dir', cacheFolder, ...where, file];
}

/** Without a word, Trivy judges the packages of languages alone on a system that it does not know. */
function doubtsOfSystem({ packages, osRelease }: ImageInventory, knowsSystem: boolean): string[] {
  const count = packages.filter(isOfDistribution).length;
  if (knowsSystem || count === 0) return [];
  const system = osRelease?.name ?? osRelease?.id ?? 'a system without os-release';
  return [`Trivy does not judge the ${count} packages of ${system}`];
}

function noDatabase({ cacheFolder }: TrivyOptions): string {
  return `Trivy has no vulnerability database: \`trivy image --download-db-only --cache-dir ${cacheFolder}\` fetches it`;
}
