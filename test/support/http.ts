import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';

export interface HttpRequest {
  readonly method?: string | undefined;
  /** Sent as they are: names keep their case, and Host may be set. */
  readonly headers?: Readonly<OutgoingHttpHeaders> | undefined;
  /** A stream goes chunked unless Content-Length is among the headers. */
  readonly body?: Buffer | string | Readable | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  text(): string;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into answers of every shape
  json(): any;
}

/**
 * One request over a connection of its own, path sent as written (no normalising of `..` or escapes), redirects not followed.
 *
 * @param url http://HOST:PORT/PATH?QUERY
 */
export async function http(url: string, { method = 'GET', headers = {}, body, signal }: HttpRequest = {}) {
  const [, host = '', port = '80', path = '/'] = /^http:\/\/([^:/]+)(?::(\d+))?(\/.*)?$/.exec(url) ?? [];
  if (host === '') throw new Error(`not an http URL: ${url}`);
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
  const options = { agent: false as const, host, port, path, method, headers: { ...headers }, signal };
  const outgoing = request(options, (response) => {
    buffer(response).then((bytes) => resolve(answer(response.statusCode ?? 0, response.headers, bytes)), reject);
  });
  outgoing.once('error', reject);
  if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) outgoing.end(body);
  else body.once('error', (error) => outgoing.destroy(error)).pipe(outgoing);
  return promise;
}

/** A GET that goes on to the link it is answered with, as clients do that pull layers: without its headers. */
export async function download(url: string, headers: OutgoingHttpHeaders = {}): Promise<HttpAnswer> {
  const first = await http(url, { headers });
  return first.status === 307 ? http(String(first.headers.location)) : first;
}

function answer(status: number, headers: IncomingHttpHeaders, body: Buffer): HttpAnswer {
  const text = () => body.toString('utf8');
  return { status, headers, body, text, json: () => JSON.parse(text()) };
}
