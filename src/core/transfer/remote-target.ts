import { UpstreamError, type UpstreamRegistry } from '../upstreams/upstream.ts';
import { type Digest, digestOf } from '../values/digest.ts';
import type { KnownBlobs } from './known-blobs.ts';
import type { ImageTarget } from './transfer.ts';

export interface RemoteTargetOptions {
  /** What the registry has, as far as this server has seen: shared by all targets in it. */
  readonly known: KnownBlobs;
  /** Makes the repository unless it is there; called before the first byte is sent. */
  readonly prepare?: (options: { readonly signal?: AbortSignal | undefined }) => Promise<void>;
}

/** A repository of another registry as a target. */
export function createRemoteTarget(
  upstream: UpstreamRegistry,
  repository: string,
  { known, prepare }: RemoteTargetOptions,
): ImageTarget {
  let preparing: Promise<void> | undefined;
  const prepared = (signal: AbortSignal | undefined) => {
    preparing ??= prepare?.({ signal }) ?? Promise.resolve();
    return preparing;
  };
  let hasBelieved = false;

  return {
    async has(reference, digest, { signal } = {}) {
      const head = await upstream.headManifest(repository, reference, { signal });
      return head?.digest === digest;
    },

    async putBlob(blob, { signal } = {}) {
      if (known.has(repository, blob.digest)) {
        hasBelieved = true;
        return 'present';
      }
      return known.oneByOne(repository, blob.digest, async () => {
        if (known.has(repository, blob.digest)) return 'present';
        if (await upstream.headBlob(repository, blob.digest, { signal })) {
          known.note(repository, blob.digest);
          return 'present';
        }
        await prepared(signal);
        const home = known.homeOf(blob.digest, repository);
        if (home !== undefined && (await isMounted(upstream, repository, blob.digest, home, signal))) {
          known.note(repository, blob.digest);
          return 'shared';
        }
        await upstream.uploadBlob(repository, blob, { signal });
        known.note(repository, blob.digest);
        return 'stored';
      });
    },

    async putManifest({ content, mediaType, digest }, tag, { signal } = {}) {
      await prepared(signal);
      const manifest = { content, mediaType };
      const put = (reference: string) => upstream.putManifest(repository, reference, manifest, { signal });
      // Some registries do not bear to be given one manifest by two.
      return known.oneByOne(repository, digest, async () => {
        try {
          await put(tag ?? digest);
          // By a tag it is known by its sha256.
          if (tag !== undefined && digestOf(content) !== digest) await put(digest);
          return { isTagged: tag !== undefined };
        } catch (error) {
          if (tag === undefined || !saysImmutable(error)) throw error;
          await put(digest);
          return { isTagged: false };
        }
      });
    },

    doubt() {
      known.forget(repository);
      const before = hasBelieved;
      hasBelieved = false;
      return before;
    },
  };
}

/** A registry that minds being asked is sent the bytes. */
async function isMounted(
  upstream: UpstreamRegistry,
  repository: string,
  digest: Digest,
  from: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    return await upstream.mountBlob(repository, digest, from, { signal });
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    if (['denied', 'not-found', 'refused', 'invalid'].includes(error.code)) return false;
    throw error;
  }
}

/** ECR, Gantry: `TAG_INVALID: The image tag … cannot be overwritten because the tag is immutable.`; Harbor says it with 412. */
function saysImmutable(error: unknown): boolean {
  return (
    error instanceof UpstreamError &&
    (error.code === 'refused' || error.code === 'denied') &&
    /immutable/i.test(error.message)
  );
}
