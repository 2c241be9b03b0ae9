import type { Reads } from '../metadata-store.ts';
import { isSameRegistry } from '../values/registry.ts';
import type { Backfill, BackfillItem } from './backfill-records.ts';
import { destinationsOf } from './replication-rules.ts';

/** Small enough that a push does not wait for it. */
const BATCH = 500;

/**
 * Every pair of image and tag that a backfill copies, some at a time, in the order of repository names, digests and tags; archived
 * images stay out. Empty batches are possible.
 *
 * @param last where to go on after; from the start without
 */
export async function* itemsAfter(
  read: Pick<Reads, 'repositories' | 'images' | 'replication'>,
  { registry, destination }: Backfill,
  last: BackfillItem | undefined,
): AsyncGenerator<BackfillItem[]> {
  const rules = await read.replication.rules(registry);
  const isCopied = (name: string) => destinationsOf(rules, name).some((each) => isSameRegistry(each, destination));
  let position = last?.position ?? 0;

  const itemsIn = async function* (name: string, after: { digest: string; tag: string } | undefined) {
    const repository = isCopied(name) ? await read.repositories.find(registry, name) : undefined;
    if (!repository) return;
    for (let from = after; ; ) {
      const filter = { tagStatus: 'ANY', imageStatus: 'ACTIVE' } as const;
      const pairs = await read.images.pairs(repository.id, filter, from, BATCH);
      yield pairs.map(({ digest, tag }): BackfillItem => {
        position += 1;
        return { position, repositoryName: name, digest: digest as BackfillItem['digest'], tag };
      });
      if (pairs.length < BATCH) return;
      from = pairs.at(-1);
    }
  };

  if (last) yield* itemsIn(last.repositoryName, last);
  let after = last?.repositoryName ?? '';
  for (;;) {
    const repositories = await read.repositories.page(registry, after, BATCH);
    for (const { name } of repositories) yield* itemsIn(name, undefined);
    if (repositories.length < BATCH) return;
    after = repositories.at(-1)!.name;
  }
}
