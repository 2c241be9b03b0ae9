import type { Call } from '../access/caller.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { RefusedError } from '../errors.ts';
import { createImages } from '../images/image-catalog.ts';
import { createLayers } from '../layers/layers.ts';
import { type Digest, parseDigest } from '../values/digest.ts';
import type { ImageSource } from './transfer.ts';

const REFERRERS_AT_ONCE = 100;

/**
 * A repository of this server as a source; what is read does not count as pulled. Archived images are not there; every
 * method rejects with core's refusal when the repository is gone.
 */
export function createLocalSource(dependencies: CoreDependencies, call: Call, repositoryName: string): ImageSource {
  const images = createImages(dependencies);
  const layers = createLayers(dependencies);
  return {
    async manifest(reference) {
      const digest = parseDigest(reference);
      const found = await unlessMissing(
        images.getManifest(call, { repositoryName, reference: digest ? { digest } : { tag: reference }, isLook: true }),
      );
      return found && { digest: found.digest, mediaType: found.mediaType, content: found.bytes };
    },

    async blob({ digest }) {
      const layer = await unlessMissing(layers.open(call, { repositoryName, digest }));
      return layer && { digest, bytes: layer.bytes, handsOver: false, read: (range) => layer.read(range) };
    },

    hasBlob: async (digest) => (await unlessMissing(layers.open(call, { repositoryName, digest }))) !== undefined,

    async *referrers(subject: Digest) {
      let after: string | undefined = '';
      while (after !== undefined) {
        const page: Awaited<ReturnType<typeof images.referrers>> = await images.referrers(call, {
          repositoryName,
          subject,
          imageStatus: 'ACTIVE',
          after,
          limit: REFERRERS_AT_ONCE,
        });
        for (const { digest } of page.referrers) yield digest;
        after = page.next;
      }
    },
  };
}

const MISSING = ['image-not-found', 'image-archived', 'layer-not-found', 'layer-archived'];

async function unlessMissing<T>(finding: Promise<T>): Promise<T | undefined> {
  try {
    return await finding;
  } catch (error) {
    if (error instanceof RefusedError && MISSING.includes(error.refusal.kind)) return undefined;
    throw error;
  }
}
