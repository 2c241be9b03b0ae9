import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import type { S3BlobStoreOptions } from '../../src/drivers/blobs/s3/s3-blob-store.ts';
import type { S3Server } from '../support/s3-server.ts';

let buckets = 0;

/** A new bucket on a server, as the driver is told of it. */
export async function newBucket({ endpoint, region, credentials }: S3Server): Promise<S3BlobStoreOptions> {
  buckets++;
  const bucket = `bucket-${process.pid}-${buckets}`;
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  try {
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
  } finally {
    client.destroy();
  }
  const place = { bucket, prefix: 'registry/one', region, endpoint, publicEndpoint: undefined, pathStyle: true };
  return { ...place, credentials, links: true };
}
