import { answerJson, type OciExchange } from './exchange.ts';
import { linkTo, pageOf } from './paging.ts';

/** ECR's largest page (API reference, ListImages, maxResults). */
const TAGS_MAX = 1000;

/** GET tags/list (end-8), in lexical order. */
export async function listTags(exchange: OciExchange): Promise<void> {
  const { context, call, repositoryName } = exchange;
  const { after, limit } = pageOf(exchange, TAGS_MAX);
  // A page of none still has to know whether there is a repository.
  const page = await context.core.images.tags(call, { repositoryName, after, limit: Math.max(limit, 1) });
  const { tags, next } = limit === 0 ? { tags: [] } : page;
  const link = linkTo(exchange, `${repositoryName}/tags/list`, next);
  answerJson(exchange, 200, { name: repositoryName, tags }, link);
}
