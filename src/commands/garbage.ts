import { coreDependencies, openStoresWithArchive } from '../compose/stores.ts';
import { readFolderConfig } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import type { Flags } from '../config/settings-reader.ts';
import { collectGarbage } from '../core/garbage/collect-garbage.ts';
import { createProgressLine, describeBytes } from './progress-line.ts';

/** Runs garbage collection once. */
export async function garbage(flags: Flags, environment: Environment): Promise<void> {
  const config = readFolderConfig(flags, environment);
  await using stores = await openStoresWithArchive(config);
  using progress = createProgressLine();
  const report = await collectGarbage(coreDependencies(stores, config), {
    onProgress: ({ blobs, bytes }) => progress.show(`${blobs} blobs, ${describeBytes(bytes)} given back`),
  });
  progress.clear();
  console.log(
    `Forgot ${report.uploads} idle uploads and ${report.layers} layers that no image uses; ` +
      `deleted ${report.blobs} blobs and ${report.orphans} remains of crashes: ${describeBytes(report.bytes)} given back.`,
  );
}
