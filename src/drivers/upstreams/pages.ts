import { essenceOf } from '../../core/values/media-type.ts';
import { Fault } from './fault.ts';
import { readJson } from './read-json.ts';
import type { RegistryClient } from './registry-client.ts';

export interface List {
  /** Below /v2/, with its query. */
  readonly at: string;
  readonly asked: string;
  readonly scopes: readonly string[];
  readonly signal: AbortSignal | undefined;
  /** What a page may be served as; anything unless given. */
  readonly mediaType?: string;
}

/** Some registries give a list of any length in one page. */
const PAGE_BYTES_MAX = 16 * 1024 * 1024;
/** Far more than the largest registries have. */
const PAGES_MAX = 100_000;

/**
 * The pages of a list, asked for as they are consumed: each links to the next (OCI distribution specification, "Listing
 * Tags"; RFC 8288). A link must stay with the registry and lead on.
 */
export async function* pagesOf(client: RegistryClient, list: List): AsyncGenerator<Record<string, unknown>> {
  const { asked, scopes, signal } = list;
  let at: string | URL | undefined = list.at;
  let previous: string | undefined;
  for (let pages = 0; at !== undefined; pages++) {
    const answer = await client.ask({ method: 'GET', at, asked, scopes, expected: [200], signal });
    const page = await client.named(asked, async () => {
      const type = essenceOf(answer.headers['content-type'] ?? '');
      const document = await readJson(answer, PAGE_BYTES_MAX);
      if (list.mediaType !== undefined && type !== list.mediaType) {
        throw new Fault('invalid', `the answer is ${type === '' ? 'of no type' : type}, not ${list.mediaType}`);
      }
      at = nextOf(client, answer.headers.link, answer.url);
      if (at?.href === answer.url.href || (at !== undefined && at.href === previous)) {
        throw new Fault('invalid', 'its list goes round in circles');
      }
      if (pages === PAGES_MAX) throw new Fault('invalid', `its list has more than ${PAGES_MAX} pages`);
      return document;
    });
    previous = answer.url.href;
    yield page;
  }
}

/** Texts of a member of each page; what is not there counts as none. */
export async function* textsOf(client: RegistryClient, list: List, member: string): AsyncGenerator<string> {
  for await (const page of pagesOf(client, list)) {
    const texts = page[member] ?? [];
    yield* await client.named(list.asked, async () => {
      if (Array.isArray(texts) && texts.every((text) => typeof text === 'string')) return texts as string[];
      throw new Fault('invalid', `'${member}' is no list of names`);
    });
  }
}

function nextOf(client: RegistryClient, header: string | string[] | undefined, from: URL): URL | undefined {
  const target = /<([^>]*)>\s*(?:;[^,]*)?;\s*rel="?next"?/i.exec([header ?? []].flat().join(', '))?.[1];
  if (target === undefined) return undefined;
  const url = client.resolve(target, from);
  if (!client.isOwn(url)) throw new Fault('invalid', `its list goes on at ${url.host}`);
  return url;
}
