import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Image, NewImage } from '../../../src/core/images/image-records.ts';
import type { Blob } from '../../../src/core/layers/layer-records.ts';
import type { Upload } from '../../../src/core/layers/upload-records.ts';
import type { MetadataStore } from '../../../src/core/metadata-store.ts';
import type { Repository } from '../../../src/core/repositories/repository-records.ts';
import { type Digest, digestOf } from '../../../src/core/values/digest.ts';

/** A driver of MetadataStore as the contract suite sees it. */
export interface MetadataStoreDriver {
  readonly name: string;
  /** Opens an empty store that was never migrated. */
  open(): Promise<OpenStore>;
}

export interface OpenStore extends AsyncDisposable {
  readonly store: MetadataStore;
  /** Opens another instance on the same records, as a restart or a second process would; absent when there is no such thing. */
  readonly another?: () => Promise<MetadataStore>;
}

/** An empty store in its present form. */
export async function openMigrated(driver: MetadataStoreDriver): Promise<OpenStore> {
  const opened = await driver.open();
  await opened.store.migrate();
  return opened;
}

export const REGISTRY = { accountId: '000000000000', region: 'us-east-1' };
export const MOMENT = new Date('2026-03-04T05:06:07.089Z');
export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
export const LAYER_TYPE = 'application/vnd.oci.image.layer.v1.tar+gzip';

export function minutesLater(minutes: number): Date {
  return new Date(MOMENT.getTime() + minutes * 60_000);
}

export function someDigest(): Digest {
  return digestOf(Buffer.from(randomUUID()));
}

export function newRepository(changes: Partial<Omit<Repository, 'id'>> = {}): Omit<Repository, 'id'> {
  return {
    registry: REGISTRY,
    name: `repository/${randomUUID()}`,
    createdAt: MOMENT,
    imageTagMutability: 'MUTABLE',
    exclusionFilters: [],
    scanOnPush: false,
    encryption: { encryptionType: 'AES256' },
    resourceTags: [],
    ...changes,
  };
}

export async function addRepository(
  store: MetadataStore,
  changes: Partial<Omit<Repository, 'id'>> = {},
): Promise<Repository> {
  return present(await store.transaction('alone', (records) => records.repositories.insert(newRepository(changes))));
}

export async function addBlob(store: MetadataStore, changes: Partial<Omit<Blob, 'id'>> = {}): Promise<Blob> {
  const blob = {
    scope: 'scope',
    digest: someDigest(),
    location: randomUUID(),
    bytes: 1234,
    createdAt: MOMENT,
    ...changes,
  };
  return present(await store.transaction('alone', (records) => records.blobs.insert(blob)));
}

/** A layer of a new blob, under the blob's digest. */
export async function addLayer(store: MetadataStore, repositoryId: number, leaseUntil = MOMENT): Promise<Blob> {
  const blob = await addBlob(store);
  const layer = { repositoryId, digest: blob.digest, blobId: blob.id, leaseUntil };
  assert.ok(await store.transaction('alone', (records) => records.layers.insert(layer)));
  return blob;
}

export interface WantedImage extends Partial<NewImage> {
  readonly layers?: readonly Digest[];
  readonly children?: readonly Digest[];
  readonly tags?: readonly string[];
}

/** An image with its tags; its manifest is its digest's text. */
export async function addImage(store: MetadataStore, repositoryId: number, wanted: WantedImage = {}): Promise<Image> {
  const { layers = [], children = [], tags = [], ...changes } = wanted;
  const digest = changes.digest ?? someDigest();
  const manifest = Buffer.from(digest);
  const image = {
    repositoryId,
    digest,
    mediaType: MANIFEST_TYPE,
    manifestBytes: manifest.byteLength,
    imageBytes: 4321,
    pushedAt: MOMENT,
    ...changes,
  };
  return store.transaction('alone', async ({ images }) => {
    const described = layers.map((layer) => ({ digest: layer, mediaType: LAYER_TYPE }));
    const inserted = present(await images.insert(image, manifest, described, children));
    for (const tag of tags) await images.tag(repositoryId, tag, inserted.id, MOMENT);
    return inserted;
  });
}

export function newUpload(repositoryId: number, changes: Partial<Upload> = {}): Upload {
  return {
    id: randomUUID(),
    repositoryId,
    parts: 0,
    bytes: 0,
    lastPartBytes: 0,
    createdAt: MOMENT,
    touchedAt: MOMENT,
    ...changes,
  };
}

export function present<T>(value: T | undefined): T {
  assert.ok(value !== undefined);
  return value;
}
