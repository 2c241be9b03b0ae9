import type { OperationRequest, Output } from '../operation.ts';
import { nextTokenOf, positionIn } from '../paging.ts';

const name = 'ListPullTimeUpdateExclusions';
const RESULTS_DEFAULT = 100;

export async function listPullTimeUpdateExclusions({
  core,
  call,
  input,
}: OperationRequest<typeof name>): Promise<Output<typeof name>> {
  const [after = ''] = positionIn(name, input.nextToken, 1) ?? [];
  const page = await core.pullTimeExclusions.list(call, { after, limit: input.maxResults ?? RESULTS_DEFAULT });
  return {
    pullTimeUpdateExclusions: page.principalArns,
    nextToken: nextTokenOf(name, page.next === undefined ? undefined : [page.next]),
  };
}
