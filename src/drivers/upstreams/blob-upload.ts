import { type BlobSource, type UploadRequest, UpstreamError } from '../../core/upstreams/upstream.ts';
import type { Digest } from '../../core/values/digest.ts';
import { headBlob } from './blob-download.ts';
import { Fault } from './fault.ts';
import { pathOf, pushScopes } from './names.ts';
import { pauseFor, type RegistryClient } from './registry-client.ts';
import type { Answer } from './send-request.ts';

/** POST with mount (end-11); see `UpstreamRegistry.mountBlob`. */
export async function mountBlob(
  client: RegistryClient,
  repository: string,
  digest: Digest,
  fromRepository: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const asked = `mount of blob ${repository}@${digest}`;
  return client.named(asked, async () => {
    const upload = new BlobUpload(client, repository, asked, signal);
    const isMounted = (await upload.start({ digest, from: fromRepository })) === 'mounted';
    if (!isMounted) upload.cancel();
    return isMounted;
  });
}

/**
 * POST, PATCH, PUT (end-4a, 5, 6); see `UpstreamRegistry.uploadBlob`. All bytes go in one PATCH, as docker sends them: that is
 * what every registry takes. One that takes no PATCH gets them with the PUT.
 */
export async function uploadBlob(
  client: RegistryClient,
  repository: string,
  blob: BlobSource,
  { mountFrom, signal }: UploadRequest = {},
): Promise<'uploaded' | 'mounted'> {
  const asked = `upload of blob ${repository}@${blob.digest}`;
  return client.named(asked, async () => {
    const upload = new BlobUpload(client, repository, asked, signal);
    const mount = mountFrom === undefined ? undefined : { digest: blob.digest, from: mountFrom };
    if ((await upload.start(mount)) === 'mounted') return 'mounted';
    try {
      if (await upload.sendBytes(blob)) await upload.complete(blob.digest);
      else await upload.sendAtOnce(blob);
    } catch (error) {
      // The answer may have been lost, and not the blob.
      if (isUnavailable(error) && (await isThere(client, repository, blob, signal))) return 'uploaded';
      upload.cancel();
      throw error;
    }
    return 'uploaded';
  });
}

async function isThere(
  client: RegistryClient,
  repository: string,
  { digest, bytes }: BlobSource,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const found = await headBlob(client, repository, digest, signal).catch(() => undefined);
  return found?.bytes === bytes;
}

/** An upload goes on after a broken connection as often as there are numbers, each time so much later. */
const PAUSES_MS = [200, 400, 1600];
/** How registries without PATCH say so. */
const WITHOUT_PATCH = [404, 405, 415, 501];

/** One upload session; every answer may move it to another address. */
class BlobUpload {
  readonly #client: RegistryClient;
  readonly #repository: string;
  readonly #asked: string;
  readonly #signal: AbortSignal | undefined;
  #location: URL | undefined;

  constructor(client: RegistryClient, repository: string, asked: string, signal: AbortSignal | undefined) {
    this.#client = client;
    this.#repository = repository;
    this.#asked = asked;
    this.#signal = signal;
  }

  /** Asked again when it fails: an upload that nobody goes on with is forgotten by the registry. */
  async start(mount?: { readonly digest: Digest; readonly from: string }): Promise<'started' | 'mounted'> {
    const query = mount === undefined ? '' : `?${new URLSearchParams({ mount: mount.digest, from: mount.from })}`;
    const answer = await this.#ask({
      method: 'POST',
      at: `${pathOf(this.#repository, 'blobs/uploads/')}${query}`,
      scopes: pushScopes(this.#repository, mount?.from),
      body: NO_BYTES,
      expected: mount === undefined ? [202] : [201, 202],
      isRepeatable: true,
    });
    if (answer.status === 201) return 'mounted';
    if (this.#location === undefined) throw new Fault('invalid', 'it does not say where to upload to');
    return 'started';
  }

