import type { Call } from '../access/caller.ts';
import type { BlobReader, ByteRange } from '../blob-store.ts';
import { type CoreDependencies, secondsAfter } from '../dependencies.ts';
import { refuse } from '../errors.ts';
import { findRepository } from '../repositories/find-repository.ts';
import { DIGEST_PATTERN, hasDigestShape, parseDigest } from '../values/digest.ts';
import type { Layer } from './layer-records.ts';

/** Layers and configs that a repository has. Every method refuses with repository-not-found. */
export interface Layers {
  /**
   * BatchCheckLayerAvailability. A well-formed digest that is not there, or whose master key is lost, is UNAVAILABLE, not a
   * failure. Layers told to be
   * there have their lease renewed.
   */
  checkAvailability(
    call: Call,
    input: { repositoryName: string; digests: readonly string[] },
  ): Promise<{ layers: LayerAvailability[]; failures: LayerFailure[] }>;
  /**
   * Finds a layer for reading or for telling a client that it is there. Refuses with layer-not-found, layer-archived and kms.
   *
   * @param input `isLook`: who only looks is told that a layer whose master key is lost is not there, and pushes it again
   */
  open(call: Call, input: { repositoryName: string; digest: string; isLook?: boolean }): Promise<StoredLayer>;
  /** Takes a layer out of the repository. Refuses with layer-not-found, and layer-in-use while an image uses it. */
  delete(call: Call, input: { repositoryName: string; digest: string }): Promise<void>;
}

export interface LayerAvailability {
  readonly digest: string;
  readonly availability: 'AVAILABLE' | 'UNAVAILABLE' | 'ARCHIVED';
  /** Not with UNAVAILABLE. */
  readonly bytes?: number;
  /** As the image that uses the layer names it; absent while none does. */
  readonly mediaType?: string;
}

export interface LayerFailure {
  readonly digest: string;
  /** ECR's LayerFailureCode. */
  readonly code: 'InvalidLayerDigest' | 'MissingLayerDigest';
  readonly reason: string;
}

export interface StoredLayer {
  readonly digest: string;
  readonly bytes: number;
  readonly mediaType?: string;
  /** Whether an image of the repository uses it. */
  readonly referenced: boolean;
  /** Whole, or a range that lies within `bytes`. The caller disposes of the reader. */
  read(range?: ByteRange): Promise<BlobReader>;
  /** A link that gives the bytes to whoever has it; absent when this server has to send them itself. */
  downloadUrl?(expiresSeconds: number): Promise<string>;
}

export function createLayers({ metadata, encryption, now, settings }: CoreDependencies): Layers {
  /**
   * A client that is told a layer is there must find it when its image comes; renewed at most once per half lease.
   * @returns the layers that may be told: one whose lease had ended may be collected since it was read
   */
  const keep = async (layers: readonly Layer[]): Promise<readonly Layer[]> => {
    const halfLease = secondsAfter(now(), settings.layerLeaseSeconds / 2);
    const due = layers.filter((layer) => !layer.referenced && layer.leaseUntil < halfLease);
    const [first] = due;
    if (!first) return layers;
    const leaseUntil = secondsAfter(now(), settings.layerLeaseSeconds);
    const digests = due.map((layer) => layer.digest);
    const present = await metadata.transaction('own-rows', async (records) => {
      await records.layers.renewLeases(first.repositoryId, digests, leaseUntil);
      return records.layers.findMany(first.repositoryId, digests);
    });
    const kept = new Set(present.map((layer) => layer.digest));
    return layers.filter((layer) => !due.includes(layer) || kept.has(layer.digest));
  };

  return {
    async checkAvailability(call, { repositoryName, digests }) {
      const repository = await findRepository(metadata.read, call.registry, repositoryName);
      const asked = digests.map(parseDigest).filter((digest) => digest !== undefined);
      const known = await metadata.read.layers.findMany(repository.id, asked);
      const found = await keep(known.filter(({ protection }) => !encryption.isLost(protection)));
      const byDigest = new Map(found.map((layer) => [layer.digest as string, layer]));
      const judged = digests.map((digest) => failureOf(digest) ?? availabilityOf(digest, byDigest.get(digest), now()));
      return {
        layers: judged.filter((one) => 'availability' in one),
        failures: judged.filter((one) => 'code' in one),
      };
    },

    async open(call, { repositoryName, digest, isLook = false }) {
      const { registry } = call;
      const parsed = parseDigest(digest);
      const [found] = await Promise.all([
        parsed && metadata.read.layers.findIn({ registry, name: repositoryName }, parsed),
        findRepository(metadata.read, registry, repositoryName),
      ]);
      const [layer] = found ? await keep([found]) : [];
      const missing = () =>
        refuse({ kind: 'layer-not-found', digest, repositoryName, registryId: call.registry.accountId });
      if (!layer || (isLook && encryption.isLost(layer.protection))) return missing();
      if (isArchived(layer, now())) {
        refuse({ kind: 'layer-archived', digest, repositoryName, registryId: call.registry.accountId });
      }
      const kept = await encryption.bytes(layer.protection);
      return {
        digest,
        bytes: layer.bytes,
        referenced: layer.referenced,
        ...(layer.mediaType !== undefined && { mediaType: layer.mediaType }),
        read: async (range) => (await kept.read(layer.location, range)) ?? missing(),
        ...(kept.downloadUrl && {
          downloadUrl: async (expiresSeconds) => kept.downloadUrl!(layer.location, expiresSeconds),
        }),
      };
    },

    async delete(call, { repositoryName, digest }) {
      const missing = { repositoryName, registryId: call.registry.accountId, digest };
      const parsed = parseDigest(digest);
      await metadata.transaction('repository', async (records) => {
        const repository = await findRepository(records, call.registry, repositoryName);
        const layer = parsed && (await records.layers.find(repository.id, parsed));
        if (!layer) return refuse({ kind: 'layer-not-found', ...missing });
        if (!(await records.layers.deleteUnused(repository.id, layer.digest))) {
          refuse({ kind: 'layer-in-use', ...missing });
        }
      });
    },
  };
}

function failureOf(digest: string): LayerFailure | undefined {
  if (digest === '') {
    const reason = 'Invalid request parameters: layer digest cannot be empty';
    return { digest, code: 'MissingLayerDigest', reason };
  }
  if (hasDigestShape(digest)) return undefined;
  const reason = `Invalid request parameters: layer digest should satisfy the regex '${DIGEST_PATTERN}'`;
  return { digest, code: 'InvalidLayerDigest', reason };
}

/** Only archived images use the layer, and nobody has pushed it since they were archived. */
function isArchived({ dormant, offeredUntil }: Layer, now: Date): boolean {
  return dormant && offeredUntil <= now;
}

function availabilityOf(digest: string, layer: Layer | undefined, now: Date): LayerAvailability {
  if (!layer) return { digest, availability: 'UNAVAILABLE' };
  const mediaType = layer.mediaType !== undefined && { mediaType: layer.mediaType };
  return { digest, availability: isArchived(layer, now) ? 'ARCHIVED' : 'AVAILABLE', bytes: layer.bytes, ...mediaType };
}
