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

/** Refuses with repository-not-found when a repository found before has gone since; for use within a transaction. */
export async function requireStill(
  records: { readonly repositories: RepositoryReads },
  { id, registry, name }: Repository,
): Promise<void> {
  const present = await findRepository(records, registry, name);
  if (present.id !== id) refuse({ kind: 'repository-not-found', repositoryName: name, registryId: registry.accountId });
}
