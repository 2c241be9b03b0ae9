import { sql } from 'kysely';
import type { TagStatus } from '../../../core/images/image-records.ts';
import type { LifecycleAction, LifecycleStorageClass } from '../../../core/lifecycle/lifecycle-policy.ts';
import type {
  LifecyclePreview,
  LifecyclePreviewImage,
  LifecycleReads,
  LifecycleRecords,
} from '../../../core/lifecycle/lifecycle-records.ts';
import type { Digest } from '../../../core/values/digest.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';

type PreviewReads = Pick<LifecycleReads, 'preview' | 'previewImages' | 'previewImagesOf'>;

type PreviewRecords = PreviewReads &
  Pick<LifecycleRecords, 'startPreview' | 'insertPreviewImages' | 'deletePreviewImages' | 'endPreview'>;

export function lifecyclePreviewReads(session: Session): PreviewReads {
  return {
    async preview(repositoryId) {
      const [row] = await preview(session, { repositoryId });
      return row && toPreview(row);
    },
    async previewImages(repositoryId, tagStatus, after, limit) {
      return (await previewImages(session, { repositoryId, tagStatus, after, limit })).map(toPreviewImage);
    },
    async previewImagesOf(repositoryId, digests) {
      const rows = await previewImagesOf(session, { repositoryId, digests: JSON.stringify(digests) });
      return rows.map(toPreviewImage).sort((one, other) => one.position - other.position);
    },
  };
}

export function lifecyclePreviewRecords(session: Session): PreviewRecords {
  return {
    ...lifecyclePreviewReads(session),
    async startPreview(repositoryId, { id, document, startedAt }) {
      await startPreview(session, { repositoryId, id, document, startedAt: startedAt.getTime() });
    },
    async insertPreviewImages(repositoryId, images) {
      const rows = images.map((image) => ({
        ...image,
        tags: JSON.stringify(image.tags),
        pushedAt: image.pushedAt.getTime(),
      }));
      await insertPreviewImages(session, { repositoryId, images: JSON.stringify(rows) });
    },
    async deletePreviewImages(repositoryId, limit) {
      return (await deletePreviewImages(session, { repositoryId, limit })).length;
    },
    async endPreview(repositoryId, id, { status, expiring, transitioning }) {
      await endPreview(session, { repositoryId, id, status, expiring, transitioning });
    },
  };
}

interface PreviewRow {
  id: string;
  document: string;
  status: string;
  started_at: number;
  expiring: number;
  transitioning: number;
}

function toPreview({ started_at, status, ...row }: PreviewRow): LifecyclePreview {
  return { ...row, status: status as LifecyclePreview['status'], startedAt: new Date(started_at) };
}

interface PreviewImageRow {
  position: number;
  digest: Digest;
  tags_json: string;
  pushed_at: number;
  action: string;
  rule_priority: number;
  storage_class: string;
}

function toPreviewImage(row: PreviewImageRow): LifecyclePreviewImage {
  return {
    position: row.position,
    digest: row.digest,
    tags: JSON.parse(row.tags_json),
    pushedAt: new Date(row.pushed_at),
    action: row.action as LifecycleAction,
    rulePriority: row.rule_priority,
    storageClass: row.storage_class as LifecycleStorageClass,
  };
}

interface InRepository {
  repositoryId: number;
}

const preview = prepared((db, { repositoryId }: Placeholders<InRepository>) =>
  db
    .selectFrom('lifecycle_previews')
    .select(['id', 'document', 'status', 'started_at', 'expiring', 'transitioning'])
    .where('repository_id', '=', repositoryId),
);

const PREVIEW_IMAGE = [
  'position',
  'digest',
  'tags_json',
  'pushed_at',
  'action',
  'rule_priority',
  'storage_class',
] as const;

interface PreviewPage extends InRepository {
  tagStatus: TagStatus;
  after: number;
  limit: number;
}

const previewImages = prepared((db, { repositoryId, tagStatus, after, limit }: Placeholders<PreviewPage>) =>
  db
    .selectFrom('lifecycle_preview_images')
    .select(PREVIEW_IMAGE)
    .where('repository_id', '=', repositoryId)
    .where('position', '>', after)
    .where(sql<boolean>`(${tagStatus} = 'ANY' or (${tagStatus} = 'UNTAGGED') = (tags_json = '[]'))`)
    .orderBy('position')
    .limit(limit),
);

const previewImagesOf = prepared(
  (db, { repositoryId, digests }: Placeholders<InRepository & { digests: string }>, { texts }) =>
    db
      .selectFrom('lifecycle_preview_images')
      .select(PREVIEW_IMAGE)
      .where('repository_id', '=', repositoryId)
      .where('digest', 'in', db.selectFrom(texts<Digest>(digests).as('wanted')).select('wanted.value')),
);

interface PreviewStart extends InRepository {
  id: string;
  document: string;
  startedAt: number;
}

const startPreview = prepared((db, { repositoryId, id, document, startedAt }: Placeholders<PreviewStart>) => {
  const begun = { id, document, status: 'IN_PROGRESS', started_at: startedAt, expiring: 0, transitioning: 0 };
  return db
    .insertInto('lifecycle_previews')
    .values({ repository_id: repositoryId, ...begun })
    .onConflict((conflict) => conflict.column('repository_id').doUpdateSet(begun));
});

const insertPreviewImages = prepared(
  (db, { repositoryId, images: found }: Placeholders<InRepository & { images: string }>, { objects }) =>
    db
      .insertInto('lifecycle_preview_images')
      .columns(['repository_id', ...PREVIEW_IMAGE])
      .expression(
        db
          .selectFrom(objects(found).as('entry'))
          .select([
            repositoryId.as('repository_id'),
            sql<number>`cast(entry.value ->> 'position' as integer)`.as('position'),
            sql<Digest>`entry.value ->> 'digest'`.as('digest'),
            sql<string>`entry.value ->> 'tags'`.as('tags_json'),
            sql<number>`cast(entry.value ->> 'pushedAt' as bigint)`.as('pushed_at'),
            sql<string>`entry.value ->> 'action'`.as('action'),
            sql<number>`cast(entry.value ->> 'rulePriority' as integer)`.as('rule_priority'),
            sql<string>`entry.value ->> 'storageClass'`.as('storage_class'),
          ]),
      ),
);

export const deletePreviewImages = prepared(
  (db, { repositoryId, limit }: Placeholders<InRepository & { limit: number }>) =>
    db
      .deleteFrom('lifecycle_preview_images')
      .where('repository_id', '=', repositoryId)
      .where(
        'position',
        'in',
        db
          .selectFrom('lifecycle_preview_images')
          .select('position')
          .where('repository_id', '=', repositoryId)
          .orderBy('position')
          .limit(limit),
      )
      .returning('position'),
);

interface PreviewEnd extends InRepository {
  id: string;
  status: string;
  expiring: number;
  transitioning: number;
}

const endPreview = prepared((db, { repositoryId, id, status, expiring, transitioning }: Placeholders<PreviewEnd>) =>
  db
    .updateTable('lifecycle_previews')
    .set({ status, expiring, transitioning })
    .where('repository_id', '=', repositoryId)
    .where('id', '=', id)
    .where('status', '=', 'IN_PROGRESS'),
);
