import { UpstreamError } from '../../core/upstreams/upstream.ts';
import { Fault } from './fault.ts';
import type { RegistryClient } from './registry-client.ts';

/** GET /v2/ (end-1); see `UpstreamRegistry.ping`. */
export async function ping(client: RegistryClient, signal: AbortSignal | undefined): Promise<void> {
  const asked = 'login';
  await client.named(asked, async () => {
    const answer = await ask(client, asked, signal);
    const bytes = await answer.body.all(ANSWER_BYTES_MAX);
    // Any web server answers something; a registry answers an empty object, or nothing at all.
    const isRegistry =
      'docker-distribution-api-version' in answer.headers || /^\s*(\{.*\}\s*)?$/s.test(bytes.toString());
    if (!isRegistry) throw new Fault('invalid', 'it answers, but not as a registry does');
  });
}

const ANSWER_BYTES_MAX = 64 * 1024;

async function ask(client: RegistryClient, asked: string, signal: AbortSignal | undefined) {
  try {
    return await client.ask({ method: 'GET', at: '', asked, scopes: [], expected: [200], signal });
  } catch (error) {
    if (error instanceof UpstreamError && error.code === 'not-found') {
      throw new Fault('invalid', 'it has no /v2/, so it is no registry', { status: 404, cause: error });
    }
    throw error;
  }
}
