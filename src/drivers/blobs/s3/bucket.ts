import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { GetObjectCommandOutput, S3Client } from '@aws-sdk/client-s3';
import type { ByteRange, NamedKey } from '../../../core/blob-store.ts';
import { openClient, type S3Place } from './client.ts';
import { keyRefusalOfNew } from './key-refusals.ts';
import { type NewObject, newObjectOf, requireKey } from './new-object.ts';
import { unlessMissing, withStorageErrors } from './s3-errors.ts';

type Sdk = typeof import('@aws-sdk/client-s3');

export interface ObjectFacts {
  /** Relative to the bucket's prefix, as all keys are. */
  readonly key: string;
  readonly bytes: number;
  readonly changedAt: Date;
}

/** A part as S3 has acknowledged it. */
export interface UploadedPart {
  readonly etag: string;
  readonly bytes: number;
}

export interface OpenMultipart {
  readonly key: string;
  readonly id: string;
  readonly startedAt: Date;
}

/** Opens a bucket; nothing is asked of it yet. */
export async function openBucket(place: S3Place): Promise<Bucket> {
  const sdk = await import('@aws-sdk/client-s3');
  const client = await openClient(place, place.endpoint);
  const linkClient = place.publicEndpoint === undefined ? client : await openClient(place, place.publicEndpoint);
  return new Bucket(sdk, { client, linkClient }, place);
}

/**
 * S3's requests, and no more than that. Every method rejects with StorageFullError when the store has no room, and with
 * KeyServiceError when it may not use a key.
 */
export class Bucket implements Disposable {
  readonly #sdk: Sdk;
  readonly #client: S3Client;
  readonly #linkClient: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #place: S3Place;
  readonly #newObject: NewObject;

  constructor(sdk: Sdk, clients: { client: S3Client; linkClient: S3Client }, place: S3Place, key?: NamedKey) {
    this.#sdk = sdk;
    this.#client = clients.client;
    this.#linkClient = clients.linkClient;
    this.#bucket = place.bucket;
    this.#prefix = place.prefix === '' ? '' : `${place.prefix}/`;
    this.#place = place;
    this.#newObject = newObjectOf(place, key);
  }

