import type { IncomingMessage } from 'node:http';

/** One name and value of a query, decoded to bytes (latin1), in the order they came. */
export type QueryParameter = readonly [name: string, value: string];

/** A plus is a blank and a broken escape stands for itself, as whoever reads the parameters will have it. */
export function queryParametersOf({ url = '' }: IncomingMessage): QueryParameter[] {
  const from = url.indexOf('?');
  if (from < 0) return [];
  return url
    .slice(from + 1)
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const equals = pair.indexOf('=');
      return equals < 0 ? [decode(pair), ''] : [decode(pair.slice(0, equals)), decode(pair.slice(equals + 1))];
    });
}

/** Escapes every byte but the unreserved characters of RFC 3986, as Signature Version 4 asks. */
export function uriEncode(bytes: string): string {
  return bytes.replace(
    /[^A-Za-z0-9_.~-]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

function decode(text: string): string {
  if (!/[%+]/.test(text)) return text;
  return text
    .replaceAll('+', ' ')
    .replace(/%([0-9a-fA-F]{2})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 16)));
}
