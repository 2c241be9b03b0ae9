import type { ImageReads } from '../../../core/images/image-records.ts';
import type { Digest } from '../../../core/values/digest.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';

/** What verification reads: every manifest, and what must never be. */
export function imageVerificationReads(session: Session): Pick<ImageReads, 'manifests' | 'missingLayers'> {
  return {
    async manifests(afterImageId, limit) {
      return (await manifests(session, { afterImageId, limit })).map((row) => ({
        ...row,
        bytes: row.bytes ?? undefined,
      }));
    },
    async missingLayers(limit) {
      return (await missingLayers(session, { limit })).map((row) => ({ ...row }));
    },
  };
}

interface AfterImage {
  afterImageId: number;
  limit: number;
}

interface ManifestRow {
  imageId: number;
  repositoryId: number;
  digest: Digest;
  bytes: Uint8Array | null;
}

const manifests = prepared<AfterImage, ManifestRow>((db, { afterImageId, limit }: Placeholders<AfterImage>) =>
  db
    .selectFrom('images')
    .leftJoin('manifests', 'manifests.image_id', 'images.id')
    .select(['images.id as imageId', 'images.repository_id as repositoryId', 'images.digest', 'manifests.bytes'])
    .where('images.id', '>', afterImageId)
    .orderBy('images.id')
    .limit(limit),
);

const missingLayers = prepared((db, { limit }: Placeholders<{ limit: number }>) =>
  db
    .selectFrom('image_layers')
    .innerJoin('images', 'images.id', 'image_layers.image_id')
    .leftJoin('layers', (join) =>
      join
        .onRef('layers.repository_id', '=', 'image_layers.repository_id')
        .onRef('layers.digest', '=', 'image_layers.layer_digest'),
    )
    .select([
      'image_layers.repository_id as repositoryId',
      'images.digest as imageDigest',
      'image_layers.layer_digest as layerDigest',
    ])
    .where('layers.digest', 'is', null)
    .limit(limit),
);