  /** The same bucket, whose new objects the store encrypts under a key. */
  under(key: NamedKey): Bucket {
    return new Bucket(this.#sdk, { client: this.#client, linkClient: this.#linkClient }, this.#place, key);
  }

  /** @returns the entity tag */
  async put(key: string, body: Uint8Array): Promise<string> {
    const command = new this.#sdk.PutObjectCommand({ ...this.#at(key), ...this.#newObject, Body: body });
    const made = await this.#make(this.#client.send(command), () => this.delete([key]));
    return made.ETag ?? '';
  }

  async head(key: string): Promise<{ readonly etag: string; readonly bytes: number } | undefined> {
    const found = await unlessMissing(this.#client.send(new this.#sdk.HeadObjectCommand(this.#at(key))));
    return found && { etag: found.ETag ?? '', bytes: found.ContentLength ?? 0 };
  }

  /** The whole object or a range of it, as a stream that the caller destroys. */
  async open(key: string, range?: ByteRange): Promise<Readable | undefined> {
    return (await this.#get(key, range))?.Body as Readable | undefined;
  }

  /** For small objects and ranges. */
  async read(key: string, range?: ByteRange): Promise<{ readonly etag: string; readonly body: Buffer } | undefined> {
    const found = await this.#get(key, range);
    return found && { etag: found.ETag ?? '', body: await buffer(found.Body as Readable) };
  }

  /** No error for keys that name nothing. */
  async delete(keys: readonly string[]): Promise<void> {
    const { DeleteObjectCommand } = this.#sdk;
    if (keys.length <= SINGLE_DELETES_MAX) {
      await Promise.all(keys.map((key) => unlessMissing(this.#client.send(new DeleteObjectCommand(this.#at(key))))));
      return;
    }
    const batches = Array.from({ length: Math.ceil(keys.length / DELETE_BATCH) }, (_, index) =>
      keys.slice(index * DELETE_BATCH, (index + 1) * DELETE_BATCH),
    );
    await Promise.all(batches.map((batch) => this.#deleteBatch(batch)));
  }

  /** In the order of their keys. */
  async *list(prefix: string): AsyncGenerator<ObjectFacts> {
    for (let token: string | undefined; ; ) {
      const page = await this.#client.send(
        new this.#sdk.ListObjectsV2Command({
          Bucket: this.#bucket,
          Prefix: this.#prefix + prefix,
          ContinuationToken: token,
        }),
      );
      for (const { Key = '', Size: bytes = 0, LastModified: changedAt = new Date() } of page.Contents ?? []) {
        yield { key: this.#keyOf(Key), bytes, changedAt };
      }
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
      if (token === undefined) return;
    }
  }

  /** Rejects when the bucket cannot be listed. */
  async probe(): Promise<void> {
    const { ListObjectsV2Command } = this.#sdk;
    await this.#client.send(new ListObjectsV2Command({ Bucket: this.#bucket, Prefix: this.#prefix, MaxKeys: 1 }));
  }

  /** @returns the multipart upload's id */
  async startMultipart(key: string): Promise<string> {
    const command = new this.#sdk.CreateMultipartUploadCommand({ ...this.#at(key), ...this.#newObject });
    const made = await this.#make(this.#client.send(command), ({ UploadId = '' }) =>
      this.abortMultipart(key, UploadId),
    );
    return made.UploadId ?? '';
  }

  async uploadPart(key: string, id: string, partNumber: number, body: Uint8Array): Promise<UploadedPart> {
    const part = { ...this.#at(key), UploadId: id, PartNumber: partNumber, Body: body };
    const { ETag } = await withStorageErrors(this.#client.send(new this.#sdk.UploadPartCommand(part)));
    return { etag: ETag ?? '', bytes: body.byteLength };
  }

  /** Copies a range of another object into a part, within the store. */
  async copyPart(
    key: string,
    id: string,
    partNumber: number,
    source: { key: string; range: ByteRange },
  ): Promise<UploadedPart> {
    const { first, last } = source.range;
    const command = new this.#sdk.UploadPartCopyCommand({
      ...this.#at(key),
      UploadId: id,
      PartNumber: partNumber,
      CopySource: encodeURI(`${this.#bucket}/${this.#prefix}${source.key}`),
      CopySourceRange: `bytes=${first}-${last}`,
    });
    const { CopyPartResult } = await withStorageErrors(this.#client.send(command));
    return { etag: CopyPartResult?.ETag ?? '', bytes: last - first + 1 };
  }

  /** Makes the parts an object. S3 refuses when a part is not the one whose tag is given. */
  async completeMultipart(key: string, id: string, parts: readonly UploadedPart[]): Promise<void> {
    const Parts = parts.map(({ etag }, index) => ({ ETag: etag, PartNumber: index + 1 }));
    const command = { ...this.#at(key), UploadId: id, MultipartUpload: { Parts } };
    await withStorageErrors(this.#client.send(new this.#sdk.CompleteMultipartUploadCommand(command)));
  }

  async abortMultipart(key: string, id: string): Promise<void> {
    const command = new this.#sdk.AbortMultipartUploadCommand({ ...this.#at(key), UploadId: id });
    await unlessMissing(this.#client.send(command));
  }

  async *multiparts(prefix: string): AsyncGenerator<OpenMultipart> {
    const { ListMultipartUploadsCommand } = this.#sdk;
    const where = { Bucket: this.#bucket, Prefix: this.#prefix + prefix };
    for (let after = {}; ; ) {
      const page = await this.#client.send(new ListMultipartUploadsCommand({ ...where, ...after }));
      for (const { Key = '', UploadId: id = '', Initiated: startedAt = new Date() } of page.Uploads ?? []) {
        yield { key: this.#keyOf(Key), id, startedAt };
      }
      if (!page.IsTruncated) return;
      after = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
    }
  }

  /** A link that whoever has it may read the object by. */
  async link(key: string, expiresSeconds: number): Promise<string> {
    const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner');
    const command = new this.#sdk.GetObjectCommand(this.#at(key));
    return getSignedUrl(this.#linkClient, command, { expiresIn: expiresSeconds });
  }

  [Symbol.dispose](): void {
    this.#client.destroy();
    this.#linkClient.destroy();
  }

  /** What was to be encrypted under a key and is not does not stay. */
  async #make<Made extends Parameters<typeof requireKey>[1]>(
    request: Promise<Made>,
    undo: (made: Made) => Promise<void>,
  ): Promise<Made> {
    const isUnderKey = this.#newObject.SSEKMSKeyId !== undefined;
    const made = await withStorageErrors(request).catch((error: unknown) => {
      throw (isUnderKey ? keyRefusalOfNew(error) : undefined) ?? error;
    });
    try {
      requireKey(this.#newObject, made);
    } catch (error) {
      await undo(made);
      throw error;
    }
    return made;
  }

  #get(key: string, range: ByteRange | undefined): Promise<GetObjectCommandOutput | undefined> {
    const Range = range && { Range: `bytes=${range.first}-${range.last}` };
    return unlessMissing(this.#client.send(new this.#sdk.GetObjectCommand({ ...this.#at(key), ...Range })));
  }

  async #deleteBatch(keys: readonly string[]): Promise<void> {
    const Objects = keys.map((key) => ({ Key: this.#prefix + key }));
    const command = new this.#sdk.DeleteObjectsCommand({ Bucket: this.#bucket, Delete: { Objects, Quiet: true } });
    const { Errors = [] } = await this.#client.send(command);
    const failed = Errors.find(({ Code }) => Code !== 'NoSuchKey');
    if (failed !== undefined) {
      throw new Error(`The store did not delete ${failed.Key}: ${failed.Code} ${failed.Message ?? ''}`);
    }
  }

  #at(key: string) {
    return { Bucket: this.#bucket, Key: this.#prefix + key };
  }

  #keyOf(Key: string): string {
    return Key.slice(this.#prefix.length);
  }
}

const SINGLE_DELETES_MAX = 2;
/** S3 takes 1000; stores that delete one after the other are asked for several batches at a time. */
const DELETE_BATCH = 100;
