import { readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { bucketOf } from './cluster-mode.ts';

export interface StoredFile {
  /** Below the data folder, or in cluster mode below its prefix, such as `uploads/…`. */
  readonly name: string;
  readonly bytes: number;
}

/** All that a server keeps in files or objects. */
export async function storedFiles(data: string): Promise<StoredFile[]> {
  const place = bucketOf(data);
  if (place === undefined) return filesBelow(data);
  const { bucket, prefix, ...options } = place;
  const client = new S3Client({ ...options, forcePathStyle: true });
  try {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: `${prefix}/` }));
    return Contents.map(({ Key = '', Size = 0 }) => ({ name: Key.slice(prefix.length + 1), bytes: Size }));
  } finally {
    client.destroy();
  }
}

/** Files or objects of uploads that are under way. */
export async function stagedFiles(data: string): Promise<string[]> {
  return (await storedFiles(data)).map(({ name }) => name).filter((name) => name.startsWith('uploads/'));
}

async function filesBelow(folder: string): Promise<StoredFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  return Promise.all(files.map(async (file) => ({ name: relative(folder, file), bytes: (await stat(file)).size })));
}
