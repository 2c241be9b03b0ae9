import type { Digest } from './values/digest.ts';
import { describeImageId, type ImageIdentifier } from './values/image-reference.ts';

interface InRepository {
  readonly repositoryName: string;
  readonly registryId: string;
}

/** Why nothing came of what was asked of the registry behind a pull-through cache. */
interface UpstreamTrouble {
  /** `credentials`: those of the rule's secret cannot be read, or are not taken. */
  readonly trouble: 'credentials' | 'denied' | 'too-many-requests' | 'unavailable' | 'invalid';
  /** Names the host and what it said. */
  readonly reason: string;
  readonly retryAfterSeconds?: number;
}

interface InUpload extends InRepository {
  readonly uploadId: string;
}

/**
 * Every way core says no, with its facts. Each protocol maps every kind to its wire in one exhaustive table; the words
 * are `describeRefusal`'s and the same on every face.
 */
export type Refusal =
  | {
      readonly kind: 'invalid-parameter';
      readonly parameter: string;
      readonly constraint: string;
      /** What ECR does not say, behind its sentence. */
      readonly detail?: string;
    }
  | {
      readonly kind: 'access-denied';
      readonly callerArn: string;
      readonly action: string;
      readonly resource: string;
      /** As ECR ends the sentence: `because no identity-based policy allows the … action`. */
      readonly because?: string;
    }
  | { readonly kind: 'credentials-unknown' }
  | { readonly kind: 'credentials-expired' }
  | { readonly kind: 'web-identity-invalid'; readonly reason: string }
  | { readonly kind: 'repository-policy-not-found'; readonly repositoryName: string; readonly registryId: string }
  | { readonly kind: 'registry-policy-not-found'; readonly registryId: string }
  | { readonly kind: 'template-already-exists'; readonly prefix: string; readonly registryId: string }
  | { readonly kind: 'template-not-found'; readonly prefix: string; readonly registryId: string }
  | { readonly kind: 'cache-rule-already-exists'; readonly prefix: string; readonly registryId: string }
  | { readonly kind: 'cache-rule-not-found'; readonly prefix: string; readonly registryId: string }
  | { readonly kind: 'unsupported-upstream'; readonly reason: string }
  | { readonly kind: 'secret-not-found'; readonly arn: string }
  | { readonly kind: 'secret-inaccessible'; readonly arn: string; readonly because: string }
  | { readonly kind: 'secret-undecryptable'; readonly arn: string }
  | ({ readonly kind: `upstream-${'image' | 'layer' | 'referrers'}` } & UpstreamTrouble & InRepository)
  | ({ readonly kind: 'lifecycle-policy-not-found' } & InRepository)
  | ({ readonly kind: 'lifecycle-preview-in-progress' } & InRepository)
  | ({ readonly kind: 'lifecycle-preview-not-found' } & InRepository)
  | ({ readonly kind: 'scan-not-found'; readonly imageId: ImageIdentifier } & InRepository)
  | { readonly kind: 'scanning-disabled'; readonly reason: string }
  | { readonly kind: 'unsupported-image-type'; readonly reason: string }
  | { readonly kind: 'signing-configuration-not-found'; readonly registryId: string }
  | { readonly kind: 'signing-profile-unusable'; readonly reason: string }
  | { readonly kind: 'backfill-in-progress'; readonly backfillId: string; readonly region: string }
  | { readonly kind: 'backfill-invalid-status'; readonly backfillId: string; readonly status: string }
  | { readonly kind: 'backfill-not-found'; readonly backfillId: string; readonly registryId: string }
  | { readonly kind: 'exclusion-already-exists'; readonly principalArn: string; readonly registryId: string }
  | { readonly kind: 'exclusion-not-found'; readonly principalArn: string; readonly registryId: string }
  | ({ readonly kind: 'repository-not-found' } & InRepository)
  | ({ readonly kind: 'repository-already-exists' } & InRepository)
  | ({ readonly kind: 'repository-not-empty' } & InRepository)
  | { readonly kind: 'invalid-resource-tag'; readonly reason: string }
  | { readonly kind: 'too-many-resource-tags'; readonly repositoryName: string; readonly tagsMax: number }
  | ({ readonly kind: 'upload-not-found' } & InUpload)
  | ({ readonly kind: 'upload-busy' } & InUpload)
  | ({ readonly kind: 'upload-empty' } & InUpload)
  | ({
      readonly kind: 'layer-part-invalid';
      /** Absent while nothing was received. */
      readonly lastValidByteReceived?: number;
      readonly reason: string;
    } & InUpload)
  | ({ readonly kind: 'layer-part-too-small' } & InUpload)
  | ({ readonly kind: 'layer-limit-exceeded'; readonly reason: string } & InUpload)
  | ({ readonly kind: 'layer-digest-mismatch' } & InUpload)
  | ({ readonly kind: 'layer-already-exists'; readonly digest: Digest } & InRepository)
  | ({ readonly kind: 'layer-not-found'; readonly digest: string } & InRepository)
  | ({ readonly kind: 'layer-inaccessible'; readonly digest: string } & InRepository)
  | ({ readonly kind: 'layer-archived'; readonly digest: string } & InRepository)
  | ({ readonly kind: 'layer-in-use'; readonly digest: string } & InRepository)
  | ({ readonly kind: 'layers-not-found'; readonly digests: readonly string[] } & InRepository)
  | { readonly kind: 'download-link-invalid'; readonly reason: string }
  | ({ readonly kind: 'image-not-found'; readonly imageId: ImageIdentifier } & InRepository)
  | ({
      readonly kind: 'image-archived';
      readonly imageId: ImageIdentifier;
      readonly status: 'ARCHIVED' | 'ACTIVATING';
    } & InRepository)
  | { readonly kind: 'image-storage-class-update-not-supported'; readonly reason: string }
  | ({ readonly kind: 'image-already-exists'; readonly digest: string; readonly tag?: string } & InRepository)
  | { readonly kind: 'image-tag-already-exists'; readonly tag: string; readonly repositoryName: string }
  | ({ readonly kind: 'image-digest-mismatch'; readonly digest: string } & InRepository)
  | ({ readonly kind: 'referenced-images-not-found'; readonly digests: readonly string[] } & InRepository)
  | { readonly kind: 'image-referenced-by-index'; readonly indexDigests: readonly string[] }
  | { readonly kind: 'manifest-invalid'; readonly reason: string }
  | ({ readonly kind: 'image-not-restorable'; readonly digest: Digest; readonly because: string } & InRepository)
  | ({ readonly kind: 'tag-not-restorable'; readonly tag: string; readonly because: string } & InRepository)
  | { readonly kind: 'limit-exceeded'; readonly reason: string }
  | { readonly kind: 'kms'; readonly reason: string; readonly kmsError: string }
  /** A gate before the repository lets nobody pull it. */
  | ({ readonly kind: 'gated'; readonly digest: Digest; readonly reason: string } & InRepository)
  | { readonly kind: 'storage-full' };

