import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * Answers one request. What it throws is a fault of the server's: it is logged, and answered with 500 unless the handler
 * has ended the answer before throwing (as a face does to say it in its own form).
 */
export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;
