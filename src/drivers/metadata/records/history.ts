import { sql } from 'kysely';
import type {
  ChangeCause,
  DeletedImage,
  HistoryReads,
  HistoryRecords,
  TagChange,
} from '../../../core/history/history-records.ts';
import type { ImageStatus } from '../../../core/images/image-records.ts';
import type { Digest } from '../../../core/values/digest.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';

export function historyReads(session: Session): HistoryReads {
  return {
    async tagChanges(repositoryId, tag, beforeId, limit) {
      const before = beforeId ?? Number.MAX_SAFE_INTEGER;
      return (await tagChanges(session, { repositoryId, tag, before, limit })).map(toTagChange);
    },
    async tagChangeAt(repositoryId, tag, time) {
      const [row] = await tagChangeAt(session, { repositoryId, tag, time: time.getTime() });
      return row && toTagChange(row);
    },
    async firstTagChange(repositoryId, tag) {
      const [row] = await firstTagChange(session, { repositoryId, tag });
      return row && toTagChange(row);
    },
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

export function historyRecords(session: Session): HistoryRecords {
  return {
    ...historyReads(session),
    async noteTag({ repositoryId, tag, digest = null, formerDigest = null, cause, principal, at }) {
      await noteTag(session, { repositoryId, tag, digest, formerDigest, cause, principal, at: at.getTime() });
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
    async forgetTagChanges(before, limit) {
      return (await forgetTagChanges(session, { before: before.getTime(), limit })).length;
    },
    async forgetImages(now, limit) {
      return (await forgetImages(session, { now: now.getTime(), limit })).length;
    },
  };
}

interface TagChangeRow {
  id: number;
  repository_id: number;
  tag: string;
  digest: Digest | null;
  former_digest: Digest | null;
  cause: string;
  principal: string;
  changed_at: number;
}

const CHANGE_COLUMNS = [
  'id',
  'repository_id',
  'tag',
  'digest',
  'former_digest',
  'cause',
  'principal',
  'changed_at',
] as const;

function toTagChange(row: TagChangeRow): TagChange {
  return {
    id: row.id,
    repositoryId: row.repository_id,
    tag: row.tag,
    ...(row.digest !== null && { digest: row.digest }),
    ...(row.former_digest !== null && { formerDigest: row.former_digest }),
    cause: row.cause as ChangeCause,
    principal: row.principal,
    at: new Date(row.changed_at),
  };
}

const DELETED_COLUMNS = [
  'repository_id',
  'digest',
  'media_type',
  'subject_digest',
  'tags_json',
  'pushed_at',
  'status',
  'archived_at',
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
  status: string;
  archived_at: number | null;
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
    status: row.status as ImageStatus,
    ...(row.archived_at !== null && { archivedAt: new Date(row.archived_at) }),
    cause: row.cause as ChangeCause,
    principal: row.principal,
    deletedAt: new Date(row.deleted_at),
    keptUntil: new Date(row.kept_until),
  };
}

interface TagPage {
  repositoryId: number;
  tag: string;
  before: number;
  limit: number;
}

const tagChanges = prepared((db, { repositoryId, tag, before, limit }: Placeholders<TagPage>) =>
  db
    .selectFrom('tag_changes')
    .select(CHANGE_COLUMNS)
    .where('repository_id', '=', repositoryId)
    .where('tag', '=', tag)
    .where('id', '<', before)
    .orderBy('id', 'desc')
    .limit(limit),
);

interface OneTag {
  repositoryId: number;
  tag: string;
}

/** By id and not by time, in which two changes may be alike. */
const tagChangeAt = prepared((db, { repositoryId, tag, time }: Placeholders<OneTag & { time: number }>) =>
  db
    .selectFrom('tag_changes')
    .select(CHANGE_COLUMNS)
    .where('repository_id', '=', repositoryId)
    .where('tag', '=', tag)
    .where('changed_at', '<=', time)
    .orderBy('id', 'desc')
    .limit(sql.lit(1)),
);

const firstTagChange = prepared((db, { repositoryId, tag }: Placeholders<OneTag>) =>
  db
    .selectFrom('tag_changes')
    .select(CHANGE_COLUMNS)
    .where('repository_id', '=', repositoryId)
    .where('tag', '=', tag)
    .orderBy('id')
    .limit(sql.lit(1)),
);

interface OneImage {
  repositoryId: number;
  digest: Digest;
}

const deletedImage = prepared((db, { repositoryId, digest }: Placeholders<OneImage>) =>
  db
    .selectFrom('deleted_images')
    .select(DELETED_COLUMNS)
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest),
);

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

const deletedReferrers = prepared(
  (db, { repositoryId, subject }: Placeholders<{ repositoryId: number; subject: Digest }>) =>
    db
      .selectFrom('deleted_images')
      .select(DELETED_COLUMNS)
      .where('repository_id', '=', repositoryId)
      .where('subject_digest', '=', subject)
      .orderBy('digest'),
);

interface NewTagChange {
  repositoryId: number;
  tag: string;
  digest: Digest | null;
  formerDigest: Digest | null;
  cause: string;
  principal: string;
  at: number;
}

const noteTag = prepared((db, change: Placeholders<NewTagChange>) =>
  db.insertInto('tag_changes').values({
    repository_id: change.repositoryId,
    tag: change.tag,
    digest: change.digest,
    former_digest: change.formerDigest,
    cause: change.cause,
    principal: change.principal,
    changed_at: change.at,
  }),
);

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
      'status',
      'archived_at',
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
          'images.status',
          'images.archived_at',
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
        status: ref('excluded.status'),
        archived_at: ref('excluded.archived_at'),
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

const forgetTagChanges = prepared((db, { before, limit }: Placeholders<{ before: number; limit: number }>) =>
  db
    .deleteFrom('tag_changes')
    .where(
      'id',
      'in',
      db.selectFrom('tag_changes').select('id').where('changed_at', '<', before).orderBy('changed_at').limit(limit),
    )
    .returning('id'),
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
