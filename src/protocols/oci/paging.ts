import { OciError } from './errors.ts';
import type { OciExchange } from './exchange.ts';

/** A page asked for by `n` and `last` (OCI distribution specification, "Listing Tags"). */
export interface PageRequest {
  /** What the page begins after; empty: at the start. */
  readonly after: string;
  /** 0 to the limit of the list. */
  readonly limit: number;
}

/**
 * A larger `n` than the list's own limit gives as many as that, and a link to the rest.
 * Refuses with PAGINATION_NUMBER_INVALID.
 */
export function pageOf({ query }: OciExchange, limitMax: number): PageRequest {
  const n = query.get('n');
  if (n !== null && !DIGITS.test(n)) {
    throw new OciError(400, 'PAGINATION_NUMBER_INVALID', `n is '${n.slice(0, 40)}' and should be a number from 0`);
  }
  const limit = n === null ? limitMax : Math.min(Number(n), limitMax);
  return { after: query.get('last') ?? '', limit };
}

const DIGITS = /^[0-9]+$/;

/**
 * The Link header of a page that is not the last (RFC 8288); the other parameters of the request stay.
 *
 * @param path below /v2/
 * @param next what the next page begins after; undefined: there is none
 */
export function linkTo({ context, query }: OciExchange, path: string, next: string | undefined): { Link?: string } {
  if (next === undefined) return {};
  const parameters = new URLSearchParams(query);
  parameters.set('last', next);
  return { Link: `<${context.publicUrl}/v2/${path}?${parameters}>; rel="next"` };
}
