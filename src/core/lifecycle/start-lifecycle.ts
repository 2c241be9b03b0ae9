import type { CoreDependencies } from '../dependencies.ts';

const BATCH = 200;

/** Has the policy of every repository that has one applied soon. @returns of how many */
export async function startLifecycle(
  { metadata, now }: Pick<CoreDependencies, 'metadata' | 'now'>,
  { signal }: { signal?: AbortSignal } = {},
): Promise<number> {
  let started = 0;
  for await (const repositoryIds of repositoriesWithPolicy({ metadata })) {
    signal?.throwIfAborted();
    const at = now();
    await metadata.transaction('own-rows', async ({ jobs }) => {
      for (const repositoryId of repositoryIds) {
        await jobs.enqueue({ kind: 'apply-lifecycle', key: String(repositoryId), payload: { repositoryId } }, at);
      }
    });
    started += repositoryIds.length;
  }
  return started;
}

/** Ids of all repositories with a policy, some at a time. */
export async function* repositoriesWithPolicy({ metadata }: Pick<CoreDependencies, 'metadata'>) {
  let afterId = 0;
  for (;;) {
    const repositoryIds = await metadata.read.lifecycle.repositoryIds(afterId, BATCH);
    if (repositoryIds.length > 0) yield repositoryIds;
    if (repositoryIds.length < BATCH) return;
    afterId = repositoryIds.at(-1)!;
  }
}
