import type { IncomingMessage } from 'node:http';

/** A client that sends more than this to be refused may find the connection closed instead of the answer. */
const DISCARD_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Reads what is left of a body that nobody wants, up to a bound. A refusal sent before that may never be seen: when its
 * connection closes, a client that is still sending gets a reset.
 */
export async function discardBody(request: IncomingMessage): Promise<void> {
  // Who waits for 100 Continue has sent nothing, and takes the refusal for its answer (RFC 9110, 10.1.1).
  if (request.complete || request.destroyed || request.headers.expect !== undefined) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > DISCARD_BYTES_MAX) resolve();
  });
  for (const event of ['end', 'close', 'error']) request.once(event, () => resolve());
  request.resume();
  await promise;
}
