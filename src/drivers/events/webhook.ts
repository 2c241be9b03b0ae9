import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { type Delivery, DeliveryError, type EventSender } from '../../core/events/event-sender.ts';
import { isSafeAddress, lookupLocal, UNSAFE_ADDRESS } from './local-addresses.ts';
import { webhookSignature } from './webhook-signature.ts';

/** How long a receiver may take to answer. */
const TIMEOUT_MS = 10_000;
/** What an answer says besides its status is of no interest; a longer one costs its connection. */
const ANSWER_BYTES_MAX = 64 * 1024;

/**
 * POSTs events as JSON. Settings: `url`, and `allowHttp` (`true`) for http, which even then goes to local addresses only.
 * A 2xx is a delivery. Redirects are not followed: they could lead where an address of its own would not be allowed to.
 */
export function createWebhookSender({
  now,
  timeoutMs = TIMEOUT_MS,
}: {
  now: () => Date;
  timeoutMs?: number;
}): EventSender {
  const agents = { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true }) };
  return {
    async send(delivery) {
      const url = new URL(delivery.settings.url ?? '');
      if (!isSafeAddress(url, delivery.settings)) throw new DeliveryError(UNSAFE_ADDRESS, { isFinal: true });
      const body = JSON.stringify(delivery.event);
      const signal = AbortSignal.any([delivery.signal, AbortSignal.timeout(timeoutMs)]);
      const options = { method: 'POST', headers: headersOf(delivery, body, now()), signal };
      const begin = () =>
        url.protocol === 'https:'
          ? httpsRequest(url, { ...options, agent: agents.https })
          : httpRequest(url, { ...options, agent: agents.http, lookup: lookupLocal });
      const status = await statusOf(begin, body).catch((cause: NodeJS.ErrnoException) => {
        const isSilence = signal.aborted && signal.reason.name === 'TimeoutError';
        const message = isSilence ? `no answer in ${timeoutMs / 1000} s` : whyUnreachable(cause);
        throw new DeliveryError(message, { isSilence, cause });
      });
      if (status >= 200 && status <= 299) return `it answered ${status}`;
      if (status === 410) throw new DeliveryError('it answered 410: it wants no more events', { isFinal: true });
      const hint = status >= 300 && status <= 399 ? '; redirects are not followed' : '';
      throw new DeliveryError(`it answered ${status}${hint}`);
    },
  };
}

function headersOf({ event, attempt, secret }: Delivery, body: string, at: Date): Record<string, string | number> {
  const timestamp = String(Math.floor(at.getTime() / 1000));
  return {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    'User-Agent': 'gantry',
    'Gantry-Event-Id': event.id,
    'Gantry-Delivery-Attempt': attempt,
    'Gantry-Timestamp': timestamp,
    ...(secret !== undefined && { 'Gantry-Signature': webhookSignature(secret, timestamp, body) }),
  };
}

/** A connection kept from before may have been closed by the other side just now: then once more on a new one. */
async function statusOf(begin: () => ClientRequest, body: string): Promise<number> {
  const request = begin();
  try {
    return await answerTo(request, body);
  } catch (error) {
    const isStale = request.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET';
    if (!isStale) throw error;
    return answerTo(begin(), body);
  }
}

function answerTo(request: ClientRequest, body: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  request.once('response', (response) => {
    drain(response);
    resolve(response.statusCode ?? 0);
  });
  // Also what goes wrong after the answer, when nobody waits any more.
  request.on('error', reject);
  request.end(body);
  return promise;
}

function drain(response: IncomingMessage): void {
  let bytes = 0;
  response.on('error', () => {});
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.byteLength;
    if (bytes > ANSWER_BYTES_MAX) response.destroy();
  });
}

/** Without the address: whoever knows it may be allowed to call it, and the words go to logs. */
function whyUnreachable(error: NodeJS.ErrnoException): string {
  if (error.name === 'AbortError') return 'cut off before it answered';
  if (error.code === 'ENOTFOUND') return 'its name is not known (ENOTFOUND)';
  return `it cannot be reached: ${error.code ?? error.message}`;
}
