import { openBlobKeys } from '../compose/blob-keys.ts';
import { coreDependencies, openStoresWithArchive } from '../compose/stores.ts';
import { readFolderConfig } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import type { Flags } from '../config/settings-reader.ts';
import type { UnverifiedBlobs } from '../core/garbage/unverified-blobs.ts';
import { verifyStore } from '../core/garbage/verify-store.ts';
import { createProgressLine, describeBytes } from './progress-line.ts';

/** Reads everything again; prints what is wrong in words and sets exit status 1 then. */
export async function verify(flags: Flags, environment: Environment): Promise<void> {
  const config = readFolderConfig(flags, environment);
  await using stores = await openStoresWithArchive(config);
  using progress = createProgressLine();
  using keys = await openBlobKeys(stores, config);
  const found = await verifyStore(coreDependencies(stores, config, {}, keys), ({ blobs, bytes }) =>
    progress.show(`${blobs} blobs, ${describeBytes(bytes)} read`),
  );
  progress.clear();
  for (const problem of found.problems) console.log(problem);
  for (const unverified of found.unverified) console.log(describeUnverified(unverified));
  const orphans =
    found.orphans === 0 ? '' : ` ${found.orphans} remains of crashes lie about; \`gantry garbage\` takes them.`;
  const unread = found.unverified.reduce((sum, { blobs }) => sum + blobs, 0);
  const skipped = unread === 0 ? '' : `, ${unread} blobs not verified without their key`;
  const verdict = (found.problems.length === 0 ? 'all is well' : `${found.problems.length} problems`) + skipped;
  console.log(
    `Verified ${found.blobs} blobs (${describeBytes(found.bytes)}) and ${found.images} manifests: ${verdict}.${orphans}`,
  );
  if (found.problems.length > 0) process.exitCode = 1;
}

/** Repositories that are named for one reason. */
const NAMES_MAX = 50;

function describeUnverified({ reason, registry, blobs, repositoryNames }: UnverifiedBlobs): string {
  const names = repositoryNames.slice(0, NAMES_MAX).join(', ');
  const more = repositoryNames.length > NAMES_MAX ? ` and ${repositoryNames.length - NAMES_MAX} more` : '';
  const where = names === '' ? 'that no repository has' : `of ${names}${more}`;
  return `Not verified: ${blobs} blobs ${where} (${registry}): ${reason}`;
}
