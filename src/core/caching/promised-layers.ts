import type { Call } from '../access/caller.ts';
import { RefusedError } from '../errors.ts';
import type { PutImageInput } from '../images/images.ts';
import { UpstreamError } from '../upstreams/upstream.ts';
import { parseDigest } from '../values/digest.ts';
import { type Cache, wantedBlob } from './cache.ts';
import { mayImport } from './import-permission.ts';

/**
 * Brings the layers that a push was refused for. A client that was told that a layer is there, since it is upstream, does not
 * send it, and names it in a manifest all the same. One after the other: the first that is not upstream ends it.
 *
 * @returns whether the push is to be tried again
 */
export async function bringPromisedLayers(
  cache: Cache,
  call: Call,
  { repositoryName }: Pick<PutImageInput, 'repositoryName'>,
  error: unknown,
): Promise<boolean> {
  if (!(error instanceof RefusedError) || error.refusal.kind !== 'layers-not-found') return false;
  const rule = await cache.table.find(call.registry, repositoryName);
  const repository = rule && (await cache.dependencies.metadata.read.repositories.find(call.registry, repositoryName));
  if (!repository || !(await mayImport(cache.authorizer, call, repositoryName, true))) return false;
  try {
    for (const digest of error.refusal.digests.map(parseDigest)) {
      if (digest) await cache.blobImports.begin(wantedBlob(cache, rule, repository, { digest })).stored;
    }
    return true;
  } catch (trouble) {
    if (trouble instanceof UpstreamError || trouble instanceof RefusedError) return false;
    throw trouble;
  }
}
