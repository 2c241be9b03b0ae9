import type { IncomingMessage, ServerResponse } from 'node:http';
import { STORE_RETRY_SECONDS, StoreUnavailableError } from '../../core/metadata-store.ts';
import { BodyAbortedError } from '../../http/body.ts';
import { requestIdOf } from '../../http/request-id.ts';
import { OciError, ociErrorOf, sendOciError } from './errors.ts';

/** Refusals are answers; a fault is answered too, and thrown on to be logged. */
export function answerError(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (error instanceof BodyAbortedError) {
    // Nobody is there to be answered.
    response.destroy();
    return;
  }
  const refusal = ociErrorOf(error);
  if (response.headersSent) throw error;
  if (refusal !== undefined) {
    sendOciError(response, refusal);
    return;
  }
  if (error instanceof StoreUnavailableError) {
    // The specification has no code for it, HTTP has a status (RFC 9110, 15.6.4); clients of registries try again.
    const retry = { 'Retry-After': String(STORE_RETRY_SECONDS) };
    sendOciError(response, new OciError(503, 'UNKNOWN', 'The registry cannot reach its database', retry));
    throw error;
  }
  const message = `The server failed. It logged the reason under request id ${requestIdOf(request)}`;
  sendOciError(response, new OciError(500, 'UNKNOWN', message));
  throw error;
}