  /** @returns false when the registry does not take bytes before the end of an upload */
  async sendBytes(blob: BlobSource): Promise<boolean> {
    let resumptions = 0;
    for (let sent = 0; sent < blob.bytes; ) {
      try {
        await this.#patch(blob, sent);
        return true;
      } catch (error) {
        if (sent === 0 && error instanceof UpstreamError && WITHOUT_PATCH.includes(error.status ?? 0)) return false;
        const isPassing = isUnavailable(error) || (resumptions > 0 && isBehind(error));
        if (!isPassing || resumptions === PAUSES_MS.length) throw error;
      }
      await pauseFor(PAUSES_MS[resumptions++] ?? 0, this.#signal);
      sent = await this.#sentBytes(blob.bytes);
    }
    return true;
  }

  async complete(digest: Digest): Promise<void> {
    await this.#put(digest, { body: NO_BYTES });
  }

  /** POST and PUT (end-4a, end-6), in an upload of its own. */
  async sendAtOnce(blob: BlobSource): Promise<void> {
    this.cancel();
    this.#location = undefined;
    await this.start();
    await this.#put(blob.digest, { headers: BYTES, body: bodyOf(blob, 0) });
  }

  /** Tells the registry in the background that nobody goes on with the upload. */
  cancel(): void {
    const location = this.#location;
    if (location === undefined) return;
    const question = {
      method: 'DELETE',
      at: location,
      expected: [200, 202, 204],
      signal: AbortSignal.timeout(CANCEL_MS),
    };
    this.#client
      .ask({ ...question, asked: this.#asked, scopes: pushScopes(this.#repository) })
      .then(({ body }) => body.discard())
      .catch(() => {});
  }

  async #patch(blob: BlobSource, from: number): Promise<void> {
    const range = from === 0 ? {} : { 'Content-Range': `${from}-${blob.bytes - 1}` };
    await this.#ask({
      method: 'PATCH',
      headers: { ...BYTES, ...range },
      body: bodyOf(blob, from),
      expected: [202, 201, 204],
    });
  }

  async #put(digest: Digest, request: Pick<Ask, 'headers' | 'body'>): Promise<void> {
    const at = new URL(this.#address());
    at.searchParams.set('digest', digest);
    const answerSeconds = this.#client.connections.commitSeconds;
    const answer = await this.#ask({ method: 'PUT', at, ...request, expected: [201, 204], answerSeconds });
    const stored = answer.headers['docker-content-digest'];
    if (stored !== undefined && stored !== digest) throw new Fault('invalid', `it stored ${stored}, not ${digest}`);
  }

  /** GET of the session (end-13). */
  async #sentBytes(bytesMax: number): Promise<number> {
    const { headers } = await this.#ask({ method: 'GET', expected: [200, 202, 204] });
    const last = Number(/^(?:bytes=)?0-(\d+)$/.exec(headers.range ?? '0-0')?.[1]);
    // `0-0` is what distribution says of no bytes; of one byte too, which then is refused and nothing lost.
    const sent = last === 0 ? 0 : last + 1;
    if (Number.isNaN(sent) || sent > bytesMax) throw new Fault('invalid', 'it says it has other bytes than were sent');
    return sent;
  }

  async #ask(ask: Ask): Promise<Answer> {
    const answer = await this.#client.ask({
      at: this.#location ?? '',
      scopes: pushScopes(this.#repository),
      ...ask,
      asked: this.#asked,
      signal: this.#signal,
    });
    answer.body.discard();
    const { location } = answer.headers;
    if (location !== undefined && answer.status !== 201) this.#location = this.#client.resolve(location, answer.url);
    return answer;
  }

  #address(): URL {
    if (this.#location === undefined) throw new Fault('invalid', 'it does not say where to upload to');
    return this.#location;
  }
}

type Ask = Partial<Parameters<RegistryClient['ask']>[0]> & {
  readonly method: string;
  readonly expected: readonly number[];
};

const CANCEL_MS = 5000;
const NO_BYTES = new Uint8Array();
const BYTES = { 'Content-Type': 'application/octet-stream' };

function bodyOf(blob: BlobSource, from: number) {
  return { bytes: blob.bytes - from, open: () => blob.read({ first: from, last: blob.bytes - 1 }) };
}

/** Whether the upstream has not noticed yet that the connection broke, or still takes in what came before. */
function isBehind(error: unknown): boolean {
  return error instanceof UpstreamError && (error.status === 409 || error.status === 416);
}

function isUnavailable(error: unknown): boolean {
  return (error instanceof UpstreamError || error instanceof Fault) && error.code === 'unavailable';
}
