import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { openPostgresMetadataStore } from '../../src/drivers/metadata/postgres.ts';
import type { TestCluster } from './cluster-mode.ts';
import { startPostgres } from './postgres.ts';
import { startS3Server } from './s3-server.ts';

/** Starts the PostgreSQL and the S3 server that tests in cluster mode share. */
export async function startCluster(): Promise<
  AsyncDisposable & { readonly cluster: Omit<TestCluster, 'blobDelivery'> }
> {
  await using starting = new AsyncDisposableStack();
  // A server has twenty connections, and files of tests start several at a time.
  const postgres = starting.use(await startPostgres(['max_connections=1000', 'shared_buffers=256MB']));
  const template = await postgres.newDatabase();
  {
    await using store = await openPostgresMetadataStore({ url: template });
    await store.migrate();
  }
  const s3 = starting.use(await startS3Server());
  const client = new S3Client({ ...s3, forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  client.destroy();
  const owned = starting.move();
  const address = new URL(template);
  const name = address.pathname.slice(1);
  address.pathname = '/postgres';
  return {
    cluster: {
      postgres: address.href,
      template: name,
      bucket: BUCKET,
      region: s3.region,
      endpoint: s3.endpoint,
      // Go's HTTP client sends credentials on to another port of the same host, and S3 refuses two authorizations.
      publicEndpoint: s3.endpoint.replace('127.0.0.1', 'localhost'),
      credentials: s3.credentials,
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const BUCKET = 'tests';
