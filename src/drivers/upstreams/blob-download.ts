import type { BlobRequest, UpstreamBlob } from '../../core/upstreams/upstream.ts';
import type { Digest } from '../../core/values/digest.ts';
import { essenceOf } from '../../core/values/media-type.ts';
import type { AnswerBody } from './answer-body.ts';
import { Fault } from './fault.ts';
import { pathOf, pullScopes } from './names.ts';
import { pauseFor, type RegistryClient } from './registry-client.ts';
import type { Answer } from './send-request.ts';

/** GET (end-2); see `UpstreamRegistry.openBlob`. */
export async function openBlob(
  client: RegistryClient,
  repository: string,
  digest: Digest,
  request: BlobRequest = {},
): Promise<UpstreamBlob> {
  const download = new BlobDownload(client, repository, digest, request);
  await download.open();
  return download;
}

/** HEAD (end-2); see `UpstreamRegistry.headBlob`. */
export async function headBlob(
  client: RegistryClient,
  repository: string,
  digest: Digest,
  signal: AbortSignal | undefined,
): Promise<{ readonly bytes: number | undefined } | undefined> {
  const asked = `blob ${repository}@${digest}`;
  return client.named(asked, async () => {
    const at = pathOf(repository, `blobs/${digest}`);
    const expected = [200, 404];
    const answer = await client.ask({ method: 'HEAD', at, asked, scopes: pullScopes(repository), expected, signal });
    answer.body.discard();
    return answer.status === 404 ? undefined : { bytes: lengthOf(answer) };
  });
}

/** So often a broken download goes on without having got much further. */
const RESUMPTIONS_MAX = 2;
/** Who has come so far since is not stuck. */
const PROGRESS_BYTES_MIN = 1024 * 1024;

/**
 * A blob as it comes in. When the connection breaks the rest is asked for, at the registry and not where it had redirected to:
 * such links are good for a while only. Bytes of a name that is a digest cannot have changed in between, and if they did the
 * consumer's digest shows it.
 */
class BlobDownload implements UpstreamBlob {
  readonly #client: RegistryClient;
  readonly #repository: string;
  readonly #digest: Digest;
  readonly #offset: number;
  readonly #signal: AbortSignal | undefined;
  #totalBytes: number | undefined;
  /** Of the blob, not of the reader. */
  #position: number;
  #body: AnswerBody | undefined;
  #resumptions = 0;
  #resumedAt = 0;
  #isDisposed = false;

  constructor(
    client: RegistryClient,
    repository: string,
    digest: Digest,
    { offset = 0, expectedBytes, signal }: BlobRequest,
  ) {
    if (offset < 0 || (expectedBytes !== undefined && offset > expectedBytes)) {
      throw new RangeError(`Byte ${offset} is not within a blob of ${expectedBytes} bytes`);
    }
    this.#client = client;
    this.#repository = repository;
    this.#digest = digest;
    this.#offset = offset;
    this.#position = offset;
    this.#totalBytes = expectedBytes;
    this.#signal = signal;
  }

  get bytes(): number {
    return this.totalBytes - this.#offset;
  }

  get totalBytes(): number {
    return this.#totalBytes ?? 0;
  }

  get #asked(): string {
    return `blob ${this.#repository}@${this.#digest}`;
  }

  async open(): Promise<void> {
    await this.#client.named(this.#asked, () => this.#ask());
  }

  async next(): Promise<Uint8Array | undefined> {
    return this.#client.named(this.#asked, async () => {
      for (;;) {
        if (this.#isDisposed) throw new Error('The reader was disposed of');
        try {
          return await this.#read();
        } catch (error) {
          await this.#resume(error);
        }
      }
    });
  }

  recycle(): void {}

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    this.#body?.[Symbol.dispose]();
  }

  async #read(): Promise<Uint8Array | undefined> {
    const chunk = await this.#body?.next();
    if (chunk === undefined) {
      if (this.#position === this.#totalBytes) return undefined;
      throw new Fault('invalid', `it ended at ${this.#position} of ${this.#totalBytes} bytes`);
    }
    this.#position += chunk.byteLength;
    if (this.#position > this.totalBytes) throw new Fault('invalid', `it is longer than ${this.#totalBytes} bytes`);
    return chunk;
  }

  async #resume(error: unknown): Promise<void> {
    this.#body?.[Symbol.dispose]();
    if (this.#isDisposed || !(error instanceof Fault) || error.code !== 'unavailable') throw error;
    if (this.#position - this.#resumedAt >= PROGRESS_BYTES_MIN) this.#resumptions = 0;
    if (this.#resumptions === RESUMPTIONS_MAX || this.#position === this.#totalBytes) throw error;
    this.#resumptions += 1;
    this.#resumedAt = this.#position;
    await pauseFor(PAUSE_MS * this.#resumptions, this.#signal);
    await this.#ask();
  }

  async #ask(): Promise<void> {
    if (this.#position > 0 && this.#position === this.#totalBytes) return;
    const from = this.#position;
    const answer = await this.#client.ask({
      method: 'GET',
      at: pathOf(this.#repository, `blobs/${this.#digest}`),
      asked: this.#asked,
      scopes: pullScopes(this.#repository),
      ...(from > 0 && { headers: { Range: `bytes=${from}-` } }),
      expected: from > 0 ? [200, 206, 416] : [200],
      signal: this.#signal,
    });
    this.#body = answer.body;
    try {
      if (answer.status === 416) throw new Fault('invalid', `it ends before byte ${from}`);
      if (this.#isDisposed) throw new Error('The reader was disposed of');
      this.#totalBytes = totalOf(answer, from, this.#totalBytes);
      if (answer.status === 200) await this.#skip(from);
    } catch (error) {
      answer.body[Symbol.dispose]();
      throw error;
    }
  }

  /** A server without ranges sends again what is here already. */
  async #skip(bytes: number): Promise<void> {
    for (let left = bytes; left > 0; ) {
      const chunk = await this.#body?.next();
      if (chunk === undefined) throw new Fault('invalid', `it ended before ${bytes} of ${this.#totalBytes} bytes`);
      if (chunk.byteLength > left) this.#body?.putBack(chunk.subarray(left));
      left -= chunk.byteLength;
    }
  }
}

const PAUSE_MS = 100;

/** Length of the whole blob, which must be known and be the same each time. */
function totalOf(answer: Answer, from: number, expectedBytes: number | undefined): number {
  const { status, headers } = answer;
  if (essenceOf(headers['content-type'] ?? '') === 'text/html') throw new Fault('invalid', 'the answer is HTML');
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') throw new Fault('invalid', `the answer is encoded as ${encoding.slice(0, 20)}`);
  const announced = status === 206 ? totalOfRange(headers['content-range'], from) : lengthOf(answer);
  const total = announced ?? expectedBytes;
  if (total === undefined) throw new Fault('invalid', 'it does not say how long it is');
  if (expectedBytes !== undefined && total !== expectedBytes) {
    throw new Fault('invalid', `it has ${total} bytes instead of ${expectedBytes}`);
  }
  return total;
}

/** RFC 9110, 14.4; undefined when the server does not know the length. */
function totalOfRange(header: string | undefined, from: number): number | undefined {
  const [, first, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(header ?? '') ?? [];
  if (first === undefined || Number(first) !== from) throw new Fault('invalid', 'it answers with another range');
  return total === '*' ? undefined : Number(total);
}

function lengthOf({ headers }: Answer): number | undefined {
  const header = headers['content-length'];
  return header !== undefined && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}
