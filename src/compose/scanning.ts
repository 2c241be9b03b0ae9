import { resolve } from 'node:path';
import type { ScanningConfig, TrivyConfig } from '../config/scanning-config.ts';
import type { CoreDependencies } from '../core/dependencies.ts';
import { RefusedError } from '../core/errors.ts';
import { attachSbom } from '../core/scanning/attach-sbom.ts';
import type { ScanEngine } from '../core/scanning/scan-engine.ts';
import type { ReadImage } from '../core/scanning/scan-image.ts';
import { watchDatabase } from '../drivers/scanners/builtin/watch-database.ts';
import { createWorkerEngine } from '../drivers/scanners/builtin/worker-engine.ts';
import { metadataFile } from '../drivers/scanners/trivy/trivy-data.ts';
import type { Log } from '../log.ts';

/** What scans images, on a thread of its own. */
export function openScanEngine({ trivy, vulnerabilityDatabase }: ScanningConfig): ScanEngine & AsyncDisposable {
  if (trivy) {
    const { binary, cacheFolder } = trivy;
    return createWorkerEngine({
      trivy: {
        ...trivy,
        // Trivy is run in a folder of its own.
        binary: binary.includes('/') ? resolve(binary) : binary,
        cacheFolder: resolve(cacheFolder),
      },
    });
  }
  return createWorkerEngine({
    databaseFile: vulnerabilityDatabase === undefined ? undefined : resolve(vulnerabilityDatabase),
  });
}

/** Has images matched again that are scanned continuously, whenever more is known, until disposal. */
export function matchWhenMoreIsKnown(
  { metadata, now }: Pick<CoreDependencies, 'metadata' | 'now'>,
  engine: ScanEngine,
  { trivy, vulnerabilityDatabase }: ScanningConfig,
  log: Log,
): AsyncDisposable {
  let known: string | undefined;
  return watchDatabase(trivy ? watchedFile(trivy) : vulnerabilityDatabase, {
    async onChange() {
      const data = await engine.data();
      if (data === undefined || data.fingerprint === known) return;
      await metadata.transaction('own-rows', ({ jobs }) =>
        jobs.enqueue({ kind: 'match-images', key: 'all', payload: {} }, now()),
      );
      known = data.fingerprint;
      log.info({ records: data.records, updatedAt: data.updatedAt }, 'the vulnerability database was read');
    },
    onError: (error) => log.error({ err: error }, 'the vulnerability database cannot be read'),
  });
}

/** Of a server's database nobody here is told. */
function watchedFile({ cacheFolder, server }: TrivyConfig): string | undefined {
  return server === undefined ? metadataFile(resolve(cacheFolder)) : undefined;
}

/** What else is done with an image whose layers were read. */
export function afterReading(
  dependencies: CoreDependencies,
  engine: ScanEngine,
  { attachesSboms }: ScanningConfig,
  log: Log,
): ((image: ReadImage) => Promise<void>) | undefined {
  if (!attachesSboms) return undefined;
  return async (image) => {
    try {
      await attachSbom(dependencies, engine, image);
    } catch (error) {
      // Such as a quota: the image is scanned all the same.
      if (!(error instanceof RefusedError) || error.refusal.kind === 'storage-full') throw error;
      log.error({ err: error, image: image.image.digest }, 'a list of what an image holds cannot be attached');
    }
  };
}
