import type { CoreDependencies } from '../dependencies.ts';
import { TransferError } from '../transfer/transfer.ts';
import type { Backfill, BackfillItem } from './backfill-records.ts';
import { copyTagged } from './copy-tagged.ts';
import type { Destinations } from './destinations.ts';
import { failureOf } from './failure-codes.ts';

/** Copies an image to the destination of a backfill, with the tag if it still is on it. What refers to it is an item of its own. */
export async function copyItem(
  dependencies: CoreDependencies,
  destinations: Destinations,
  { registry, destination }: Backfill,
  { repositoryName, digest, tag }: BackfillItem,
  signal: AbortSignal,
): Promise<void> {
  const { read } = dependencies.metadata;
  const repository = await read.repositories.find(registry, repositoryName);
  if (!repository) throw new TransferError('missing', `There is no repository ${repositoryName} any more`);
  const copy = { repository, digest, tag: tag === '' ? undefined : tag, destination };
  await copyTagged(dependencies, destinations, copy, { signal });
}

/** Why what an index lists could not be copied, one by one; nothing for any other image, nor for what could. */
export async function failuresOfParts(
  dependencies: CoreDependencies,
  destinations: Destinations,
  backfill: Backfill,
  item: BackfillItem,
  signal: AbortSignal,
): Promise<string[]> {
  const { read } = dependencies.metadata;
  const repository = await read.repositories.find(backfill.registry, item.repositoryName);
  const image = repository && (await read.images.find(repository.id, item.digest));
  const codes: string[] = [];
  for (const { digest } of image ? await read.images.childrenOf(image.id) : []) {
    try {
      await copyItem(dependencies, destinations, backfill, { ...item, digest, tag: '' }, signal);
    } catch (error) {
      signal.throwIfAborted();
      codes.push(failureOf(error).code);
    }
  }
  return codes;
}
