import { refuse } from '../errors.ts';
import type { UploadReference } from './uploads.ts';

/** Sees to it that an upload has one writer at a time. A second one is refused, not queued. */
export interface UploadWriters {
  /** Refuses with upload-busy. The holder disposes of what it gets, once, whatever happens. */
  hold(registryId: string, upload: UploadReference): Disposable;
}

export function createUploadWriters(): UploadWriters {
  const held = new Set<string>();
  return {
    hold(registryId, { repositoryName, uploadId }) {
      if (held.has(uploadId)) refuse({ kind: 'upload-busy', repositoryName, registryId, uploadId });
      held.add(uploadId);
      return { [Symbol.dispose]: () => void held.delete(uploadId) };
    },
  };
}
