import type { Call } from '../access/caller.ts';
import { type CoreDependencies, secondsAfter } from '../dependencies.ts';
import { ensureRepository } from '../repositories/create-repository.ts';
import { findRepository, requireStill } from '../repositories/find-repository.ts';
import { allowsMounts } from '../settings/account-settings.ts';
import { refusingWhenFull } from '../storage-full.ts';
import { openAppend } from './append-upload.ts';
import { completeUpload, finishUpload } from './complete-upload.ts';
import { findUpload } from './find-upload.ts';
import { PART_BYTES } from './part-rules.ts';
import { blobScopeOf } from './store-layer.ts';
import { uploadPart } from './upload-part.ts';
import { createUploadWriters } from './upload-writers.ts';
import type { Uploads } from './uploads.ts';

export function createUploads(dependencies: CoreDependencies): Uploads {
  const { metadata, blobs, encryption, now, newId, settings } = dependencies;
  const writers = createUploadWriters(dependencies);

  const target = async (call: Call, input: { repositoryName: string; createOnPush?: boolean }) => {
    if (input.createOnPush) {
      await ensureRepository(dependencies, call.registry, input.repositoryName, 'CREATE_ON_PUSH');
    }
    return findRepository(metadata.read, call.registry, input.repositoryName);
  };

  return {
    async initiate(call, input) {
      const repository = await target(call, input);
      const at = now();
      const uploadId = newId();
      const protection = await encryption.protect(repository, uploadId);
      const begun = { id: uploadId, parts: 0, bytes: 0, lastPartBytes: 0, ...(protection && { protection }) };
      await refusingWhenFull(() =>
        metadata.transaction('repository', async (records) => {
          // The same one: another of that name may be encrypted otherwise.
          await requireStill(records, repository);
          await records.uploads.insert({ ...begun, repositoryId: repository.id, createdAt: at, touchedAt: at });
        }),
      );
      return { uploadId, partBytes: PART_BYTES };
    },

    async status(call, input) {
      const { upload } = await findUpload(metadata.read, call, input);
      if (upload.parts > 0) return { bytes: upload.bytes };
      const kept = await encryption.bytes(upload.protection);
      return { bytes: await kept.stagedBytes(upload.id) };
    },

    append: (call, input) => openAppend(dependencies, writers, call, input),
    uploadPart: (call, input) => uploadPart(dependencies, writers, call, input),
    complete: (call, input) => completeUpload(dependencies, writers, call, input),
    finish: (call, input) => finishUpload(dependencies, writers, call, input),

    async cancel(call, input) {
      const { id: repositoryId } = await findRepository(metadata.read, call.registry, input.repositoryName);
      await using writer = await writers.hold(call, repositoryId, input);
      await metadata.transaction('own-rows', (records) => records.uploads.delete(input.uploadId));
      writer.ended();
      await blobs.discard(input.uploadId);
    },

    async mount(call, input) {
      const repository = await target(call, input);
      await encryption.requireKey(repository);
      if (input.from === undefined || !(await allowsMounts(metadata.read, call.registry, settings))) return false;
      const source = await metadata.read.repositories.find(call.registry, input.from);
      if (!source || blobScopeOf(source) !== blobScopeOf(repository)) return false;
      const present = await metadata.read.layers.find(source.id, input.digest);
      if (!present || encryption.isLost(present.protection)) return false;
      const leaseUntil = secondsAfter(now(), settings.layerLeaseSeconds);
      return metadata.transaction('repository', async (records) => {
        // The same one: another of that name may be encrypted otherwise.
        await requireStill(records, repository);
        const layer = await records.layers.find(source.id, input.digest);
        if (!layer) return false;
        const { digest, blobId } = layer;
        await records.layers.insert({ repositoryId: repository.id, digest, blobId, leaseUntil });
        return true;
      });
    },
  };
}
