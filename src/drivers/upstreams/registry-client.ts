import { setTimeout as sleep } from 'node:timers/promises';
import { UpstreamError, type UpstreamTarget } from '../../core/upstreams/upstream.ts';
import { answerFault, isPassing } from './answer-faults.ts';
import { Authorization } from './authorization.ts';
import type { Connections } from './connections.ts';
import { Fault, throwNamed } from './fault.ts';
import { sendFollowing } from './follow-redirects.ts';
import type { Answer, RequestBody } from './send-request.ts';

export interface Question {
  readonly method: string;
  /** Below /v2/, or an address that the registry gave out. */
  readonly at: string | URL;
  /** As messages say it, such as `manifest busybox:latest`. */
  readonly asked: string;
  /** What a token has to be good for. */
  readonly scopes: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: RequestBody;
  /** The statuses of answers that are wanted. */
  readonly expected: readonly number[];
  /** Whether it may be asked twice; reading may. */
  readonly isRepeatable?: boolean;
  readonly answerSeconds?: number;
  readonly signal?: AbortSignal | undefined;
}

/** What is tried again waits so long before; as often as there are numbers. */
const PAUSES_MS = [100, 400];

/** Asks one registry: logs in as it wants, tries again what may be, and turns what is not wanted into UpstreamError. */
export class RegistryClient implements Disposable {
  readonly host: string;
  readonly connections: Connections;
  readonly #base: URL;
  readonly #authorization: Authorization;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(target: UpstreamTarget, connections: Connections, now: () => Date) {
    this.#base = baseOf(target.url);
    this.host = this.#base.host;
    this.connections = connections;
    this.#authorization = new Authorization(this.#base, connections, target, now);
    this.#headers = target.headers ?? {};
  }

  /** An answer of one of the expected statuses. Whoever gets it disposes of its body. */
  async ask(question: Question): Promise<Answer> {
    return this.named(question.asked, () => this.#askRepeatedly(question));
  }

  /** Names the host and what was asked in the fault of a later step, such as reading an answer. */
  async named<T>(asked: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throwNamed(this.host, asked, error);
    }
  }

  /**
   * An address that the registry gave out, on its own origin where it forgot that TLS ends before it.
   *
   * @param from where it was given
   */
  resolve(text: string, from: URL): URL {
    const url = URL.parse(text, from);
    if (url === null) throw new Fault('invalid', 'it refers to what is no URL');
    const forgotTls = url.protocol === 'http:' && this.#base.protocol === 'https:' && url.host === this.#base.host;
    if (forgotTls) url.protocol = 'https:';
    return url;
  }

  isOwn(url: URL): boolean {
    return url.origin === this.#base.origin;
  }

  [Symbol.dispose](): void {
    this.connections[Symbol.dispose]();
  }

  async #askRepeatedly(question: Question): Promise<Answer> {
    const isRepeatable = question.isRepeatable ?? ['GET', 'HEAD'].includes(question.method);
    for (let attempt = 0; ; attempt++) {
      const pause = isRepeatable ? PAUSES_MS[attempt] : undefined;
      try {
        const answer = await this.#askOnce(question);
        if (question.expected.includes(answer.status)) return answer;
        if (pause === undefined || !isPassing(answer.status)) throw await answerFault(answer);
        answer.body.discard();
      } catch (error) {
        if (pause === undefined || !(error instanceof Fault) || !error.isPassing) throw error;
      }
      await pauseFor(pause ?? 0, question.signal);
    }
  }

  /** With at most one other header when the first is not accepted. */
  async #askOnce(question: Question): Promise<Answer> {
    const url = question.at instanceof URL ? question.at : new URL(`v2/${question.at}`, this.#base);
    const { scopes, signal } = question;
    if (!this.isOwn(url)) {
      // Nobody else gets our credentials, and a downgrade is no better here than in a redirect.
      if (this.#base.protocol === 'https:' && url.protocol !== 'https:') {
        throw new Fault('invalid', `it refers from https to ${url.host} without TLS`);
      }
      return this.#send(question, url, undefined);
    }
    const first = await cancelled(signal, this.#authorization.headerFor(scopes));
    const answer = await this.#send(question, url, first);
    const other = await this.#otherHeader(answer, first, question);
    if (other === undefined) return answer;
    answer.body.discard();
    return this.#send(question, url, other);
  }

  async #otherHeader(
    answer: Answer,
    first: string | undefined,
    { scopes, signal }: Question,
  ): Promise<string | undefined> {
    if (!this.isOwn(answer.url)) return undefined;
    const challenge = answer.headers['www-authenticate'];
    try {
      if (answer.status === 401) {
        return await cancelled(signal, this.#authorization.headerAfter(scopes, challenge, first));
      }
      // ECR says so of a token of more than twelve hours.
      if (answer.status === 403 && first !== undefined) {
        return await cancelled(signal, this.#authorization.headerAfterExpiry(first));
      }
      return undefined;
    } catch (error) {
      answer.body.discard();
      throw error;
    }
  }

  #send(question: Question, url: URL, authorization: string | undefined): Promise<Answer> {
    const { method, headers, body, answerSeconds, signal } = question;
    return sendFollowing(this.connections, {
      method,
      url,
      headers: {
        'User-Agent': 'gantry',
        'Accept-Encoding': 'identity',
        ...headers,
        ...(this.isOwn(url) && this.#headers),
        ...(authorization !== undefined && { Authorization: authorization }),
      },
      body,
      answerSeconds: answerSeconds ?? this.connections.idleSeconds,
      signal,
    });
  }
}

function baseOf(text: string): URL {
  const url = URL.parse(text);
  const isGood = url !== null && ['https:', 'http:'].includes(url.protocol) && url.search === '' && url.hash === '';
  if (!isGood || url.username !== '' || url.password !== '') {
    const message = `an upstream's address must be https://HOST[:PORT][/PREFIX]`;
    throw new UpstreamError({ code: 'invalid', host: url?.host ?? '', message: `${url?.host ?? ''}: ${message}` });
  }
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

/** What several wait for goes on when one of them gives up. */
async function cancelled<T>(signal: AbortSignal | undefined, work: Promise<T>): Promise<T> {
  if (signal === undefined) return work;
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort);
  try {
    return await Promise.race([promise, work]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

export async function pauseFor(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(milliseconds, undefined, signal && { signal }).catch(() => {});
  signal?.throwIfAborted();
}
