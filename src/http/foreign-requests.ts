import type { IncomingMessage } from 'node:http';
import type { Handler } from './handler.ts';

/**
 * Refuses what a web page could make a browser send to an open server: a Host that is not ours (DNS rebinding), and an
 * Origin that is another site's.
 *
 * @param hostOf the host a client asked for, which behind a proxy is not always the Host header
 */
export function refusingForeign(
  isKnownHost: (host: string) => boolean,
  handler: Handler,
  hostOf: (request: IncomingMessage) => string | undefined = ({ headers }) => headers.host,
): Handler {
  return async (request, response) => {
    const { origin } = request.headers;
    const host = hostOf(request);
    const refusal =
      host !== undefined && !isKnownHost(host)
        ? `This server is not '${host}'. Start it with --public-url (GANTRY_PUBLIC_URL) to serve that name.`
        : origin !== undefined && !isSameSite(origin, host)
          ? `Requests from web pages of '${origin}' are not taken.`
          : undefined;
    if (refusal === undefined) return handler(request, response);
    const body = `${JSON.stringify({ __type: 'ForeignRequestException', message: refusal, errors: [{ code: 'DENIED', message: refusal }] })}\n`;
    response
      .writeHead(403, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) })
      .end(body);
  };
}

function isSameSite(origin: string, host: string | undefined): boolean {
  return origin === `http://${host}` || origin === `https://${host}`;
}
