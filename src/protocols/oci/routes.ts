import type { Action } from '../../core/access/authorizer.ts';
import { deleteBlob, getBlob } from './blobs.ts';
import { listCatalog } from './catalog.ts';
import { answerJson, type OciExchange } from './exchange.ts';
import { deleteManifest, getManifest, putManifest } from './manifests.ts';
import type { ResourceKind } from './paths.ts';
import { listReferrers } from './referrers.ts';
import { listTags } from './tags.ts';
import { cancelUpload, completeUpload, getUploadStatus, receiveChunk, startUpload } from './uploads.ts';

export interface Route {
  /** Asked for on the repository, or on `*` where the path names none; undefined: whoever was admitted may. */
  readonly action: Action | undefined;
  readonly handle: (exchange: OciExchange) => Promise<void>;
}

/** The API at a glance: OCI distribution specification 1.1, "Endpoints", and the IAM action that ECR asks for each. */
export const routes: Readonly<Record<ResourceKind, Readonly<Record<string, Route>>>> = {
  // /v2/
  version: {
    GET: { action: undefined, handle: async (exchange) => answerJson(exchange, 200, {}) },
    HEAD: { action: undefined, handle: async (exchange) => answerJson(exchange, 200, {}) },
  },
  // /v2/_catalog
  catalog: {
    GET: { action: 'ecr:DescribeRepositories', handle: listCatalog },
  },
  // /v2/{name}/tags/list
  tags: {
    GET: { action: 'ecr:ListImages', handle: listTags },
  },
  // /v2/{name}/manifests/{tag or digest}
  manifest: {
    GET: { action: 'ecr:BatchGetImage', handle: getManifest },
    HEAD: { action: 'ecr:BatchGetImage', handle: getManifest },
    PUT: { action: 'ecr:PutImage', handle: putManifest },
    DELETE: { action: 'ecr:BatchDeleteImage', handle: deleteManifest },
  },
  // /v2/{name}/referrers/{digest}
  referrers: {
    GET: { action: 'ecr:BatchGetImage', handle: listReferrers },
  },
  // /v2/{name}/blobs/{digest}
  blob: {
    GET: { action: 'ecr:GetDownloadUrlForLayer', handle: getBlob },
    HEAD: { action: 'ecr:BatchCheckLayerAvailability', handle: getBlob },
    DELETE: { action: 'ecr:BatchDeleteImage', handle: deleteBlob },
  },
  // /v2/{name}/blobs/uploads/
  uploads: {
    POST: { action: 'ecr:InitiateLayerUpload', handle: startUpload },
  },
  // /v2/{name}/blobs/uploads/{id}
  upload: {
    GET: { action: 'ecr:UploadLayerPart', handle: getUploadStatus },
    HEAD: { action: 'ecr:UploadLayerPart', handle: getUploadStatus },
    PATCH: { action: 'ecr:UploadLayerPart', handle: receiveChunk },
    PUT: { action: 'ecr:CompleteLayerUpload', handle: completeUpload },
    DELETE: { action: 'ecr:UploadLayerPart', handle: cancelUpload },
  },
};
