import { repositoryArn } from '../../../core/values/registry.ts';
import type { OperationRequest, Output } from '../operation.ts';
import { filterView } from './scanning-view.ts';

type Name = 'BatchGetRepositoryScanningConfiguration';

/** When the images of repositories are scanned, by the registry's rules and their own setting. */
export async function batchGetRepositoryScanningConfiguration({
  core,
  call,
  input,
}: OperationRequest<Name>): Promise<Output<Name>> {
  const names = [...new Set(input.repositoryNames)];
  const found = await core.scanning.repositories(call, names);
  const present = new Set(found.map(({ repository }) => repository.name));
  return {
    scanningConfigurations: found.map(({ repository: { registry, name }, frequency, filter }) => ({
      repositoryArn: repositoryArn(registry, name),
      repositoryName: name,
      scanOnPush: frequency === 'SCAN_ON_PUSH',
      scanFrequency: frequency,
      appliedScanFilters: filter === undefined ? [] : [filterView(filter)],
    })),
    failures: names
      .filter((name) => !present.has(name))
      .map((repositoryName) => ({
        repositoryName,
        failureCode: 'REPOSITORY_NOT_FOUND',
        failureReason: `The repository with name '${repositoryName}' does not exist in the registry with id '${call.registry.accountId}'`,
      })),
  };
}
