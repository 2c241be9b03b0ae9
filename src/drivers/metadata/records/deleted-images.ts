import type { Kysely } from 'kysely';
import type { ChangeCause, DeletedImage, HistoryReads, HistoryRecords } from '../../../core/history/history-records.ts';
import type { Digest } from '../../../core/values/digest.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';
import type { Tables } from '../tables.ts';

type Reads = 'deletedImage' | 'deletedManifest' | 'deletedImages' | 'deletedReferrers';

export function deletedImageReads(session: Session): Pick<HistoryReads, Reads> {
  return {
    async deletedImage(repositoryId, digest) {
      const [row] = await deletedImage(session, { repositoryId, digest });
      return row && toDeletedImage(row);
    },
    async deletedManifest(repositoryId, digest) {
      const [row] = await deletedManifest(session, { repositoryId, digest });
      return row?.manifest;
    },
    async deletedImages(repositoryId, after, limit) {
      return (await deletedImages(session, { repositoryId, after: after as Digest, limit })).map(toDeletedImage);
    },
    async deletedReferrers(repositoryId, subject) {
      return (await deletedReferrers(session, { repositoryId, subject })).map(toDeletedImage);
    },
  };
}

export function deletedImageRecords(
  session: Session,
): Pick<HistoryRecords, 'deletedImage' | 'deletedReferrers' | 'keepImage' | 'forgetImage' | 'forgetImages'> {
  return {
    async deletedImage(repositoryId, digest) {
      const [row] = await keep(session, { repositoryId, digest });
      return row && toDeletedImage(row);
    },
    async deletedReferrers(repositoryId, subject) {
      return (await keepReferrers(session, { repositoryId, subject })).map(toDeletedImage);
    },
    async keepImage(imageId, { tags, cause, principal, deletedAt, keptUntil }) {
      await keepImage(session, {
        imageId,
        tags: JSON.stringify(tags),
        cause,
        principal,
        deletedAt: deletedAt.getTime(),
        keptUntil: keptUntil.getTime(),
      });
    },
    async forgetImage(repositoryId, digest) {
      await forgetImage(session, { repositoryId, digest });
    },
    async forgetImages(now, limit) {
      return (await forgetImages(session, { now: now.getTime(), limit })).length;
    },
  };
}

const DELETED_COLUMNS = [
  'repository_id',
  'digest',
  'media_type',
  'subject_digest',
  'tags_json',
  'pushed_at',
  'cause',
  'principal',
  'deleted_at',
  'kept_until',
] as const;

interface DeletedImageRow {
  repository_id: number;
  digest: Digest;
  media_type: string;
  subject_digest: Digest | null;
  tags_json: string;
  pushed_at: number;
  cause: string;
  principal: string;
  deleted_at: number;
  kept_until: number;
}

function toDeletedImage(row: DeletedImageRow): DeletedImage {
  return {
    repositoryId: row.repository_id,
    digest: row.digest,
    mediaType: row.media_type,
    ...(row.subject_digest !== null && { subjectDigest: row.subject_digest }),
    tags: JSON.parse(row.tags_json),
    pushedAt: new Date(row.pushed_at),
    cause: row.cause as ChangeCause,
    principal: row.principal,
    deletedAt: new Date(row.deleted_at),
    keptUntil: new Date(row.kept_until),
  };
}

interface OneImage {
  repositoryId: number;
  digest: Digest;
}

const deletedImage = prepared((db, image: Placeholders<OneImage>) => one(db, image));

/** What a transaction finds is not forgotten before it has brought it back. */
const keep = prepared((db, image: Placeholders<OneImage>, { keeping }) =>
  one(db, image).modifyEnd(keeping('deleted_images')),
);

function one(db: Kysely<Tables>, { repositoryId, digest }: Placeholders<OneImage>) {
  return db
    .selectFrom('deleted_images')
    .select(DELETED_COLUMNS)
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest);
}

const deletedManifest = prepared((db, { repositoryId, digest }: Placeholders<OneImage>) =>
  db
    .selectFrom('deleted_images')
    .select('manifest')
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest),
);

interface DeletedPage {
  repositoryId: number;
  after: Digest;
  limit: number;
}

const deletedImages = prepared((db, { repositoryId, after, limit }: Placeholders<DeletedPage>) =>
  db
    .selectFrom('deleted_images')
    .select(DELETED_COLUMNS)
    .where('repository_id', '=', repositoryId)
    .where('digest', '>', after)
    .orderBy('digest')
    .limit(limit),
);

interface OneSubject {
  repositoryId: number;
  subject: Digest;
}

const deletedReferrers = prepared((db, subject: Placeholders<OneSubject>) => referrersOf(db, subject));

const keepReferrers = prepared((db, subject: Placeholders<OneSubject>, { keeping }) =>
  referrersOf(db, subject).modifyEnd(keeping('deleted_images')),
);

function referrersOf(db: Kysely<Tables>, { repositoryId, subject }: Placeholders<OneSubject>) {
  return db
    .selectFrom('deleted_images')
    .select(DELETED_COLUMNS)
    .where('repository_id', '=', repositoryId)
    .where('subject_digest', '=', subject)
    .orderBy('digest');
}

interface Deletion {
  imageId: number;
  tags: string;
  cause: string;
  principal: string;
  deletedAt: number;
  keptUntil: number;
}

const keepImage = prepared((db, deletion: Placeholders<Deletion>) =>
  db
    .insertInto('deleted_images')
    .columns([
      'repository_id',
      'digest',
      'media_type',
      'subject_digest',
      'manifest',
      'tags_json',
      'pushed_at',
      'cause',
      'principal',
      'deleted_at',
      'kept_until',
    ])
    .expression(
      db
        .selectFrom('images')
        .innerJoin('manifests', 'manifests.image_id', 'images.id')
        .select([
          'images.repository_id',
          'images.digest',
          'images.media_type',
          'images.subject_digest',
          'manifests.bytes as manifest',
          deletion.tags.as('tags_json'),
          'images.pushed_at',
          deletion.cause.as('cause'),
          deletion.principal.as('principal'),
          deletion.deletedAt.as('deleted_at'),
          deletion.keptUntil.as('kept_until'),
        ])
        .where('images.id', '=', deletion.imageId),
    )
    .onConflict((conflict) =>
      conflict.columns(['repository_id', 'digest']).doUpdateSet(({ ref }) => ({
        tags_json: ref('excluded.tags_json'),
        pushed_at: ref('excluded.pushed_at'),
        cause: ref('excluded.cause'),
        principal: ref('excluded.principal'),
        deleted_at: ref('excluded.deleted_at'),
        kept_until: ref('excluded.kept_until'),
      })),
    ),
);

const forgetImage = prepared((db, { repositoryId, digest }: Placeholders<OneImage>) =>
  db.deleteFrom('deleted_images').where('repository_id', '=', repositoryId).where('digest', '=', digest),
);

const forgetImages = prepared((db, { now, limit }: Placeholders<{ now: number; limit: number }>) =>
  db
    .deleteFrom('deleted_images')
    .where(({ eb, refTuple, selectFrom }) =>
      eb(
        refTuple('repository_id', 'digest'),
        'in',
        selectFrom('deleted_images as over')
          .select(['over.repository_id', 'over.digest'])
          .where('over.kept_until', '<', now)
          .orderBy('over.kept_until')
          .limit(limit)
          .$asTuple('repository_id', 'digest'),
      ),
    )
    .returning('digest'),
);