export type RefusalKind = Refusal['kind'];

/** Thrown by core for every refusal; anything else that core throws is a fault of the server's. */
export class RefusedError extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal, options?: { cause?: unknown }) {
    super(describeRefusal(refusal), options);
    this.name = 'RefusedError';
    this.refusal = refusal;
  }
}

export function refuse(refusal: Refusal): never {
  throw new RefusedError(refusal);
}

/** A refusal in ECR's own words where they are known (semantics of the service as observed), else in ours. */
export function describeRefusal(refusal: Refusal): string {
  switch (refusal.kind) {
    case 'invalid-parameter':
      return `Invalid parameter at '${refusal.parameter}' failed to satisfy constraint: '${refusal.constraint}'${refusal.detail === undefined ? '' : ` (${refusal.detail})`}`;
    case 'access-denied':
      return describeDenial(refusal);
    case 'credentials-unknown':
      return 'The security token included in the request is invalid.';
    case 'credentials-expired':
      return 'The security token included in the request is expired';
    case 'repository-policy-not-found':
      return `Repository policy does not exist for the repository with name '${refusal.repositoryName}' in the registry with id '${refusal.registryId}'`;
    case 'registry-policy-not-found':
      return `Registry policy does not exist in the registry with id '${refusal.registryId}'`;
    case 'template-already-exists':
      return `The repository creation template with prefix '${refusal.prefix}' already exists in the registry with id '${refusal.registryId}'`;
    case 'template-not-found':
      return `The repository creation template with prefix '${refusal.prefix}' does not exist in the registry with id '${refusal.registryId}'`;
    case 'cache-rule-already-exists':
      return `A pull through cache rule with the prefix '${refusal.prefix}' already exists in the registry with id '${refusal.registryId}'`;
    case 'cache-rule-not-found':
      return `The pull through cache rule with the prefix '${refusal.prefix}' does not exist in the registry with id '${refusal.registryId}'`;
    case 'secret-not-found':
      return `The secret with ARN '${refusal.arn}' does not exist; gantry secret put makes one`;
    case 'secret-inaccessible':
      return `The secret with ARN '${refusal.arn}' cannot be read: ${refusal.because}`;
    case 'secret-undecryptable':
      return `The secret with ARN '${refusal.arn}' cannot be decrypted: the key file is not the one that it was sealed under`;
    case 'upstream-image':
      return `The image in the repository with name '${refusal.repositoryName}' in the registry with id '${refusal.registryId}' could not be pulled from its upstream: ${refusal.reason}`;
    case 'upstream-layer':
      return `The layer in the repository with name '${refusal.repositoryName}' in the registry with id '${refusal.registryId}' could not be pulled from its upstream: ${refusal.reason}`;
    case 'upstream-referrers':
      return `The referrers in the repository with name '${refusal.repositoryName}' in the registry with id '${refusal.registryId}' could not be listed upstream: ${refusal.reason}`;
    case 'lifecycle-policy-not-found':
      return `Lifecycle policy does not exist for the repository with name '${refusal.repositoryName}' in the registry with id '${refusal.registryId}'`;
    case 'lifecycle-preview-in-progress':
      return `A lifecycle policy preview is in progress for the repository with name '${refusal.repositoryName}' in the registry with id '${refusal.registryId}'; start the next one when it has ended`;
    case 'lifecycle-preview-not-found':
      return `Lifecycle policy preview does not exist for the repository with name '${refusal.repositoryName}' in the registry with id '${refusal.registryId}'`;
    case 'scan-not-found':
      return `Image scan does not exist for the image with '${describeImageId(refusal.imageId)}' in the repository with name '${refusal.repositoryName}' in the registry with id '${refusal.registryId}'`;
    case 'scanning-disabled':
    case 'unsupported-image-type':
    case 'signing-profile-unusable':
      return refusal.reason;
    case 'signing-configuration-not-found':
      return `Signing configuration does not exist in the registry with id '${refusal.registryId}'`;
    case 'backfill-in-progress':
      return `The replication backfill with id '${refusal.backfillId}' to a destination in region '${refusal.region}' is in progress; stop it or wait for its end`;
    case 'backfill-invalid-status':
      return `The replication backfill with id '${refusal.backfillId}' has the status ${refusal.status} and cannot be stopped`;
    case 'backfill-not-found':
      return `The replication backfill with id '${refusal.backfillId}' does not exist in the registry with id '${refusal.registryId}'`;
    case 'exclusion-already-exists':
      return `The pull time update exclusion for principal '${refusal.principalArn}' already exists in the registry with id '${refusal.registryId}'`;
    case 'exclusion-not-found':
      return `The pull time update exclusion for principal '${refusal.principalArn}' does not exist in the registry with id '${refusal.registryId}'`;
    case 'repository-not-found':
      return `The repository with name '${refusal.repositoryName}' does not exist in the registry with id '${refusal.registryId}'`;
    case 'repository-already-exists':
      return `The repository with name '${refusal.repositoryName}' already exists in the registry with id '${refusal.registryId}'`;
    case 'repository-not-empty':
      return `The repository with name '${refusal.repositoryName}' in registry with id '${refusal.registryId}' cannot be deleted because it still contains images`;
    case 'invalid-resource-tag':
      return refusal.reason;
    case 'too-many-resource-tags':
      return `The repository with name '${refusal.repositoryName}' can have at most ${refusal.tagsMax} tags (quota repository-tags; an operator raises it with --quota repository-tags=NUMBER)`;
    case 'tag-not-restorable':
      return `The tag '${refusal.tag}' in the repository with name '${refusal.repositoryName}' in the registry with id '${refusal.registryId}' cannot be restored: ${refusal.because}`;
    case 'unsupported-upstream':
    case 'limit-exceeded':
    case 'web-identity-invalid':
    case 'kms':
      return refusal.reason;
    case 'download-link-invalid':
      return refusal.reason;
    case 'gated':
      return `The image with digest '${refusal.digest}' in the repository with name '${refusal.repositoryName}' in the registry with id '${refusal.registryId}' cannot be pulled: ${refusal.reason}`;
    case 'storage-full':
      return 'The registry has no room left for more bytes; free some, then push again';
    default:
      return 'uploadId' in refusal ? describeUploadRefusal(refusal) : describeContentRefusal(refusal);
  }
}

