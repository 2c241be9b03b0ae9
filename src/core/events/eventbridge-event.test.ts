import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StoredEvent } from './event-records.ts';
import { toEventBridge } from './eventbridge-event.ts';
import type { ImageEvent, RegistryEvent } from './registry-event.ts';

const DIGEST = 'sha256:7f5b2640fe6fb4f46592dfd3410c4a79dac4f89e4782432e0378abcd12340000';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG = 'application/vnd.oci.image.config.v1+json';

const stored = (event: RegistryEvent, changes: Partial<StoredEvent> = {}): StoredEvent => ({
  id: 7,
  registry: { accountId: '123456789012', region: 'us-west-2' },
  event,
  at: new Date('2019-11-16T01:54:34.789Z'),
  ...changes,
});

const pushed: ImageEvent = {
  kind: 'image-pushed',
  repositoryName: 'my-repository-name',
  digest: DIGEST,
  mediaType: MANIFEST,
  artifactType: CONFIG,
  tag: 'latest',
};

const signature: ImageEvent = {
  ...pushed,
  artifactType: 'application/vnd.example.signature',
  subjectDigest: 'sha256:11',
};

const archived = { ...pushed, kind: 'image-archived' } as const;

/** The fields of each event in ECR's user guide, and those of ours. */
const DETAILS: Readonly<Record<string, { event: RegistryEvent; type: string; detail: object }>> = {
  'a push under a tag': {
    event: pushed,
    type: 'ECR Image Action',
    detail: {
      result: 'SUCCESS',
      'repository-name': 'my-repository-name',
      'image-digest': DIGEST,
      'action-type': 'PUSH',
      'image-tag': 'latest',
    },
  },
  'a deletion of an image without tags': {
    event: { kind: 'image-deleted', repositoryName: 'one', digest: DIGEST, mediaType: MANIFEST },
    type: 'ECR Image Action',
    detail: { result: 'SUCCESS', 'repository-name': 'one', 'image-digest': DIGEST, 'action-type': 'DELETE' },
  },
  'a push of a referrer': {
    event: signature,
    type: 'ECR Referrer Action',
    detail: {
      result: 'SUCCESS',
      'repository-name': 'my-repository-name',
      'image-digest': DIGEST,
      'action-type': 'PUSH',
      'image-tag': 'latest',
      'manifest-media-type': MANIFEST,
      'artifact-media-type': 'application/vnd.example.signature',
    },
  },
  'an archival': {
    event: archived,
    type: 'ECR Image Action',
    detail: {
      'action-type': 'UPDATE_STORAGE_CLASS',
      'target-storage-class': 'ARCHIVE',
      'image-digest': DIGEST,
      'repository-name': 'my-repository-name',
      result: 'SUCCESS',
      'manifest-media-type': MANIFEST,
      'artifact-media-type': CONFIG,
    },
  },
  "a referrer's restoration": {
    event: {
      kind: 'image-restored',
      repositoryName: 'sbom',
      digest: DIGEST,
      mediaType: MANIFEST,
      subjectDigest: 'sha256:11',
      activatedAt: '2025-10-10T19:13:02.740Z',
    },
    type: 'ECR Referrer Action',
    detail: {
      'action-type': 'UPDATE_STORAGE_CLASS',
      'target-storage-class': 'STANDARD',
      'image-digest': DIGEST,
      'repository-name': 'sbom',
      result: 'SUCCESS',
      'manifest-media-type': MANIFEST,
      'last-activated-at': '2025-10-10T19:13:02.740Z',
    },
  },
  'a lifecycle policy': {
    event: { kind: 'lifecycle-applied', repositoryName: 'one', expired: 3, transitioned: 2, failed: 0 },
    type: 'ECR Lifecycle Policy Action',
    detail: {
      result: 'SUCCESS',
      'repository-name': 'one',
      'action-type': 'POLICY_EXECUTION',
      'expired-image-count': 3,
      'transitioned-image-count': 2,
      'failed-image-count': 0,
    },
  },
};

describe("an event in EventBridge's form", () => {
  it('has the envelope that ECR documents, to the second', () => {
    const { id, detail, ...envelope } = toEventBridge(stored(pushed));
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.ok(detail);
    assert.deepEqual(envelope, {
      version: '0',
      'detail-type': 'ECR Image Action',
      source: 'aws.ecr',
      account: '123456789012',
      time: '2019-11-16T01:54:34Z',
      region: 'us-west-2',
      resources: [],
    });
  });

  for (const [name, { event, type, detail }] of Object.entries(DETAILS)) {
    it(`tells of ${name} with the fields it has there`, () => {
      const told = toEventBridge(stored(event));
      assert.equal(told['detail-type'], type);
      assert.deepEqual(told.detail, detail);
    });
  }

  it('has the same id each time, and another for any other event', () => {
    const { id } = toEventBridge(stored(pushed));
    assert.equal(toEventBridge(stored({ ...pushed })).id, id);
    const others = [
      stored(pushed, { id: 8 }),
      stored(pushed, { at: new Date('2019-11-16T01:54:34.790Z') }),
      stored(pushed, { registry: { accountId: '123456789012', region: 'us-west-1' } }),
      stored({ ...pushed, tag: 'other' }),
    ];
    assert.equal(new Set([id, ...others.map((other) => toEventBridge(other).id)]).size, others.length + 1);
  });

  it('says that a lifecycle policy failed when it failed for an image', () => {
    const event = { kind: 'lifecycle-applied', repositoryName: 'one', expired: 3, transitioned: 0, failed: 1 } as const;
    assert.equal(toEventBridge(stored(event)).detail.result, 'FAILED');
  });
});
