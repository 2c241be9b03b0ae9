import type { BlobReader, ByteRange, KeptBytes } from '../blob-store.ts';
import { type CoreDependencies, secondsAfter } from '../dependencies.ts';
import { layerTooLarge } from '../layers/part-rules.ts';
import { blobScopeOf, storeLayer } from '../layers/store-layer.ts';
import type { Upload } from '../layers/upload-records.ts';
import type { Repository } from '../repositories/repository-records.ts';
import { refusingWhenFull } from '../storage-full.ts';
import { UpstreamError } from '../upstreams/upstream.ts';
import type { Digest } from '../values/digest.ts';
import { BlobImport, LyingUpstreamError } from './blob-import.ts';
import type { CacheUpstream } from './cache-upstreams.ts';

/** Brings blobs from upstream into repositories, each once at a time. */
export interface BlobImports extends AsyncDisposable {
  /** The import that is under way, or a new one. Whoever asked may go; it goes on. */
  begin(wanted: WantedBlob): BlobImport;
  find(repositoryId: number, digest: Digest): BlobImport | undefined;
  /** Reads a blob that is on its way, from where it is then. */
  read(wanted: WantedBlob, source: BlobImport, range?: ByteRange): Promise<BlobReader>;
  /** Makes a blob that the registry has a layer of the repository, if the upstream has it too. @returns whether it is one now */
  attach(wanted: WantedBlob): Promise<boolean>;
  /** Brings a blob that nobody waits for; at once when somebody does meanwhile. */
  bringQuietly(wanted: WantedBlob, signal: AbortSignal): Promise<void>;
}

export interface WantedBlob {
  readonly repository: Repository;
  readonly digest: Digest;
  /** As the manifest says. */
  readonly bytes?: number;
  readonly upstream: CacheUpstream;
  readonly upstreamName: string;
}

export function createBlobImports(dependencies: CoreDependencies): BlobImports {
  const { metadata, blobs, encryption, newId, quotas } = dependencies;
  const underWay = new Map<string, BlobImport>();
  const running = new Set<Promise<void>>();
  const stopping = new AbortController();
  const keyOf = (repositoryId: number, digest: Digest) => `${repositoryId}/${digest}`;

  const openStored = async (repository: Repository, digest: Digest, range: ByteRange): Promise<BlobReader> => {
    const layer = await metadata.read.layers.find(repository.id, digest);
    const kept = await encryption.bytes(layer?.protection);
    const reader = layer && (await kept.read(layer.location, range));
    if (!reader) throw new Error(`The layer ${digest} was deleted while it was read`);
    return reader;
  };

  const fetchBlob = async (wanted: WantedBlob, target: BlobImport, kept: KeptBytes): Promise<number> => {
    const { upstream, upstreamName, digest, bytes: expectedBytes } = wanted;
    await using source = await upstream.openBlob(upstreamName, digest, { expectedBytes, signal: stopping.signal });
    if (source.totalBytes > quotas.limits['layer-bytes']) {
      throw invalid(wanted, layerTooLarge(quotas.limits));
    }
    await target.receive(source, kept).catch((error) => {
      throw error instanceof LyingUpstreamError ? invalid(wanted, error.message) : error;
    });
    return source.totalBytes;
  };

  const run = async (wanted: WantedBlob, target: BlobImport, place: Promise<Disposable>): Promise<void> => {
    const { repository, digest } = wanted;
    const { uploadId } = target;
    try {
      using _ = await place;
      const upload = await newUpload(dependencies, repository, uploadId);
      const kept = await encryption.bytes(upload.protection);
      const bytes = await fetchBlob(wanted, target, kept);
      // Not before: whoever waits for the first byte would wait for the disk. Staged bytes that grow are left alone.
      await refusingWhenFull(() => metadata.transaction('own-rows', (records) => records.uploads.insert(upload)));
      const stored = await storeLayer(dependencies, repository, upload, { digest, bytes, kept });
      if (!stored) throw new Error(`The import of ${digest} was forgotten while it was under way`);
      target.succeed();
    } catch (error) {
      target.fail(error);
      await metadata.transaction('own-rows', (records) => records.uploads.delete(uploadId)).catch(() => {});
      await blobs.discard(uploadId).catch(() => {});
    }
  };

  const start = (wanted: WantedBlob, place: Promise<Disposable>): BlobImport => {
    const key = keyOf(wanted.repository.id, wanted.digest);
    const target = new BlobImport(newId(), wanted.digest);
    underWay.set(key, target);
    const ran = run(wanted, target, place).finally(() => {
      underWay.delete(key);
      running.delete(ran);
    });
    running.add(ran);
    return target;
  };

  const find: BlobImports['find'] = (repositoryId, digest) => underWay.get(keyOf(repositoryId, digest));

  return {
    find,

    begin(wanted) {
      const present = find(wanted.repository.id, wanted.digest);
      return present ?? start(wanted, wanted.upstream.blobGate.forClient());
    },

    async read({ repository, digest }, source, range) {
      const totalBytes = await source.begun;
      const { first, last } = range ?? { first: 0, last: totalBytes - 1 };
      return source.follow(totalBytes, { first, last }, (rest) => openStored(repository, digest, rest));
    },

    attach: (wanted) => attach(dependencies, wanted),

    async bringQuietly(wanted, signal) {
      const { repository, digest, upstream } = wanted;
      const present = find(repository.id, digest);
      if (present) return present.stored;
      const place = await upstream.blobGate.forNobody(signal);
      const begunMeanwhile = find(repository.id, digest);
      const layer = begunMeanwhile ? undefined : await metadata.read.layers.find(repository.id, digest);
      const isThere = layer !== undefined && !encryption.isLost(layer.protection);
      if (begunMeanwhile || isThere) {
        place[Symbol.dispose]();
        return begunMeanwhile?.stored;
      }
      return (find(repository.id, digest) ?? start(wanted, Promise.resolve(place))).stored;
    },

    async [Symbol.asyncDispose]() {
      stopping.abort(new Error('The server stops'));
      await Promise.all(running);
    },
  };
}

