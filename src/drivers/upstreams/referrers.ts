import { UpstreamError, type UpstreamReferrer } from '../../core/upstreams/upstream.ts';
import { type Digest, parseDigest } from '../../core/values/digest.ts';
import { OCI_INDEX } from '../../core/values/media-type.ts';
import { Fault } from './fault.ts';
import { getManifest } from './manifests.ts';
import { pathOf, pullScopes } from './names.ts';
import { pagesOf } from './pages.ts';
import { parseJsonObject } from './read-json.ts';
import type { RegistryClient } from './registry-client.ts';

/** GET referrers (end-12a); see `UpstreamRegistry.referrers`. */
export async function* listReferrers(
  client: RegistryClient,
  repository: string,
  digest: Digest,
  signal: AbortSignal | undefined,
): AsyncGenerator<UpstreamReferrer> {
  const asked = `referrers of ${repository}@${digest}`;
  const at = await client.named(asked, async () => pathOf(repository, `referrers/${digest}`));
  const list = { at, asked, scopes: pullScopes(repository), signal, mediaType: OCI_INDEX };
  let hasApi = false;
  try {
    for await (const page of pagesOf(client, list)) {
      hasApi = true;
      yield* await client.named(asked, async () => referrersIn(page));
    }
  } catch (error) {
    if (hasApi || !(error instanceof UpstreamError) || !WITHOUT_API.includes(error.status ?? 0)) throw error;
    yield* await referrersOfTag(client, repository, digest, signal);
  }
}

/** How registries without the referrers API answer; the specification wants 404. */
const WITHOUT_API = [400, 404, 405, 501];

/** OCI distribution specification, "Referrers Tag Schema". */
async function referrersOfTag(
  client: RegistryClient,
  repository: string,
  digest: Digest,
  signal: AbortSignal | undefined,
): Promise<UpstreamReferrer[]> {
  const tag = digest.replace(':', '-').slice(0, TAG_LENGTH_MAX);
  try {
    const index = await getManifest(client, repository, tag, { accept: [OCI_INDEX], signal });
    if (index === 'not-modified' || index.mediaType !== OCI_INDEX) return [];
    return await client.named(`referrers tag ${repository}:${tag}`, async () =>
      referrersIn(parseJsonObject(index.content)),
    );
  } catch (error) {
    if (error instanceof UpstreamError && error.code === 'not-found') return [];
    throw error;
  }
}

const TAG_LENGTH_MAX = 128;

function referrersIn({ manifests }: Record<string, unknown>): UpstreamReferrer[] {
  if (!Array.isArray(manifests)) throw new Fault('invalid', "'manifests' is no list");
  return manifests.map(referrerOf);
}

function referrerOf(entry: unknown): UpstreamReferrer {
  const { mediaType, digest, size, artifactType, annotations } = (entry ?? {}) as Record<string, unknown>;
  const parsed = typeof digest === 'string' ? parseDigest(digest) : undefined;
  const isSize = typeof size === 'number' && Number.isSafeInteger(size) && size >= 0;
  if (typeof mediaType !== 'string' || parsed === undefined || !isSize) {
    throw new Fault('invalid', "an entry of 'manifests' is no descriptor");
  }
  return {
    mediaType,
    digest: parsed,
    size,
    ...(typeof artifactType === 'string' && { artifactType }),
    ...(isTexts(annotations) && { annotations }),
  };
}

function isTexts(value: unknown): value is Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((text) => typeof text === 'string');
}
