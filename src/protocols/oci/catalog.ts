import { answerJson, type OciExchange } from './exchange.ts';
import { linkTo, pageOf } from './paging.ts';

/** ECR's largest page (API reference, DescribeRepositories, maxResults). */
const REPOSITORIES_MAX = 1000;

/** GET _catalog: the names of the registry's repositories in lexical order. */
export async function listCatalog(exchange: OciExchange): Promise<void> {
  const { context, call } = exchange;
  const { after, limit } = pageOf(exchange, REPOSITORIES_MAX);
  const { repositories, next } =
    limit === 0 ? { repositories: [] } : await context.core.repositories.list(call, { after, limit });
  const link = linkTo(exchange, '_catalog', next);
  answerJson(exchange, 200, { repositories: repositories.map(({ name }) => name) }, link);
}
