import type { Call } from '../access/caller.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { refuseBusy, refuseUpload } from './find-upload.ts';
import { holdForServer } from './server-hold.ts';
import type { Upload } from './upload-records.ts';
import type { UploadWriter } from './upload-writer.ts';
import type { UploadReference } from './uploads.ts';

/** Sees to it that an upload has one writer at a time, on all servers. A second one is refused, not queued. */
export interface UploadWriters {
  /** Refuses with upload-not-found and upload-busy. */
  hold(call: Call, repositoryId: number, reference: UploadReference): Promise<UploadWriter>;
}

export function createUploadWriters(dependencies: CoreDependencies): UploadWriters {
  const { metadata, newId } = dependencies;
  const held = new Set<string>();
  const holder = newId();

  const takePlace = async (call: Call, repositoryId: number, reference: UploadReference): Promise<UploadWriter> => {
    if (metadata.isShared) return holdForServer(dependencies, { holder, call, repositoryId, reference });
    const upload = await metadata.read.uploads.find(repositoryId, reference.uploadId);
    return onlyServer(dependencies, call, reference, upload ?? refuseUpload(call, reference));
  };

  return {
    async hold(call, repositoryId, reference) {
      const { uploadId } = reference;
      if (held.has(uploadId)) {
        const isThere = await metadata.read.uploads.find(repositoryId, uploadId);
        return isThere ? refuseBusy(call, reference) : refuseUpload(call, reference);
      }
      held.add(uploadId);
      try {
        const writer = await takePlace(call, repositoryId, reference);
        return {
          ...writer,
          async [Symbol.asyncDispose]() {
            await writer[Symbol.asyncDispose]();
            held.delete(uploadId);
          },
        };
      } catch (error) {
        held.delete(uploadId);
        throw error;
      }
    },
  };
}

/** Nobody else could look: nothing is noted. */
function onlyServer(
  { metadata }: CoreDependencies,
  call: Call,
  reference: UploadReference,
  upload: Upload,
): UploadWriter {
  return {
    upload,
    requireHeld() {},
    async acknowledge(changes) {
      if (Object.keys(changes).length === 0) return;
      await metadata.transaction('own-rows', async ({ uploads }) => {
        if (!(await uploads.find(upload.repositoryId, upload.id))) refuseUpload(call, reference);
        await uploads.update(upload.id, changes);
      });
    },
    ended() {},
    async [Symbol.asyncDispose]() {},
  };
}
