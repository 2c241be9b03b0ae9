import type { UpstreamErrorCode } from '../../core/upstreams/upstream.ts';
import { essenceOf } from '../../core/values/media-type.ts';
import { parseChallenges } from './challenges.ts';
import { Fault } from './fault.ts';
import type { Answer } from './send-request.ts';

/** What an upstream that says no is heard for. */
const WORDS_BYTES_MAX = 64 * 1024;
const WORDS_CHARACTERS_MAX = 300;

/** Statuses of gateways and servers that come and go. */
const PASSING = [502, 503, 504];

export function isPassing(status: number): boolean {
  return PASSING.includes(status);
}

/** The fault that an unwanted answer is, with the upstream's own words. Reads and disposes of its body. */
export async function answerFault(answer: Answer): Promise<Fault> {
  const { status, headers } = answer;
  const words = await wordsOf(answer);
  const code = codeOf(answer);
  return new Fault(code, `it answered ${status}${words === '' ? '' : ` (${words})`}`, {
    status,
    isPassing: isPassing(status),
    retryAfterSeconds: code === 'too-many-requests' ? retryAfterSeconds(headers['retry-after']) : undefined,
  });
}

function codeOf({ status, headers }: Answer): UpstreamErrorCode {
  if (status === 401) return isScopeTooSmall(headers['www-authenticate']) ? 'denied' : 'unauthorized';
  if (status === 403) return 'denied';
  if (status === 404) return 'not-found';
  if (status === 429) return 'too-many-requests';
  if (status >= 500) return 'unavailable';
  return status >= 400 ? 'refused' : 'invalid';
}

/** RFC 6750, 3.1: the token is good, but not for this. */
function isScopeTooSmall(header: string | undefined): boolean {
  return parseChallenges(header ?? '').some(({ parameters }) => parameters.get('error') === 'insufficient_scope');
}

/** `CODE: message` of an OCI error body; nothing of any other body, which may be anything. */
async function wordsOf({ body, headers }: Answer): Promise<string> {
  try {
    const bytes = await body.all(WORDS_BYTES_MAX);
    const type = essenceOf(headers['content-type'] ?? '');
    const text = type.endsWith('json') || bytes[0] === OPENING_BRACE ? wordsOfErrors(bytes.toString()) : '';
    return text.replace(/[^\x20-\x7e]+/g, ' ').slice(0, WORDS_CHARACTERS_MAX);
  } catch (error) {
    if (error instanceof Fault || error instanceof SyntaxError) return '';
    throw error;
  }
}

const OPENING_BRACE = 0x7b;

/** OCI distribution specification, "Error Codes"; token services say `details` or `message` at the top. */
function wordsOfErrors(text: string): string {
  const document = JSON.parse(text) as { errors?: unknown; details?: unknown; message?: unknown } | null;
  const errors = Array.isArray(document?.errors) ? document.errors : [document];
  const sentences = errors
    .slice(0, 3)
    .map((error: { code?: unknown; message?: unknown; details?: unknown } | null) =>
      [error?.code, error?.message ?? error?.details]
        .filter((word) => typeof word === 'string' && word !== '')
        .join(': '),
    );
  return sentences.filter(Boolean).join('; ');
}

const RETRY_SECONDS_MAX = 86_400;

/** Seconds, or a date (RFC 9110, 10.2.3). */
function retryAfterSeconds(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const seconds = /^\d+$/.test(header) ? Number(header) : Math.ceil((Date.parse(header) - Date.now()) / 1000);
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(seconds, 0), RETRY_SECONDS_MAX);
}
