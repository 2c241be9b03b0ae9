import { refuse } from '../errors.ts';
import type { Registry } from '../values/registry.ts';
import type { Repository, RepositoryReads } from './repository-records.ts';

/** The repository of that name; refuses with repository-not-found, in a transaction or outside one. */
export async function findRepository(
  records: { readonly repositories: RepositoryReads },
  registry: Registry,
  repositoryName: string,
): Promise<Repository> {
  const repository = await records.repositories.find(registry, repositoryName);
  return repository ?? refuse({ kind: 'repository-not-found', repositoryName, registryId: registry.accountId });
}
