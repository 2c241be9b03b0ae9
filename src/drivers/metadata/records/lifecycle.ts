import type { Expression } from 'kysely';
import type { ImageStatus } from '../../../core/images/image-records.ts';
import type {
  ImageFacts,
  LifecycleReads,
  LifecycleRecords,
  StoredLifecyclePolicy,
} from '../../../core/lifecycle/lifecycle-records.ts';
import type { Digest } from '../../../core/values/digest.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';
import { lifecyclePreviewReads, lifecyclePreviewRecords } from './lifecycle-previews.ts';

export function lifecycleReads(session: Session): LifecycleReads {
  return {
    ...lifecyclePreviewReads(session),
    async policy(repositoryId) {
      const [row] = await policy(session, { repositoryId });
      return row && toPolicy(row);
    },
    async repositoryIds(afterId, limit) {
      return (await repositoryIds(session, { afterId, limit })).map((row) => row.repository_id);
    },
    async images(repositoryId, after, limit) {
      const rows = await images(session, { repositoryId, after, limit, rowsMax: FACTS_ROWS_MAX });
      const found = toImageFacts(rows);
      if (rows.length < FACTS_ROWS_MAX) return found;
      // The last one may have more tags than were read.
      if (found.length > 1) return found.slice(0, -1);
      return toImageFacts(await images(session, { repositoryId, after, limit: 1, rowsMax: Number.MAX_SAFE_INTEGER }));
    },
    async indexesBetween(repositoryId, after, upTo) {
      const rows = await indexesBetween(session, { repositoryId, after, upTo });
      return rows.map(({ child, index }) => ({ child, index }));
    },
  };
}

export function lifecycleRecords(session: Session): LifecycleRecords {
  return {
    ...lifecycleReads(session),
    ...lifecyclePreviewRecords(session),
    async putPolicy(repositoryId, document) {
      await putPolicy(session, { repositoryId, document });
    },
    async deletePolicy(repositoryId) {
      const [row] = await deletePolicy(session, { repositoryId });
      return row && toPolicy(row);
    },
    async noteEvaluation(repositoryId, document, at) {
      await noteEvaluation(session, { repositoryId, document, at: at.getTime() });
    },
  };
}

function toPolicy(row: { document: string; evaluated_at: number | null }): StoredLifecyclePolicy {
  return { document: row.document, ...(row.evaluated_at !== null && { evaluatedAt: new Date(row.evaluated_at) }) };
}

/** Of images joined with their tags: requests wait while they are read. */
const FACTS_ROWS_MAX = 5000;

interface FactsRow {
  id: number;
  digest: Digest;
  manifest_bytes: number;
  status: ImageStatus;
  pushed_at: number;
  archived_at: number | null;
  activated_at: number | null;
  pulled_at: number | null;
  tag: string | null;
}

/** @param rows one for each tag, those of an image together; an untagged image has one whose tag is null */
function toImageFacts(rows: readonly FactsRow[]): ImageFacts[] {
  const found: ImageFacts[] = [];
  let imageId: number | undefined;
  let tags: string[] = [];
  for (const row of rows) {
    if (row.id !== imageId) {
      tags = [];
      found.push({
        digest: row.digest,
        manifestBytes: row.manifest_bytes,
        status: row.status,
        tags,
        pushedAt: new Date(row.pushed_at),
        ...(row.archived_at !== null && { archivedAt: new Date(row.archived_at) }),
        ...(row.activated_at !== null && { activatedAt: new Date(row.activated_at) }),
        ...(row.pulled_at !== null && { pulledAt: new Date(row.pulled_at) }),
      });
      imageId = row.id;
    }
    if (row.tag !== null) tags.push(row.tag);
  }
  return found;
}

interface InRepository {
  repositoryId: number;
}

const policy = prepared((db, { repositoryId }: Placeholders<InRepository>) =>
  db.selectFrom('lifecycle_policies').select(['document', 'evaluated_at']).where('repository_id', '=', repositoryId),
);

const repositoryIds = prepared((db, { afterId, limit }: Placeholders<{ afterId: number; limit: number }>) =>
  db
    .selectFrom('lifecycle_policies')
    .select('repository_id')
    .where('repository_id', '>', afterId)
    .orderBy('repository_id')
    .limit(limit),
);

const FACTS = [
  'id',
  'digest',
  'manifest_bytes',
  'status',
  'pushed_at',
  'archived_at',
  'activated_at',
  'pulled_at',
] as const;

interface ImagePage extends InRepository {
  after: string;
  limit: number;
  rowsMax: number;
}

const images = prepared((db, { repositoryId, after, limit, rowsMax }: Placeholders<ImagePage>) =>
  db
    .selectFrom(
      db
        .selectFrom('images')
        .select(FACTS)
        .where('repository_id', '=', repositoryId)
        .where('digest', '>', amongDigests(after))
        .orderBy('digest')
        .limit(limit)
        .as('images'),
    )
    .leftJoin('tags', 'tags.image_id', 'images.id')
    .select([
      'images.id',
      'images.digest',
      'images.manifest_bytes',
      'images.status',
      'images.pushed_at',
      'images.archived_at',
      'images.activated_at',
      'images.pulled_at',
      'tags.name as tag',
    ])
    .orderBy('images.digest')
    .orderBy('tags.name')
    .limit(rowsMax),
);

const indexesBetween = prepared(
  (db, { repositoryId, after, upTo }: Placeholders<InRepository & { after: string; upTo: string }>) =>
    db
      .selectFrom('image_children')
      .innerJoin('images', 'images.id', 'image_children.image_id')
      .select(['image_children.child_digest as child', 'images.digest as index'])
      .where('image_children.repository_id', '=', repositoryId)
      .where('image_children.child_digest', '>', amongDigests(after))
      .where('image_children.child_digest', '<=', amongDigests(upTo))
      .orderBy('image_children.child_digest'),
);

const putPolicy = prepared((db, { repositoryId, document }: Placeholders<InRepository & { document: string }>) =>
  db
    .insertInto('lifecycle_policies')
    .values({ repository_id: repositoryId, document })
    .onConflict((conflict) =>
      conflict
        .column('repository_id')
        .doUpdateSet({ document, evaluated_at: null })
        .where('lifecycle_policies.document', '<>', document),
    ),
);

const deletePolicy = prepared((db, { repositoryId }: Placeholders<InRepository>) =>
  db.deleteFrom('lifecycle_policies').where('repository_id', '=', repositoryId).returning(['document', 'evaluated_at']),
);

const noteEvaluation = prepared(
  (db, { repositoryId, document, at }: Placeholders<InRepository & { document: string; at: number }>) =>
    db
      .updateTable('lifecycle_policies')
      .set({ evaluated_at: at })
      .where('repository_id', '=', repositoryId)
      .where('document', '=', document),
);

/** A place in the order of digests need not be a digest: an empty one comes before all. */
function amongDigests(place: Expression<string>) {
  return place as Expression<Digest>;
}