function describeDenial({ callerArn, action, resource, because }: Extract<Refusal, { kind: 'access-denied' }>): string {
  const reason = because ?? `because no identity-based policy allows the ${action} action`;
  return `User: ${callerArn || 'anonymous'} is not authorized to perform: ${action} on resource: ${resource} ${reason}`.trimEnd();
}

type UploadRefusal = Extract<Refusal, { uploadId: string }>;

function describeUploadRefusal(refusal: UploadRefusal): string {
  const { uploadId, repositoryName, registryId } = refusal;
  const upload = `The upload with id '${uploadId}' in the repository with name '${repositoryName}' in registry with id '${registryId}'`;
  switch (refusal.kind) {
    case 'upload-not-found':
      return `${upload} does not exist`;
    case 'upload-busy':
      return `${upload} is receiving bytes from another request; wait for it to end`;
    case 'upload-empty':
      return `${upload} cannot be completed because it does not have any parts`;
    case 'layer-part-invalid':
    case 'layer-limit-exceeded':
      return refusal.reason;
    case 'layer-part-too-small':
      return 'All layer parts except the last part should be at least 5MB';
    case 'layer-digest-mismatch':
      return 'None of the provided layer digests match the calculated layer digest';
  }
}

/** What is to be done about an image that cannot be pulled. */
export const ARCHIVED_WORDS = {
  ARCHIVED: 'is archived; restore it with UpdateImageStorageClass, or push it again',
  ACTIVATING: 'is being restored from the archive; it can be pulled once its status is ACTIVE',
} as const;

