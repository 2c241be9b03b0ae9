import type { IncomingMessage } from 'node:http';

/**
 * The value of a header as it is signed: several of one name joined by a comma, in the order they came (Node drops or joins
 * with a blank, depending on the name). Bytes, as latin1. Undefined when there is none.
 *
 * @param name lower case
 */
export function headerValue({ rawHeaders }: IncomingMessage, name: string): string | undefined {
  let value: string | undefined;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const candidate = rawHeaders[at]!;
    if (candidate.length !== name.length || candidate.toLowerCase() !== name) continue;
    const one = rawHeaders[at + 1]!;
    value = value === undefined ? one : `${value},${one}`;
  }
  return value;
}
