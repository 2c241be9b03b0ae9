import { resolve } from 'node:path';
import type { PlaceConfig } from '../config/move-config.ts';
import type { RegistryPlace } from '../core/moving/move-records.ts';

/** Names where a registry is; nothing secret is in it. */
export function registryPlaceOf({ dataDirectory, databaseUrl, bucket }: PlaceOf): RegistryPlace {
  const folder = dataDirectory === undefined ? 'memory' : resolve(dataDirectory);
  return {
    facts: databaseUrl === undefined ? folder : databaseName(databaseUrl),
    bytes: bucket === undefined ? folder : bucketName(bucket),
  };
}

type PlaceOf = Pick<PlaceConfig, 'databaseUrl' | 'bucket'> & {
  /** Undefined: in memory. */
  readonly dataDirectory: string | undefined;
};

function databaseName(url: string): string {
  const { hostname, port, pathname } = new URL(url);
  return `postgres://${hostname}:${port || '5432'}${pathname}`;
}

function bucketName({ bucket, prefix, endpoint, region }: NonNullable<PlaceConfig['bucket']>): string {
  const name = prefix === '' ? bucket : `${bucket}/${prefix}`;
  return `s3://${name} (${endpoint ?? `Amazon S3 in ${region}`})`;
}
