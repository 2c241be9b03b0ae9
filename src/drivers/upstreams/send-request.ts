import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { BlobReader } from '../../core/blob-store.ts';
import { AnswerBody } from './answer-body.ts';
import { connectionFault } from './connection-fault.ts';
import type { Connections } from './connections.ts';
import { Deadline } from './deadline.ts';
import { sendChunks } from './send-chunks.ts';

export interface OutgoingRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: RequestBody | undefined;
  /** For the answer to begin once everything is sent. */
  readonly answerSeconds: number;
  readonly signal?: AbortSignal | undefined;
}

/** Bytes in memory, or read from the start each time they are to be sent. */
export type RequestBody = Uint8Array | { readonly bytes: number; open(): Promise<BlobReader> };

export interface Answer {
  readonly url: URL;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: AnswerBody;
}

/**
 * One request, one answer, no redirects. Resolves when the answer's head is there, which may be before all of the body was sent:
 * the rest of it then is not.
 *
 * @throws Fault, the signal's reason, or what opening and reading the body threw
 */
export async function sendRequest(connections: Connections, request: OutgoingRequest): Promise<Answer> {
  const { url, method, body, signal } = request;
  signal?.throwIfAborted();
  const headers = { ...request.headers, ...(body !== undefined && { 'Content-Length': String(bytesOf(body)) }) };
  const outgoing = connections.request(url, { method, headers, signal });
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const deadline = new Deadline((fault) => outgoing.destroy(fault));
  deadline.set(connections.connectSeconds, 'no connection');
  outgoing.once('socket', (socket) => {
    whenConnected(outgoing, socket, () => deadline.set(connections.idleSeconds, 'nothing could be sent'));
  });
  outgoing.once('response', resolve);
  outgoing.on('error', (error) => reject(signal?.aborted ? signal.reason : connectionFault(error)));
  outgoing.once('finish', () => deadline.set(request.answerSeconds, 'no answer'));
  try {
    const sending = sendBody(outgoing, body, () => deadline.refresh());
    // What reading the source threw says more than the connection that was cut because of it.
    const response = await Promise.race([promise, sending.then(() => promise)]);
    const limits = { idleSeconds: connections.idleSeconds, documentSeconds: connections.documentSeconds, signal };
    const answerBody = new AnswerBody(outgoing, response, limits);
    return { url, status: response.statusCode ?? 0, headers: response.headers, body: answerBody };
  } catch (error) {
    outgoing.destroy();
    throw error;
  } finally {
    deadline.end();
    promise.catch(() => {});
  }
}

function bytesOf(body: RequestBody): number {
  return body instanceof Uint8Array ? body.byteLength : body.bytes;
}

async function sendBody(outgoing: ClientRequest, body: RequestBody | undefined, progress: () => void): Promise<void> {
  if (body === undefined || body instanceof Uint8Array) {
    outgoing.end(body);
    return;
  }
  await using reader = await body.open();
  await sendChunks(reader, outgoing, body.bytes, progress);
}

function whenConnected(outgoing: ClientRequest, socket: Socket | TLSSocket, then: () => void): void {
  if (outgoing.reusedSocket) then();
  else socket.once('encrypted' in socket ? 'secureConnect' : 'connect', then);
}
