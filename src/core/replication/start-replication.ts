import type { ChangeCause } from '../history/history-records.ts';
import type { Image } from '../images/image-records.ts';
import type { Records } from '../metadata-store.ts';
import type { Repository } from '../repositories/repository-records.ts';
import { isSameRegistry, type Registry } from '../values/registry.ts';
import { destinationsOf, registryKey } from './replication-rules.ts';

/**
 * Has an image that was pushed or restored copied to where its repository's images go, with the transaction that did so.
 * Nothing that was itself copied here goes on to a third place (ECR user guide, "Private image replication").
 *
 * @param tag that it was pushed under, if any
 */
export async function startReplication(
  records: Records,
  { repository, cause, at }: { readonly repository: Repository; readonly cause: ChangeCause; readonly at: Date },
  image: Pick<Image, 'id' | 'digest'>,
  tag: string | undefined,
): Promise<void> {
  if (cause === 'replication' || cause === 'cache') return;
  const rules = await records.replication.rules(repository.registry);
  for (const destination of destinationsOf(rules, repository.name)) {
    // A rule may have been kept from the days when the registry had another account or region.
    if (isSameRegistry(destination, repository.registry)) continue;
    await enqueueReplication(records, { repositoryId: repository.id, image, tag, destination }, at);
  }
}

export interface WantedReplication {
  readonly repositoryId: number;
  readonly image: Pick<Image, 'id' | 'digest'>;
  readonly tag: string | undefined;
  readonly destination: Registry;
}

/** Notes that an image is to be copied to one destination. */
export async function enqueueReplication(
  records: Records,
  { repositoryId, image, tag, destination }: WantedReplication,
  at: Date,
): Promise<void> {
  const { id, digest } = image;
  const started = { destination, tag: tag ?? '', status: 'IN_PROGRESS', updatedAt: at } as const;
  await records.replication.putStatus(id, started);
  const payload = { repositoryId, digest, ...(tag !== undefined && { tag }), destination };
  const key = `${repositoryId}/${digest}/${registryKey(destination)}/${tag ?? ''}`;
  await records.jobs.enqueue({ kind: 'replicate-image', key, payload }, at);
}
