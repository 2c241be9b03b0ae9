import type { OperationRequest, Output } from '../operation.ts';
import { nextTokenOf, positionIn, refusePaging } from '../paging.ts';
import { templateView } from './template-view.ts';

const name = 'DescribeRepositoryCreationTemplates';
const RESULTS_DEFAULT = 100;

/** The named templates as far as they are there (the operation declares no TemplateNotFound), or a page of all. */
export async function describeRepositoryCreationTemplates({
  core,
  call,
  input,
}: OperationRequest<typeof name>): Promise<Output<typeof name>> {
  const registryId = call.registry.accountId;
  if (input.prefixes !== undefined && input.prefixes.length > 0) {
    refusePaging(input, 'prefixes');
    const named = await core.creationTemplates.getMany(call, input.prefixes);
    return { registryId, repositoryCreationTemplates: named.map(templateView) };
  }
  const [after = ''] = positionIn(name, input.nextToken, 1) ?? [];
  const page = await core.creationTemplates.list(call, { after, limit: input.maxResults ?? RESULTS_DEFAULT });
  return {
    registryId,
    repositoryCreationTemplates: page.templates.map(templateView),
    nextToken: nextTokenOf(name, page.next === undefined ? undefined : [page.next]),
  };
}