function invalid({ upstream: { host }, upstreamName, digest }: WantedBlob, reason: string): UpstreamError {
  const message = `${host}: blob ${upstreamName}@${digest}: ${reason}`;
  return new UpstreamError({ code: 'invalid', host, message });
}

async function newUpload({ now, encryption }: CoreDependencies, repository: Repository, id: string): Promise<Upload> {
  const protection = await encryption.protect(repository, id);
  const at = now();
  const begun = { id, repositoryId: repository.id, parts: 0, bytes: 0, lastPartBytes: 0 };
  return { ...begun, ...(protection && { protection }), createdAt: at, touchedAt: at };
}

/**
 * What may be seen upstream may be seen here. That a manifest names a blob is not enough: a registry that takes manifests without
 * their blobs would open other repositories' layers to whoever knows a digest.
 */
async function attach(
  { metadata, encryption, now, settings }: CoreDependencies,
  { repository, digest, bytes, upstream, upstreamName }: WantedBlob,
): Promise<boolean> {
  const scope = blobScopeOf(repository);
  const present = await metadata.read.blobs.find(scope, digest);
  if (!present || encryption.isLost(present.protection) || (bytes !== undefined && present.bytes !== bytes))
    return false;
  // What is wrong shows again when the blob is fetched.
  const found = await upstream.headBlob(upstreamName, digest).catch(() => undefined);
  if (!found) return false;
  const leaseUntil = secondsAfter(now(), settings.layerLeaseSeconds);
  return refusingWhenFull(() =>
    metadata.transaction('repository', async (records) => {
      const present = await records.repositories.findById(repository.id);
      const blob = present && (await records.blobs.find(scope, digest));
      if (!blob) return false;
      await records.layers.insert({ repositoryId: repository.id, digest, blobId: blob.id, leaseUntil });
      return true;
    }),
  );
}
