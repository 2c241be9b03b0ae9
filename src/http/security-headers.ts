import type { Handler } from './handler.ts';

/**
 * For answers that programs read and no browser should make more of: not another type than the answer says, no page, no frame,
 * and no link that tells another site the address it was on (a download link holds its signature).
 */
export const securityHeaders: Readonly<Record<string, string>> = {
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
};

/** Puts them on every answer; a handler may set its own instead. */
export function withSecurityHeaders(handler: Handler): Handler {
  const headers = Object.entries(securityHeaders);
  return (request, response) => {
    for (const [name, value] of headers) response.setHeader(name, value);
    return handler(request, response);
  };
}
