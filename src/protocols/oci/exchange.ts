import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Call } from '../../core/access/caller.ts';
import type { Core } from '../../core/core.ts';
import type { ByteBudget } from '../../http/byte-budget.ts';
import { sendJson } from '../../http/json.ts';
import type { RateLimiter } from '../../http/rate-limit.ts';
import { apiVersion } from './api-version.ts';
import type { OciAuthenticator } from './authenticate.ts';
import type { Client, ClientOf } from './client.ts';

export interface OciContext {
  readonly core: Core;
  readonly authenticate: OciAuthenticator;
  readonly clientOf: ClientOf;
  readonly now: () => Date;
  /** Whether there is a token endpoint, which serves clients without credentials. */
  readonly anonymousPull: boolean;
  /** Undefined: everybody may ask as fast as they like. */
  readonly throttle?: RateLimiter | undefined;
  /** Room for bodies that are held in memory, shared with the other face. */
  readonly bodyBudget: ByteBudget;
  /**
   * What stands before the paths in Location headers, such as `https://registry.example.com`. Empty: paths alone, which are
   * right behind any proxy.
   */
  readonly publicUrl: string;
}

/** A request that was understood and admitted. */
export interface OciExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly context: OciContext;
  readonly call: Call;
  readonly client: Client;
  /** Empty where the path names none. */
  readonly repositoryName: string;
  /** The last piece of the path, decoded: a reference, a digest or an upload id. */
  readonly parameter: string;
  readonly query: URLSearchParams;
}

/** An answer without a body. */
export function answerEmpty({ response }: OciExchange, status: number, headers: OutgoingHttpHeaders): void {
  if (status !== 204) headers['Content-Length'] = 0;
  response.writeHead(status, { ...apiVersion, ...headers }).end();
}

export function answerJson(
  { response }: OciExchange,
  status: number,
  document: unknown,
  headers: OutgoingHttpHeaders = {},
): void {
  sendJson(response, status, document, { ...apiVersion, ...headers });
}

/** @param path as `blobs/sha256:…`, below the repository */
export function locationOf({ context, repositoryName }: OciExchange, path: string): string {
  return `${context.publicUrl}/v2/${repositoryName}/${path}`;
}
