import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const ids = new WeakMap<IncomingMessage, string>();

/** The id that answers and log lines name a request by; made when it is first asked for. */
export function requestIdOf(request: IncomingMessage): string {
  const known = ids.get(request);
  if (known !== undefined) return known;
  const made = randomUUID();
  ids.set(request, made);
  return made;
}

/** The id if anything has asked for it. */
export function knownRequestIdOf(request: IncomingMessage): string | undefined {
  return ids.get(request);
}
