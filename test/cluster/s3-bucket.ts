import {
  CreateBucketCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import type { S3BlobStoreOptions } from '../../src/drivers/blobs/s3/s3-blob-store.ts';
import type { S3Server } from '../support/s3-server.ts';

let buckets = 0;

/** A new bucket on a server, as the driver is told of it. */
export async function newBucket({ endpoint, region, credentials }: S3Server): Promise<S3BlobStoreOptions> {
  buckets++;
  const bucket = `bucket-${process.pid}-${buckets}`;
  const place = { bucket, prefix: 'registry/one', region, endpoint, publicEndpoint: undefined, pathStyle: true };
  const options = { ...place, credentials, links: true };
  await withClient(options, (client) => client.send(new CreateBucketCommand({ Bucket: bucket })));
  return options;
}

/** The keys of all objects without the prefix, and of all multipart uploads that are open. */
export function contentOfBucket(options: S3BlobStoreOptions): Promise<{ objects: string[]; multiparts: string[] }> {
  const { bucket: Bucket, prefix } = options;
  const relative = ({ Key = '' }) => Key.slice(prefix.length + 1);
  return withClient(options, async (client) => {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }));
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
    return { objects: Contents.map(relative), multiparts: Uploads.map(relative) };
  });
}

/** Deletes all objects but those whose keys, without the bucket's prefix, begin so. */
export async function emptyBut(options: S3BlobStoreOptions, kept: string): Promise<void> {
  const { bucket: Bucket, prefix } = options;
  const { objects } = await contentOfBucket(options);
  await withClient(options, async (client) => {
    for (const key of objects.filter((one) => !one.startsWith(kept))) {
      await client.send(new DeleteObjectCommand({ Bucket, Key: `${prefix}/${key}` }));
    }
  });
}

/** What GANTRY_BLOBS and the environment say of a bucket. */
export function environmentOf({ bucket, prefix, endpoint, credentials }: S3BlobStoreOptions): Record<string, string> {
  return {
    GANTRY_BLOBS: `s3://${bucket}/${prefix}?region=us-east-1&endpoint=${endpoint}`,
    AWS_ACCESS_KEY_ID: credentials?.accessKeyId ?? '',
    AWS_SECRET_ACCESS_KEY: credentials?.secretAccessKey ?? '',
  };
}

export async function withClient<T>(
  { endpoint, region, credentials }: S3BlobStoreOptions,
  work: (client: S3Client) => Promise<T>,
): Promise<T> {
  const client = new S3Client({ endpoint: endpoint!, region, credentials: credentials!, forcePathStyle: true });
  try {
    return await work(client);
  } finally {
    client.destroy();
  }
}
