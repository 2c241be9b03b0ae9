import type { BlobLocation, BlobStore, KeptBytes } from '../blob-store.ts';
import { type CoreDependencies, secondsAfter } from '../dependencies.ts';
import type { Records } from '../metadata-store.ts';
import { requireStill } from '../repositories/find-repository.ts';
import type { Repository } from '../repositories/repository-records.ts';
import { refusingWhenFull } from '../storage-full.ts';
import type { Digest } from '../values/digest.ts';
import type { Blob } from './layer-records.ts';
import type { Upload } from './upload-records.ts';

/** Who may share bytes: one registry, one way of encryption, one key. */
export function blobScopeOf({ registry, encryption }: Repository): string {
  const { encryptionType, kmsKey } = encryption;
  const way = kmsKey === undefined ? encryptionType : `${encryptionType}/${kmsKey}`;
  return `${registry.accountId}/${registry.region}/${way}`;
}

/**
 * Ends an upload whose digest was verified: bytes are sealed and synced first, then one transaction makes them a layer of the
 * repository and forgets the upload. Bytes that the registry has already are not kept twice, but they take the place of those
 * whose master key is lost.
 *
 * @param kept the store's view of the upload's bytes
 * @returns undefined when the staged bytes, or the upload's record, are gone
 */
export async function storeLayer(
  dependencies: CoreDependencies,
  repository: Repository,
  upload: Upload,
  { kept, ...verified }: { digest: Digest; bytes: number; kept: KeptBytes },
): Promise<{ existed: boolean } | undefined> {
  const { blobs, metadata, encryption, now } = dependencies;
  const leaseUntil = secondsAfter(now(), dependencies.settings.layerLeaseSeconds);
  const attach = async (records: Records, blob: Blob) => {
    const layer = { repositoryId: repository.id, digest: verified.digest, blobId: blob.id, leaseUntil };
    if (await records.layers.insert(layer)) return { existed: false };
    // To the client a layer that only archived images use was not there.
    const present = await records.layers.find(repository.id, verified.digest);
    return { existed: present?.dormant !== true };
  };
  const scope = blobScopeOf(repository);

  const present = await metadata.read.blobs.find(scope, verified.digest);
  if (present && !encryption.isLost(present.protection)) {
    const attached = await metadata.transaction('repository', async (records) => {
      await requireStill(records, repository);
      const blob = await records.blobs.find(scope, verified.digest);
      if (!blob) return 'blob-gone';
      return (await records.uploads.delete(upload.id)) ? attach(records, blob) : undefined;
    });
    if (attached !== 'blob-gone') {
      await blobs.discard(upload.id);
      return attached;
    }
  }

  const location = await refusingWhenFull(() => kept.seal(upload.id, verified.digest, verified.bytes));
  if (location === undefined) return undefined;
  const { protection } = upload;
  const sealed = { scope, ...verified, location, ...(protection && { protection }), createdAt: now() };
  return refusingWhenFull(() => recordSealed(dependencies, repository, upload, sealed, attach));
}

/**
 * Records sealed bytes. Of two uploads of the same bytes the first recorded is kept, and none of an upload that was
 * forgotten meanwhile, perhaps with its repository.
 */
async function recordSealed(
  { blobs, metadata, encryption }: CoreDependencies,
  repository: Repository,
  upload: Upload,
  sealed: Omit<Blob, 'id'>,
  attach: (records: Records, blob: Blob) => Promise<{ existed: boolean }>,
): Promise<{ existed: boolean } | undefined> {
  const { attached, location } = await metadata.transaction('repository', async (records) => {
    await requireStill(records, repository);
    if (!(await records.uploads.delete(upload.id))) {
      // A server that was taken for dead may have sealed the same bytes at the same location, and recorded them.
      return { location: (await records.blobs.hasLocation(sealed.location)) ? sealed.location : undefined };
    }
    const blob = await insertOrFind(records, sealed);
    const attached = await attach(records, blob);
    if (!encryption.isLost(blob.protection)) return { attached, location: blob.location };
    // Those that nobody can read are collected as what no record names.
    const isReplaced = await records.blobs.replaceBytes(blob.id, blob.location, sealed);
    return { attached: { existed: !isReplaced }, location: isReplaced ? sealed.location : blob.location };
  });
  await deleteUnlessKept(blobs, sealed.location, location);
  return attached;
}

/** One that is there may be collected before it is found; then there is room for this one. */
async function insertOrFind({ blobs }: Records, sealed: Omit<Blob, 'id'>): Promise<Blob> {
  for (;;) {
    const blob = (await blobs.insert(sealed)) ?? (await blobs.find(sealed.scope, sealed.digest));
    if (blob) return blob;
  }
}

async function deleteUnlessKept(blobs: BlobStore, sealed: BlobLocation, kept: BlobLocation | undefined) {
  if (sealed !== kept) await blobs.delete(sealed);
}
