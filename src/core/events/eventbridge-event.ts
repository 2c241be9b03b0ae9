import { createHash } from 'node:crypto';
import { type Registry, repositoryArn } from '../values/registry.ts';
import type { StoredEvent } from './event-records.ts';
import type {
  CacheEvent,
  ImageEvent,
  LifecycleEvent,
  RegistryEvent,
  ReplicationEvent,
  StorageClassEvent,
} from './registry-event.ts';
import { scanDetail, scanningDetail } from './scan-details.ts';

/** An event in the form in which EventBridge gives those of ECR (ECR user guide, "Amazon ECR events and EventBridge"). */
export interface EventBridgeEvent {
  readonly version: '0';
  /** A UUID, the same each time the event is delivered. */
  readonly id: string;
  readonly 'detail-type': DetailType;
  readonly source: 'aws.ecr' | 'aws.inspector2';
  readonly account: string;
  /** To the second, in UTC: `2026-11-22T05:37:12Z`. */
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
}

export type DetailType = RegistryDetailType | typeof TEST_DETAIL_TYPE;

type RegistryDetailType =
  | 'ECR Image Action'
  | 'ECR Referrer Action'
  | 'ECR Replication Action'
  | 'ECR Pull Through Cache Action'
  | 'ECR Lifecycle Policy Action'
  | 'ECR Image Scan'
  | 'ECR Scan Resource Change'
  | 'Inspector2 Scan';

/** Of the event that shows whether a target can be reached. */
export const TEST_DETAIL_TYPE = 'Gantry Test';

/** All that a target may ask for. Of lifecycle policies ECR tells in CloudTrail alone. */
export const DETAIL_TYPES: readonly RegistryDetailType[] = [
  'ECR Image Action',
  'ECR Referrer Action',
  'ECR Replication Action',
  'ECR Pull Through Cache Action',
  'ECR Lifecycle Policy Action',
  'ECR Image Scan',
  'ECR Scan Resource Change',
  'Inspector2 Scan',
];

export function toEventBridge(stored: StoredEvent): EventBridgeEvent {
  const { registry, event, at } = stored;
  return {
    version: '0',
    id: eventId(stored),
    'detail-type': detailTypeOf(event),
    source: detailTypeOf(event) === 'Inspector2 Scan' ? 'aws.inspector2' : 'aws.ecr',
    account: registry.accountId,
    time: eventTime(at),
    region: registry.region,
    resources: event.kind === 'image-scanned' ? [repositoryArn(registry, event.repositoryName)] : [],
    detail: detailOf(registry, event),
  };
}

export function detailTypeOf(event: RegistryEvent): RegistryDetailType {
  if (event.kind === 'lifecycle-applied') return 'ECR Lifecycle Policy Action';
  if (event.kind === 'image-replicated') return 'ECR Replication Action';
  if (event.kind === 'image-cached') return 'ECR Pull Through Cache Action';
  if (event.kind === 'image-scanned') return event.scanType === 'BASIC' ? 'ECR Image Scan' : 'Inspector2 Scan';
  if (event.kind === 'scanning-changed') return 'ECR Scan Resource Change';
  return event.subjectDigest === undefined ? 'ECR Image Action' : 'ECR Referrer Action';
}

export function eventTime(at: Date): string {
  return at.toISOString().replace(/\.[0-9]{3}Z$/, 'Z');
}

function detailOf(registry: Registry, event: RegistryEvent): EventBridgeEvent['detail'] {
  switch (event.kind) {
    case 'image-pushed':
      return imageDetail(event, 'PUSH');
    case 'image-deleted':
      return imageDetail(event, 'DELETE');
    case 'image-archived':
      return storageClassDetail(event, 'ARCHIVE');
    case 'image-restored':
      return storageClassDetail(event, 'STANDARD');
    case 'image-scanned':
      return scanDetail(registry, event);
    case 'scanning-changed':
      return scanningDetail(registry, event);
    case 'image-replicated':
      return replicationDetail(event);
    case 'image-cached':
      return cacheDetail(event);
    case 'lifecycle-applied':
      return lifecycleDetail(event);
  }
}

/** A referrer's media types tell whether it is a signature, an SBOM or something else. */
function imageDetail(event: ImageEvent, action: 'PUSH' | 'DELETE') {
  return {
    result: 'SUCCESS',
    'repository-name': event.repositoryName,
    'image-digest': event.digest,
    'action-type': action,
    ...(event.tag !== undefined && { 'image-tag': event.tag }),
    ...(event.subjectDigest !== undefined && mediaTypes(event)),
  };
}

function storageClassDetail(event: StorageClassEvent, storageClass: 'ARCHIVE' | 'STANDARD') {
  return {
    'action-type': 'UPDATE_STORAGE_CLASS',
    'target-storage-class': storageClass,
    'image-digest': event.digest,
    'repository-name': event.repositoryName,
    result: 'SUCCESS',
    ...mediaTypes(event),
    ...(event.activatedAt !== undefined && { 'last-activated-at': event.activatedAt }),
  };
}

function cacheDetail({ repositoryName, digest, tag, prefix, upstreamUrl }: CacheEvent) {
  return {
    'rule-version': '1',
    'sync-status': 'SUCCESS',
    'ecr-repository-prefix': prefix,
    'repository-name': repositoryName,
    'upstream-registry-url': upstreamUrl,
    ...(tag !== undefined && { 'image-tag': tag }),
    'image-digest': digest,
  };
}

function lifecycleDetail({ repositoryName, expired, transitioned, failed }: LifecycleEvent) {
  return {
    result: failed === 0 ? 'SUCCESS' : 'FAILED',
    'repository-name': repositoryName,
    'action-type': 'POLICY_EXECUTION',
    'expired-image-count': expired,
    'transitioned-image-count': transitioned,
    'failed-image-count': failed,
  };
}

/** Told where the image comes to; the source is named in it. */
function replicationDetail({ result, repositoryName, digest, tag, source }: ReplicationEvent) {
  return {
    result,
    'repository-name': repositoryName,
    'image-digest': digest,
    'source-account': source.accountId,
    'action-type': 'REPLICATE',
    'source-region': source.region,
    ...(tag !== undefined && { 'image-tag': tag }),
  };
}

function mediaTypes({ mediaType, artifactType }: ImageEvent | StorageClassEvent) {
  return {
    'manifest-media-type': mediaType,
    ...(artifactType !== undefined && { 'artifact-media-type': artifactType }),
  };
}

/**
 * Made of all that the store knows of the event, so that another store's event of the same number has another id
 * (RFC 9562 section 5.8, a UUID of our own making).
 */
function eventId({ id, registry, event, at }: StoredEvent): string {
  const facts = JSON.stringify([id, registry.accountId, registry.region, at.getTime(), event]);
  const bytes = createHash('sha256').update(facts).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
