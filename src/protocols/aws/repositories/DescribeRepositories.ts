import type { OperationRequest, Output } from '../operation.ts';
import { nextTokenOf, positionIn, refusePaging } from '../paging.ts';
import { repositoryView } from './repository-view.ts';

const name = 'DescribeRepositories';
const RESULTS_DEFAULT = 100;

/** The named repositories, or a page of all. */
export async function describeRepositories({
  core,
  call,
  input,
}: OperationRequest<typeof name>): Promise<Output<typeof name>> {
  if (input.repositoryNames !== undefined) {
    refusePaging(input, 'repositoryNames');
    const named = await core.repositories.getMany(call, input.repositoryNames);
    return { repositories: named.map((repository) => repositoryView(core, repository)) };
  }
  const [after = ''] = positionIn(name, input.nextToken, 1) ?? [];
  const page = await core.repositories.list(call, { after, limit: input.maxResults ?? RESULTS_DEFAULT });
  return {
    repositories: page.repositories.map((repository) => repositoryView(core, repository)),
    nextToken: nextTokenOf(name, page.next === undefined ? undefined : [page.next]),
  };
}
