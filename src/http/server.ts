import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { hasBody } from './body.ts';
import { BodyProgress } from './body-progress.ts';
import { DrainingExchanges, type Exchange } from './exchanges.ts';
import { holdContinue } from './expect-continue.ts';
import type { Handler } from './handler.ts';
import { knownRequestIdOf, requestIdOf } from './request-id.ts';
import { followHandshakes } from './tls/handshakes.ts';
import type { ServerTls } from './tls/tls-files.ts';

export interface HttpServerSettings {
  /** A client that we wait for, and that moves no byte for so long, is cut off. Work of our own has no such bound. */
  readonly idleSeconds: number;
  /** How long the head of a request may take, and before it a handshake of TLS. */
  readonly headersSeconds?: number;
  /** A client that sends a body, and brings less than this on average over `idleSeconds`, is cut off. */
  readonly bodyBytesPerSecondMin?: number;
  /** Without it the server speaks plain HTTP. It stays the caller's to dispose of. */
  readonly tls?: ServerTls;
  /** How long a connection may rest between requests; below 75 s load balancers lose requests to it. */
  readonly keepAliveSeconds?: number;
  /** A fault of the server's; the client was told the request's id. */
  readonly onError: (error: unknown, request: { requestId: string; method: string; path: string }) => void;
  /** After every request, for logs and metrics. */
  readonly onFinished?: (request: FinishedRequest) => void;
}

export interface FinishedRequest {
  readonly method: string;
  /** Without the query, which may hold a signature. */
  readonly path: string;
  /** As sent; 0 when the client had gone before there was an answer. */
  readonly status: number;
  /** Whether the connection ended before the answer did. */
  readonly aborted: boolean;
  readonly ms: number;
  /** Heads included. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** If the request was given one. */
  readonly requestId: string | undefined;
}

export interface HttpServer {
  /** Rejects when the address is taken. @returns the port, which differs from the one asked for only when that was 0 */
  listen(host: string, port: number): Promise<number>;
  /** Takes no more work, lets what is under way finish for at most so long, then cuts it off. */
  close(graceMs: number): Promise<void>;
}

/**
 * A server for registry traffic: requests may last for hours as long as bytes move (Node's own bound on a request's duration is off),
 * and a message with two Host headers is refused. What Node's parser refuses it answers itself (400, 431).
 */
export function createHttpServer(handler: Handler, settings: HttpServerSettings): HttpServer {
  const exchanges = new DrainingExchanges();
  const bodies = new BodyProgress({
    windowSeconds: settings.idleSeconds,
    bytesPerSecondMin: settings.bodyBytesPerSecondMin ?? 1024,
  });
  const { server, cutHandshakes } = listener(settings, (socket) => exchanges.connected(socket));
  // Node leaves headers beyond a number out without a word, a second Host or a signed one among them; their size has a bound of its own.
  server.maxHeadersCount = 0;
  server.timeout = settings.idleSeconds * 1000;
  server.on('timeout', (socket) => onIdle(socket, exchanges, server.timeout));
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    const exchange = exchanges.begin(request, response);
    if (settings.onFinished !== undefined) response.once('close', () => settings.onFinished?.(finished(exchange)));
    if (hasTwoHosts(request)) return void response.writeHead(400, { Connection: 'close' }).end();
    if (hasBody(request)) {
      bodies.watch(request);
      // The idle clock starts anew when we read on: until then it was we who kept the client waiting.
      request.on('resume', () => response.writableFinished || request.socket.setTimeout(server.timeout));
    }
    void answer(handler, settings, exchange);
  };
  server.on('request', onRequest);
  server.on('checkContinue', (request, response) => {
    holdContinue(request, response);
    onRequest(request, response);
  });
  return {
    listen: (host, port) => listen(server, host, port),
    async close(graceMs) {
      const closed = close(server, exchanges, graceMs);
      cutHandshakes();
      await closed;
      bodies[Symbol.dispose]();
    },
  };
}

/** A server of HTTP, over TLS or not, that says when there is a connection to ask on. */
function listener(
  { tls, headersSeconds = 60, keepAliveSeconds = 90 }: HttpServerSettings,
  connected: (socket: Socket) => void,
): { server: Server | SecureServer; cutHandshakes(): void } {
  const headersTimeout = headersSeconds * 1000;
  const options = {
    requestTimeout: 0,
    headersTimeout,
    // How often Node looks for heads that take too long.
    connectionsCheckingInterval: Math.min(headersTimeout / 4, 5000),
    keepAliveTimeout: keepAliveSeconds * 1000,
    noDelay: true,
  };
  if (tls === undefined) {
    return { server: createServer(options).on('connection', connected), cutHandshakes() {} };
  }
  const server = createSecureServer({ ...options, ...tls.credentials, handshakeTimeout: headersTimeout });
  tls.attach(server);
  const handshakes = followHandshakes(server);
  return { server: server.on('secureConnection', connected), cutHandshakes: () => handshakes.cutOff() };
}

async function answer(handler: Handler, settings: HttpServerSettings, exchange: Exchange): Promise<void> {
  const { request, response, turn } = exchange;
  if (turn !== undefined) await turn;
  if (request.socket.destroyed) return;
  try {
    await handler(request, response);
  } catch (error) {
    const requestId = requestIdOf(request);
    settings.onError(error, { requestId, method: request.method ?? '', path: pathOf(request) });
    if (response.writableEnded) return;
    if (response.headersSent) return void response.destroy();
    const text = `The server failed. It logged the reason under request id ${requestId}\n`;
    response.writeHead(500, {
      'Content-Type': 'text/plain; charset=utf-8',
      'Content-Length': Buffer.byteLength(text),
      'X-Request-Id': requestId,
    });
    response.end(text);
  }
}

/** Node takes the first of two Host headers, a proxy before it perhaps the last (RFC 9112, 3.2 asks for 400). */
function hasTwoHosts({ rawHeaders }: IncomingMessage): boolean {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!;
    if (name.length === 4 && (name === 'Host' || name.toLowerCase() === 'host')) hosts += 1;
  }
  return hosts > 1;
}

/** Node's timer says that a connection moved no byte. It is the client's fault when we wait for the client. */
function onIdle(socket: Socket, exchanges: DrainingExchanges, idleMs: number): void {
  const underWay = exchanges.on(socket);
  const waitsForUs = underWay.length > 0 && !underWay.some(waitsForClient);
  if (waitsForUs) socket.setTimeout(idleMs);
  else socket.destroy();
}

function waitsForClient({ request, response }: Exchange): boolean {
  const wantsBytes = !request.complete && request.readableFlowing === true;
  return wantsBytes || response.writableLength > 0 || (response.socket?.writableLength ?? 0) > 0;
}

function finished({ request, response, startedAt, traffic }: Exchange): FinishedRequest {
  const { bytesIn, bytesOut } = traffic();
  return {
    method: request.method ?? '',
    path: pathOf(request),
    status: response.headersSent ? response.statusCode : 0,
    aborted: !response.writableFinished,
    ms: performance.now() - startedAt,
    bytesIn,
    bytesOut,
    requestId: knownRequestIdOf(request),
  };
}

function pathOf(request: IncomingMessage): string {
  const target = request.url ?? '';
  const query = target.indexOf('?');
  return query < 0 ? target : target.slice(0, query);
}

async function listen(server: Server | SecureServer, host: string, port: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ host, port }, resolve);
  await promise;
  server.off('error', reject);
  return (server.address() as AddressInfo).port;
}

async function close(server: Server | SecureServer, exchanges: DrainingExchanges, graceMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  exchanges.drain();
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  await promise;
  clearTimeout(timer);
}
