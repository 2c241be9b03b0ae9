import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { UpstreamError, type UpstreamErrorCode, type UpstreamTarget } from '../../src/core/upstreams/upstream.ts';
import { createUpstreamRegistry, type UpstreamOptions } from '../../src/drivers/upstreams/upstream-registry.ts';

/** A server that answers as a test wants it to. */
export interface HostileRegistry extends AsyncDisposable {
  readonly url: string;
  readonly host: string;
  /** `METHOD PATH` of every request so far. */
  readonly asked: string[];
  /** The Authorization header of each of them. */
  readonly authorizations: (string | undefined)[];
}

export type Answering = (request: IncomingMessage, response: ServerResponse, count: number) => unknown;

/** @param tls key and certificate in PEM form; http without */
export async function startHostile(answer: Answering, tls?: { key: string; cert: string }): Promise<HostileRegistry> {
  const asked: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const listener: RequestListener = (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    authorizations.push(request.headers.authorization);
    answer(request, response, asked.length);
  };
  const server: Server = tls === undefined ? createServer(listener) : createSecureServer(tls, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${host}`,
    host,
    asked,
    authorizations,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A client that may ask this server, and no other on this machine. */
export function clientOf(
  { url, host }: { readonly url: string; readonly host: string },
  { credentials, ...options }: UpstreamOptions & Pick<UpstreamTarget, 'credentials'> = {},
) {
  const target = { url, ...(credentials !== undefined && { credentials }) };
  return createUpstreamRegistry(target, { allowPrivate: [host], ...options });
}

/** Lets a client work with a server that answers like this, and ends both. */
export async function against<T>(
  answer: Answering,
  work: (client: ReturnType<typeof clientOf>, server: Awaited<ReturnType<typeof startHostile>>) => Promise<T>,
  options: Parameters<typeof clientOf>[1] = {},
): Promise<T> {
  await using server = await startHostile(answer);
  await using client = clientOf(server, options);
  return await work(client, server);
}

/** A check for assert.rejects: the code, the words, and that the host is named. */
export function failure(code: UpstreamErrorCode, words: RegExp) {
  return (error: unknown): boolean => {
    if (!(error instanceof UpstreamError)) throw error;
    const said = `${error.code}: ${error.message}`;
    if (error.code !== code || !words.test(error.message)) throw new Error(`expected ${code} ${words}, got ${said}`);
    if (!error.message.startsWith(`${error.host}: `)) throw new Error(`the host is not named: ${said}`);
    return true;
  };
}

/** The body of a request, read to its end. */
export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}
