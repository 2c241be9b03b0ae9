import { UpstreamError, type UpstreamRegistry } from '../upstreams/upstream.ts';
import type { ImageSource } from './transfer.ts';

/** A repository of another registry as a source. */
export function createRemoteSource(upstream: UpstreamRegistry, repository: string): ImageSource {
  return {
    async manifest(reference, options = {}) {
      try {
        const found = await upstream.getManifest(repository, reference, options);
        if (found === 'not-modified') throw new Error(`${upstream.host} answered a condition that nobody made`);
        return found;
      } catch (error) {
        if (error instanceof UpstreamError && error.code === 'not-found') return undefined;
        throw error;
      }
    },

    async blob({ digest, size }, options = {}) {
      return {
        digest,
        bytes: size,
        handsOver: true,
        read: ({ first }) => upstream.openBlob(repository, digest, { ...options, offset: first, expectedBytes: size }),
      };
    },

    hasBlob: async (digest, options) => (await upstream.headBlob(repository, digest, options)) !== undefined,

    async *referrers(subject, options) {
      for await (const { digest } of upstream.referrers(repository, subject, options)) yield digest;
    },
  };
}
