import type { KeptBytes } from '../blob-store.ts';
import { RefusedError } from '../errors.ts';
import { KeyServiceError } from './key-service.ts';

/** Runs work and turns what the key service refuses into core's word for it. */
export async function refusingKms<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw kmsRefusal(error);
  }
}

/** Bytes of a store that asks the key service itself, whenever it likes. */
export function keptRefusingKms(kept: KeptBytes): KeptBytes {
  const { downloadUrl, followStaged, readStaged } = kept;
  return {
    async appender(uploadId, offset) {
      const appender = await refusingKms(() => kept.appender(uploadId, offset));
      const { abandon, flush } = appender;
      return {
        write: (chunk) => appender.write(chunk),
        drained: () => refusingKms(() => appender.drained()),
        close: (durable) => refusingKms(() => appender.close(durable)),
        ...(flush && { flush: () => refusingKms(() => flush.call(appender)) }),
        ...(abandon && { abandon: () => abandon.call(appender) }),
      };
    },
    stagedBytes: (uploadId) => refusingKms(() => kept.stagedBytes(uploadId)),
    digest: (uploadId, algorithm) => refusingKms(() => kept.digest(uploadId, algorithm)),
    seal: (uploadId, digest, bytes) => refusingKms(() => kept.seal(uploadId, digest, bytes)),
    truncate: (uploadId, bytes) => refusingKms(() => kept.truncate(uploadId, bytes)),
    ...(followStaged && {
      followStaged: (uploadId, offset) => refusingKms(() => followStaged.call(kept, uploadId, offset)),
    }),
    ...(readStaged && { readStaged: (uploadId) => refusingKms(() => readStaged.call(kept, uploadId)) }),
    stat: (location) => refusingKms(() => kept.stat(location)),
    read: (location, range) => refusingKms(() => kept.read(location, range)),
    ...(downloadUrl && {
      downloadUrl: (location, seconds) => refusingKms(() => downloadUrl.call(kept, location, seconds)),
    }),
  };
}

function kmsRefusal(error: unknown): unknown {
  if (!(error instanceof KeyServiceError)) return error;
  return new RefusedError({ kind: 'kms', reason: error.message, kmsError: error.code }, { cause: error });
}
