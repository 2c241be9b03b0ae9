import type { Image, ImageStatus, NewImage, TaggedImage } from '../../../core/images/image-records.ts';
import type { Digest } from '../../../core/values/digest.ts';

/** Without annotations, which may be as large as a manifest: a join with tags would repeat them for each tag. */
export const PLAIN_COLUMNS = [
  'images.id',
  'images.repository_id',
  'images.digest',
  'images.media_type',
  'images.artifact_type',
  'images.subject_digest',
  'images.manifest_bytes',
  'images.image_bytes',
  'images.pushed_at',
  'images.status',
  'images.archived_at',
  'images.activated_at',
  'images.pulled_at',
] as const;

export const IMAGE_COLUMNS = [...PLAIN_COLUMNS, 'images.annotations_json'] as const;

export interface ImageRow {
  id: number;
  repository_id: number;
  digest: Digest;
  media_type: string;
  artifact_type: string | null;
  subject_digest: Digest | null;
  manifest_bytes: number;
  image_bytes: number;
  /** Absent where it was not asked for. */
  annotations_json?: string | null;
  pushed_at: number;
  status: ImageStatus;
  archived_at: number | null;
  activated_at: number | null;
  pulled_at: number | null;
}

export function toImage(row: ImageRow): Image {
  return {
    id: row.id,
    repositoryId: row.repository_id,
    digest: row.digest,
    mediaType: row.media_type,
    ...(row.artifact_type !== null && { artifactType: row.artifact_type }),
    ...(row.subject_digest !== null && { subjectDigest: row.subject_digest }),
    manifestBytes: row.manifest_bytes,
    imageBytes: row.image_bytes,
    ...(row.annotations_json != null && { annotations: JSON.parse(row.annotations_json) }),
    pushedAt: new Date(row.pushed_at),
    status: row.status,
    ...(row.archived_at !== null && { archivedAt: new Date(row.archived_at) }),
    ...(row.activated_at !== null && { activatedAt: new Date(row.activated_at) }),
    ...(row.pulled_at !== null && { pulledAt: new Date(row.pulled_at) }),
  };
}

/** @param rows one for each tag, those of an image together; an untagged image has one whose tag is null */
export function toTaggedImages(rows: readonly (ImageRow & { tag: string | null })[]): TaggedImage[] {
  const images: TaggedImage[] = [];
  let imageId: number | undefined;
  let tags: string[] = [];
  for (const row of rows) {
    if (row.id !== imageId) {
      tags = [];
      images.push({ ...toImage(row), tags });
      imageId = row.id;
    }
    if (row.tag !== null) tags.push(row.tag);
  }
  return images;
}

export interface NewImageRow {
  repositoryId: number;
  digest: Digest;
  mediaType: string;
  artifactType: string | null;
  subjectDigest: Digest | null;
  manifestBytes: number;
  imageBytes: number;
  annotations: string | null;
  pushedAt: number;
}

export function toNewImageRow(image: NewImage): NewImageRow {
  return {
    repositoryId: image.repositoryId,
    digest: image.digest,
    mediaType: image.mediaType,
    artifactType: image.artifactType ?? null,
    subjectDigest: image.subjectDigest ?? null,
    manifestBytes: image.manifestBytes,
    imageBytes: image.imageBytes,
    annotations: image.annotations === undefined ? null : JSON.stringify(image.annotations),
    pushedAt: image.pushedAt.getTime(),
  };
}
