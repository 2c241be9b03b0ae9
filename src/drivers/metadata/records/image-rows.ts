import type { Image, TaggedImage } from '../../../core/images/image-records.ts';
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

export interface NewImage {
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

export function toNewImage(image: Omit<Image, 'id'>): NewImage {
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
