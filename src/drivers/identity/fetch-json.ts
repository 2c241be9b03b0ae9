/** An issuer that takes longer is as good as down. */
const TIMEOUT_MS = 5000;
/** Many times what discovery documents and key sets have. */
const BYTES_MAX = 256 * 1024;

/**
 * A JSON object from an https address, within bounds of time and size. Redirects are not followed: they could lead
 * where an address of its own would not be allowed to.
 */
export async function fetchJson(address: string): Promise<Record<string, unknown>> {
  const response = await fetch(address, {
    redirect: 'error',
    headers: { Accept: 'application/json' },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((error: Error) => {
    const reason = error.name === 'TimeoutError' ? `no answer in ${TIMEOUT_MS / 1000} s` : 'it cannot be reached';
    throw new Error(`${reason} (${address})`, { cause: error });
  });
  const text = await readText(response, address);
  if (!response.ok) throw new Error(`it answered ${response.status} (${address})`);
  return parseObject(text, address);
}

/** Whether an address may be asked: https, or http on this machine. */
export function isFetchable(address: string, { loopback = true }: { loopback?: boolean } = {}): boolean {
  const url = URL.parse(address);
  if (url?.protocol === 'https:') return true;
  return loopback && url?.protocol === 'http:' && LOOPBACK.test(url.hostname);
}

const LOOPBACK = /^(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])$/;

async function readText(response: Response, address: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response.body ?? []) {
      bytes += chunk.byteLength;
      if (bytes > BYTES_MAX) break;
      chunks.push(chunk);
    }
  } catch (error) {
    throw new Error(`its answer broke off (${address})`, { cause: error });
  }
  if (bytes > BYTES_MAX) throw new Error(`it answered more than ${BYTES_MAX} bytes (${address})`);
  return Buffer.concat(chunks).toString('utf8');
}

function parseObject(text: string, address: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return { ...parsed };
  } catch {}
  throw new Error(`it answered something else than a JSON object (${address})`);
}
