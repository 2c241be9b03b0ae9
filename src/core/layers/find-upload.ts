import type { Call } from '../access/caller.ts';
import { refuse } from '../errors.ts';
import type { Reads } from '../metadata-store.ts';
import { findRepository } from '../repositories/find-repository.ts';
import type { Repository } from '../repositories/repository-records.ts';
import type { Upload } from './upload-records.ts';
import type { UploadReference } from './uploads.ts';

export interface FoundUpload {
  readonly repository: Repository;
  readonly upload: Upload;
}

/** The repository first, then the upload in it, as ECR checks; refuses with repository-not-found and upload-not-found. */
export async function findUpload(records: Reads, call: Call, reference: UploadReference): Promise<FoundUpload> {
  const repository = await findRepository(records, call.registry, reference.repositoryName);
  const upload = await records.uploads.find(repository.id, reference.uploadId);
  return { repository, upload: upload ?? refuseUpload(call, reference) };
}

export function refuseUpload(call: Call, { repositoryName, uploadId }: UploadReference): never {
  return refuse({ kind: 'upload-not-found', repositoryName, registryId: call.registry.accountId, uploadId });
}

export function refuseBusy(call: Call, { repositoryName, uploadId }: UploadReference): never {
  return refuse({ kind: 'upload-busy', repositoryName, registryId: call.registry.accountId, uploadId });
}
