/** What was asked for cannot be had; the message says from where and why. */
export class DownloadError extends Error {
  override readonly name = 'DownloadError';
}

/** Without a byte for so long, whoever should send them is given up. */
const SILENCE_MS = 60_000;

/**
 * The bytes of a URL, as they come.
 *
 * @throws DownloadError also while they are read: for silence, an end that comes too early, and more than `bytesMax`
 */
export async function download(url: string, bytesMax: number): Promise<AsyncGenerator<Uint8Array>> {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), SILENCE_MS);
  try {
    const response = await fetch(url, { signal: silence.signal });
    if (response.status !== 200) throw new DownloadError(`${url} answered ${response.status}`);
    return readBody(url, response, { bytesMax, timer });
  } catch (error) {
    clearTimeout(timer);
    throw error instanceof DownloadError ? error : failed(url, error);
  }
}

async function* readBody(
  url: string,
  { body }: Response,
  { bytesMax, timer }: { bytesMax: number; timer: NodeJS.Timeout },
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  try {
    for await (const chunk of body ?? []) {
      timer.refresh();
      bytes += chunk.byteLength;
      if (bytes > bytesMax) throw new DownloadError(`${url} has more than ${bytesMax} bytes`);
      yield chunk;
    }
  } catch (error) {
    throw error instanceof DownloadError ? error : failed(url, error);
  } finally {
    clearTimeout(timer);
  }
}

function failed(url: string, error: unknown): DownloadError {
  const { message, cause } = error as Error;
  const reason = cause instanceof Error ? cause.message : message;
  return new DownloadError(`${url} cannot be read: ${reason}`, { cause: error });
}
