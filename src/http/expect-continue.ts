import type { IncomingMessage, ServerResponse } from 'node:http';

const waiting = new WeakMap<IncomingMessage, { readonly response: ServerResponse; readonly keepAlive: boolean }>();

/**
 * Holds back the `100 Continue` a client asked for (RFC 9110, 10.1.1) until somebody wants the body. An answer given
 * before that closes the connection: the client may or may not send the body then, and nobody could tell.
 */
export function holdContinue(request: IncomingMessage, response: ServerResponse): void {
  waiting.set(request, { response, keepAlive: response.shouldKeepAlive });
  response.shouldKeepAlive = false;
}

/** Tells a client that waits for it to send the body. */
export function sendContinue(request: IncomingMessage): void {
  const held = waiting.get(request);
  if (held === undefined) return;
  waiting.delete(request);
  held.response.shouldKeepAlive = held.keepAlive;
  if (!held.response.headersSent) held.response.writeContinue();
}
