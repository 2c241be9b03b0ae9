import type {
  Cancellation,
  ManifestRequest,
  UpstreamManifest,
  UpstreamManifestHead,
} from '../../core/upstreams/upstream.ts';
import { algorithmOf, type Digest, digestOf, parseDigest } from '../../core/values/digest.ts';
import { MANIFEST_BYTES_MAX } from '../../core/values/manifest.ts';
import {
  DOCKER_MANIFEST,
  DOCKER_MANIFEST_LIST,
  DOCKER_SCHEMA_1,
  essenceOf,
  OCI_INDEX,
  OCI_MANIFEST,
} from '../../core/values/media-type.ts';
import { Fault } from './fault.ts';
import { digestOfReference, pathOf, pullScopes, pushScopes } from './names.ts';
import { parseJsonObject } from './read-json.ts';
import type { RegistryClient } from './registry-client.ts';
import type { Answer } from './send-request.ts';

/** GET (end-3); see `UpstreamRegistry.getManifest`. */
export async function getManifest(
  client: RegistryClient,
  repository: string,
  reference: string,
  { accept = MANIFEST_TYPES, ifNoneMatch, signal }: ManifestRequest = {},
): Promise<UpstreamManifest | 'not-modified'> {
  const asked = askedFor(repository, reference);
  return client.named(asked, async () => {
    const digest = digestOfReference(reference);
    const answer = await client.ask({
      method: 'GET',
      at: pathOf(repository, `manifests/${reference}`),
      asked,
      scopes: pullScopes(repository),
      headers: { Accept: accept.join(', '), ...(ifNoneMatch && { 'If-None-Match': `"${ifNoneMatch}"` }) },
      expected: ifNoneMatch === undefined ? [200] : [200, 304],
      signal,
    });
    if (answer.status === 304) {
      answer.body.discard();
      return 'not-modified';
    }
    return verified(answer, await answer.body.all(MANIFEST_BYTES_MAX), digest);
  });
}

/** HEAD (end-3); see `UpstreamRegistry.headManifest`. A registry that leaves out what it must say is asked for the manifest. */
export async function headManifest(
  client: RegistryClient,
  repository: string,
  reference: string,
  { accept = MANIFEST_TYPES, signal }: ManifestRequest = {},
): Promise<UpstreamManifestHead | undefined> {
  const asked = askedFor(repository, reference);
  return client.named(asked, async () => {
    const wanted = digestOfReference(reference);
    const answer = await client.ask({
      method: 'HEAD',
      at: pathOf(repository, `manifests/${reference}`),
      asked,
      scopes: pullScopes(repository),
      headers: { Accept: accept.join(', ') },
      expected: [200, 404, 405],
      signal,
    });
    answer.body.discard();
    const { status, headers } = answer;
    if (status === 404) return undefined;
    const digest = parseDigest(textOf(headers['docker-content-digest']));
    const mediaType = essenceOf(headers['content-type'] ?? '');
    const bytes = Number(headers['content-length'] ?? -1);
    if (status !== 200 || digest === undefined || !(bytes > 0) || isUnspecific(mediaType)) {
      return headOfWhole(await getManifest(client, repository, reference, { accept, signal }));
    }
    if (wanted !== undefined && wanted !== digest) throw new Fault('invalid', `it answers with ${digest}`);
    return { digest, mediaType, bytes };
  });
}

/** PUT (end-7); see `UpstreamRegistry.putManifest`. Storing the same again changes nothing, so it is tried again. */
export async function putManifest(
  client: RegistryClient,
  repository: string,
  reference: string,
  { content, mediaType }: { readonly content: Uint8Array; readonly mediaType: string },
  { signal }: Cancellation = {},
): Promise<Digest> {
  const asked = `put ${askedFor(repository, reference)}`;
  return client.named(asked, async () => {
    const wanted = digestOfReference(reference);
    const digest = digestOf(content, wanted && algorithmOf(wanted));
    if (wanted !== undefined && wanted !== digest) throw new Fault('invalid', `the manifest's digest is ${digest}`);
    const answer = await client.ask({
      method: 'PUT',
      at: pathOf(repository, `manifests/${reference}`),
      asked,
      scopes: pushScopes(repository),
      headers: { 'Content-Type': mediaType },
      body: content,
      expected: [200, 201, 202],
      isRepeatable: true,
      signal,
    });
    answer.body.discard();
    const stored = parseDigest(textOf(answer.headers['docker-content-digest']));
    if (stored !== undefined && digestOf(content, algorithmOf(stored)) !== stored) {
      throw new Fault('invalid', `it stored ${stored}, not ${digest}`);
    }
    return digest;
  });
}

/** What the registry can store, in the order that it likes them. */
const MANIFEST_TYPES = [OCI_INDEX, DOCKER_MANIFEST_LIST, OCI_MANIFEST, DOCKER_MANIFEST];

function askedFor(repository: string, reference: string): string {
  return `manifest ${repository}${reference.includes(':') ? '@' : ':'}${reference}`;
}

/** Whatever the upstream says of a digest, the bytes that came have the one that counts. */
function verified({ headers }: Answer, content: Buffer, wanted: Digest | undefined): UpstreamManifest {
  const mediaType = mediaTypeOf(essenceOf(headers['content-type'] ?? ''), parseJsonObject(content));
  const promised = wanted ?? parseDigest(textOf(headers['docker-content-digest']));
  const digest = digestOf(content, promised && algorithmOf(promised));
  if (promised !== undefined && promised !== digest) {
    throw new Fault('invalid', `the bytes that came have the digest ${digest}, not ${promised}`);
  }
  return { digest, mediaType, content };
}

/** File servers and proxies do not know a manifest when they see one; then its own words count, or its members. */
function mediaTypeOf(declared: string, document: Record<string, unknown>): string {
  if (!isUnspecific(declared)) return declared;
  if (typeof document.mediaType === 'string') return essenceOf(document.mediaType);
  if (document.schemaVersion === 1) return DOCKER_SCHEMA_1;
  if (Array.isArray(document.manifests)) return OCI_INDEX;
  if (typeof document.config === 'object') return OCI_MANIFEST;
  throw new Fault('invalid', 'the answer is no manifest');
}

function isUnspecific(mediaType: string): boolean {
  return ['', 'application/json', 'application/octet-stream', 'text/plain', 'text/html'].includes(mediaType);
}

function headOfWhole(manifest: UpstreamManifest | 'not-modified'): UpstreamManifestHead {
  if (manifest === 'not-modified') throw new Fault('invalid', 'it answers conditions that nobody made');
  const { digest, mediaType, content } = manifest;
  return { digest, mediaType, bytes: content.byteLength };
}

function textOf(header: string | string[] | undefined): string {
  return [header].flat()[0] ?? '';
}
