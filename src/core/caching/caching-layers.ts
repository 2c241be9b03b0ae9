import type { Call } from '../access/caller.ts';
import type { BlobReader, ByteRange } from '../blob-store.ts';
import { isOfKey } from '../encryption/key-refusals.ts';
import { RefusedError } from '../errors.ts';
import type { LayerAvailability, Layers, StoredLayer } from '../layers/layers.ts';
import type { Repository } from '../repositories/repository-records.ts';
import { refusingWhenFull } from '../storage-full.ts';
import { type Digest, parseDigest } from '../values/digest.ts';
import { type Cache, wantedBlob } from './cache.ts';
import type { CacheRule } from './cache-rule-records.ts';
import { mayImport } from './import-permission.ts';
import { upstreamNameOf } from './rule-table.ts';
import { isMissingUpstream, upstreamRefusal } from './upstream-trouble.ts';

/** Layers of which those of repositories that a rule covers come from upstream, as they are read, when they are not here. */
export function createCachingLayers(cache: Cache, layers: Layers): Layers {
  const { table, arriving, dependencies } = cache;
  const find = async (call: Call, repositoryName: string) => {
    const rule = await table.find(call.registry, repositoryName);
    const repository = rule && (await dependencies.metadata.read.repositories.find(call.registry, repositoryName));
    return repository && { rule, repository };
  };
  /** To a look a layer whose master key is lost is not there: where a rule covers it, it comes anew from where it came. */
  const openHere: Layers['open'] = async (call, input) => {
    try {
      return await layers.open(call, input);
    } catch (error) {
      if (!isOfKey(error) || !(await table.find(call.registry, input.repositoryName))) throw error;
      return layers.open(call, { ...input, isLook: true });
    }
  };
  return {
    ...layers,

    async checkAvailability(call, input) {
      const answer = await layers.checkAvailability(call, input);
      if (!answer.layers.some(({ availability }) => availability === 'UNAVAILABLE')) return answer;
      const covered = await find(call, input.repositoryName);
      if (!covered || !(await mayImport(cache.authorizer, call, input.repositoryName, true))) return answer;
      const { id } = covered.repository;
      return { ...answer, layers: answer.layers.map((layer) => onItsWay(layer) ?? layer) };

      function onItsWay({ digest, availability }: LayerAvailability): LayerAvailability | undefined {
        const parsed = availability === 'UNAVAILABLE' ? parseDigest(digest) : undefined;
        const blob = parsed && arriving.blob(id, parsed);
        return blob && { digest, availability: 'AVAILABLE', bytes: blob.size, mediaType: blob.mediaType };
      }
    },

    async open(call, input) {
      const local = await openHere(call, input).catch((error) => missing(error));
      if (!('refusal' in local)) return local;
      const covered = await find(call, input.repositoryName);
      const digest = parseDigest(input.digest);
      const isCovered = covered && digest && (await mayImport(cache.authorizer, call, input.repositoryName, true));
      if (!isCovered) throw local;
      const place = { call, missing: local, digest, ...covered };
      return openArriving(cache, layers, place);
    },
  };
}

interface Place {
  readonly call: Call;
  readonly rule: CacheRule;
  readonly repository: Repository;
  readonly digest: Digest;
  /** What to refuse with when the upstream does not have it either. */
  readonly missing: RefusedError;
}

/** A layer that is not here: nothing is fetched before it is read. */
async function openArriving(cache: Cache, layers: Layers, place: Place): Promise<StoredLayer> {
  const { rule, repository, digest, call } = place;
  // Before anything is promised, and not as trouble of the upstream's: it is over when the key can be used again.
  await cache.dependencies.encryption.requireKey(repository);
  const named = cache.arriving.blob(repository.id, digest);
  if (named) {
    const wanted = wantedBlob(cache, rule, repository, { digest, bytes: named.size });
    await cache.answers.get(`attach ${keyOf(place)}`, () => cache.blobImports.attach(wanted));
  }
  const bytes = named?.size ?? (await knownBytes(cache, place));
  return {
    digest,
    bytes,
    referenced: named !== undefined,
    ...(named && { mediaType: named.mediaType }),
    read: (range) => refusingTrouble(cache, place, () => readArriving(range)),
  };

  async function readArriving(range: ByteRange | undefined): Promise<BlobReader> {
    const stored = await layers
      .open(call, { repositoryName: repository.name, digest, isLook: true })
      .catch((error) => missing(error));
    if (!('refusal' in stored)) return stored.read(range);
    const wanted = wantedBlob(cache, rule, repository, { digest, bytes });
    const source = cache.blobImports.begin(wanted);
    // Also what goes wrong when the answer has begun.
    source.stored.catch((error) => noteTrouble(cache, keyOf(place), error));
    return cache.blobImports.read(wanted, source, range);
  }
}

/** How long a blob is that no manifest has named, which happens after a restart: the upstream knows. */
async function knownBytes(cache: Cache, place: Place): Promise<number> {
  const { rule, repository, digest } = place;
  const underWay = cache.blobImports.find(repository.id, digest);
  const upstream = cache.upstreams.of(rule);
  return refusingTrouble(cache, place, async () => {
    if (underWay) return underWay.begun;
    const found = await cache.answers.get(keyOf(place), () =>
      upstream.headBlob(upstreamNameOf(rule, repository.name), digest),
    );
    if (found?.bytes === undefined) throw place.missing;
    return found.bytes;
  });
}

const FAILURE_SECONDS = 5;

/** An upstream that gave trouble is not asked for the same again at once. */
async function refusingTrouble<T>(cache: Cache, place: Place, work: () => Promise<T>): Promise<T> {
  const key = keyOf(place);
  const { name: repositoryName, registry } = place.repository;
  try {
    cache.failures.rethrow(key);
    return await refusingWhenFull(work).catch((error) => {
      noteTrouble(cache, key, error);
      throw error;
    });
  } catch (error) {
    if (isMissingUpstream(error)) throw place.missing;
    throw upstreamRefusal(error, place.rule, {
      kind: 'upstream-layer',
      repositoryName,
      registryId: registry.accountId,
    });
  }
}

/** A key that cannot be used is asked each time: when it can, nothing stands in the way any more. */
function noteTrouble({ failures }: Cache, key: string, error: unknown): void {
  if (error instanceof RefusedError && error.refusal.kind === 'kms') return;
  failures.note(key, error, FAILURE_SECONDS);
}

function keyOf({ rule, repository, digest }: Place): string {
  return `blob ${rule.updatedAt.getTime()} ${repository.id}/${digest}`;
}

function missing(error: unknown): RefusedError {
  if (error instanceof RefusedError && error.refusal.kind === 'layer-not-found') return error;
  throw error;
}