type ContentRefusal = Extract<
  Refusal,
  {
    kind:
      | `layer${'' | 's'}-${'already-exists' | 'not-found' | 'inaccessible' | 'in-use' | 'archived'}`
      | `image-${string}`;
  }
>;

function describeContentRefusal(
  refusal: ContentRefusal | Extract<Refusal, { kind: 'referenced-images-not-found' | 'manifest-invalid' }>,
): string {
  switch (refusal.kind) {
    case 'layer-already-exists':
      return `The layer with digest '${refusal.digest}' already exists in the repository with name '${refusal.repositoryName}' in registry with id '${refusal.registryId}'`;
    case 'layer-not-found':
      return `The layer with digest '${refusal.digest}' does not exist within the repository with name '${refusal.repositoryName}' in the registry with id '${refusal.registryId}'`;
    case 'layer-inaccessible':
      return `The layer with digest '${refusal.digest}' in the repository with name '${refusal.repositoryName}' in the registry with id '${refusal.registryId}' is not accessible until an image references it`;
    case 'layer-archived':
      return `The layer with digest '${refusal.digest}' in the repository with name '${refusal.repositoryName}' in the registry with id '${refusal.registryId}' is not accessible: all images that use it are archived`;
    case 'layer-in-use':
      return `The layer with digest '${refusal.digest}' in the repository with name '${refusal.repositoryName}' in the registry with id '${refusal.registryId}' is used by an image; delete the image instead`;
    case 'layers-not-found':
      return `Layers with digests '[${refusal.digests.join(', ')}]' required for pushing image into repository with name '${refusal.repositoryName}' in the registry with id '${refusal.registryId}' do not exist`;
    case 'image-not-found':
      return `The image with imageId ${describeImageId(refusal.imageId)} does not exist within the repository with name '${refusal.repositoryName}' in the registry with id '${refusal.registryId}'`;
    case 'image-archived':
      return `The image with imageId ${describeImageId(refusal.imageId)} in the repository with name '${refusal.repositoryName}' in the registry with id '${refusal.registryId}' ${ARCHIVED_WORDS[refusal.status]}`;
    case 'image-storage-class-update-not-supported':
      return refusal.reason;
    case 'image-already-exists':
      return `Image with digest '${refusal.digest}' and tag '${refusal.tag ?? 'null'}' already exists in the repository with name '${refusal.repositoryName}' in registry with id '${refusal.registryId}'`;
    case 'image-tag-already-exists':
      return `The image tag '${refusal.tag}' already exists in the '${refusal.repositoryName}' repository and cannot be overwritten because the tag is immutable.`;
    case 'image-digest-mismatch':
      return `The image with digest '${refusal.digest}' in repository '${refusal.repositoryName}' and registry ID '${refusal.registryId}' does not match the image digest that Amazon ECR has calculated.`;
    case 'referenced-images-not-found':
      return `Images with digests '[${refusal.digests.join(', ')}]' required for pushing image into repository with name '${refusal.repositoryName}' in the registry with id '${refusal.registryId}' do not exist`;
    case 'image-referenced-by-index':
      return `Requested image referenced by manifest list: [${refusal.indexDigests.join(', ')}]`;
    case 'image-not-restorable':
      return `The image with digest '${refusal.digest}' in the repository with name '${refusal.repositoryName}' in the registry with id '${refusal.registryId}' cannot be brought back: ${refusal.because}`;
    case 'manifest-invalid':
      return `Invalid parameter at 'ImageManifest' failed to satisfy constraint: '${refusal.reason}'`;
  }
}
