import { randomUUID } from 'node:crypto';
import { openS3BlobStore } from '../../src/drivers/blobs/s3/s3-blob-store.ts';

/** Appends the same megabyte again and again until it is killed. The upload's id is what it says first. */
const store = await openS3BlobStore(JSON.parse(process.argv[2]!));
const uploadId = randomUUID();
const appender = await store.appender(uploadId, 0);
process.send?.(uploadId);
for (;;) {
  if (!appender.write(Buffer.alloc(1024 * 1024, 'a'))) await appender.drained();
}
