import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

/** Ends the answer with a JSON document and its length. `headers` may name another Content-Type. */
export function sendJson(
  response: ServerResponse,
  status: number,
  document: unknown,
  headers: OutgoingHttpHeaders = {},
): void {
  const bytes = Buffer.from(JSON.stringify(document));
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers, 'Content-Length': bytes.length });
  response.end(bytes);
}
