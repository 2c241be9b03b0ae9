import { invalidParameter } from './errors.ts';
import type { OperationName } from './operation.ts';

/** Tokens of ours are far shorter; nothing longer is looked into. */
const TOKEN_LENGTH_MAX = 4096;

/** An opaque token that says where a list goes on. Undefined when there is nothing more. */
export function nextTokenOf(name: OperationName, position: readonly string[] | undefined): string | undefined {
  return position && Buffer.from(JSON.stringify([name, ...position])).toString('base64url');
}

/**
 * Where a token says to go on; undefined without a token.
 * Throws InvalidParameterException for a text that this operation did not hand out.
 *
 * @param length how many texts a position of this operation has
 */
export function positionIn(name: OperationName, token: string | undefined, length: number): string[] | undefined {
  if (token === undefined) return undefined;
  const [operation, ...position] = parseToken(token);
  if (operation === name && position.length === length) return position;
  throw invalidParameter('nextToken', `Member must be a token that ${name} returned`);
}

/** Some requests name what they want, or page through everything; ECR refuses those that do both. */
export function refusePaging(
  input: { readonly nextToken?: string; readonly maxResults?: number },
  given: string,
): void {
  for (const member of ['nextToken', 'maxResults'] as const) {
    if (input[member] !== undefined) throw invalidParameter(member, `Member must be null when ${given} is specified`);
  }
}

/** Not every store can look for what comes after a text with U+0000 in it, which no token of ours holds. */
function isText(part: unknown): part is string {
  return typeof part === 'string' && !part.includes('\0');
}

function parseToken(token: string): string[] {
  if (token.length > TOKEN_LENGTH_MAX) return [];
  try {
    const parsed: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    return Array.isArray(parsed) && parsed.every(isText) ? parsed : [];
  } catch {
    return [];
  }
}
