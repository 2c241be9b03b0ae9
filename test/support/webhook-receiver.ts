import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** What a receiver was sent. */
export interface ReceivedEvent {
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly event: ReceivedBody;
}

interface ReceivedBody {
  readonly id: string;
  readonly 'detail-type': string;
  readonly source: string;
  readonly account: string;
  readonly region: string;
  readonly time: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface WebhookReceiver extends AsyncDisposable {
  readonly url: string;
  readonly received: readonly ReceivedEvent[];
  /** How the next request is answered; later ones then are again by 204. */
  answerNext(...answers: Answer[]): void;
  /** How every request is answered for which no other answer is left. */
  answerAlways(answer: Answer): void;
}

/** A status, or whatever a server may do; one that does nothing leaves the client waiting. */
export type Answer = number | ((response: ServerResponse) => void);

/** A receiver of webhooks as others would write one. @param port that of one before it, which is closed by now */
export async function startWebhookReceiver(port = 0): Promise<WebhookReceiver> {
  const received: ReceivedEvent[] = [];
  const answers: Answer[] = [];
  let always: Answer = 204;
  const server = createServer(async (request, response) => {
    const body = await text(request);
    received.push({ headers: request.headers, body, event: JSON.parse(body) });
    const answer = answers.shift() ?? always;
    if (typeof answer === 'function') answer(response);
    else response.writeHead(answer).end();
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    answerNext: (...next) => void answers.push(...next),
    answerAlways(answer) {
      always = answer;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** As docs/operating/events.md tells receivers to: over timestamp and body, in constant time, and not too old. */
export function isGenuine({ headers, body }: ReceivedEvent, secret: string, now: Date, secondsMax = 300): boolean {
  const timestamp = String(headers['gantry-timestamp']);
  const expected = Buffer.from(`v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`);
  const given = Buffer.from(String(headers['gantry-signature']));
  const isFresh = Math.abs(now.getTime() / 1000 - Number(timestamp)) <= secondsMax;
  return isFresh && given.length === expected.length && timingSafeEqual(given, expected);
}
