import { type Expression, type Kysely, sql } from 'kysely';
import { MASTER_KEY_PREFIX } from '../../../core/encryption/master-keys.ts';
import type { Blob, BlobReads, BlobRecords } from '../../../core/layers/layer-records.ts';
import type { Digest } from '../../../core/values/digest.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';
import type { Tables } from '../tables.ts';
import { protectionOf, toProtectionJson } from './protection.ts';

export function blobReads(session: Session): BlobReads {
  return {
    async find(scope, digest) {
      const [row] = await find(session, { scope, digest });
      return row && toBlob(row);
    },
    async hasLocation(location) {
      return (await findLocation(session, { location })).length > 0;
    },
    async page(afterId, limit) {
      return (await page(session, { afterId, limit })).map(toBlob);
    },
    async unreferenced(limit) {
      return (await unreferenced(session, { limit })).map(toBlob);
    },
    async archivedOf(imageId, limit) {
      return (await archivedOf(session, { imageId, limit })).map(toBlob);
    },
    async archived(afterId, limit) {
      return (await archived(session, { afterId, limit })).map(toBlob);
    },
    async isArchived(id) {
      return (await isArchived(session, { id })).length > 0;
    },
    async anyUnderMasterKey() {
      return (await underMasterKey(session, { pattern: `%"keyId":"${MASTER_KEY_PREFIX}%` })).length > 0;
    },
    async repositoriesWith(id, limit) {
      return (await repositoriesWith(session, { id, limit })).map(({ name }) => name);
    },
  };
}

export function blobRecords(session: Session): BlobRecords {
  return {
    ...blobReads(session),
    async find(scope, digest) {
      const [row] = await keep(session, { scope, digest });
      return row && toBlob(row);
    },
    async insert(blob) {
      const [row] = await insert(session, {
        scope: blob.scope,
        digest: blob.digest,
        location: blob.location,
        bytes: blob.bytes,
        protectionJson: toProtectionJson(blob.protection),
        createdAt: blob.createdAt.getTime(),
      });
      return row && { ...blob, id: row.id };
    },
    async replaceBytes(id, from, { location, protection, createdAt }) {
      const kept = { location, protectionJson: toProtectionJson(protection), createdAt: createdAt.getTime() };
      return (await replaceBytes(session, { id, from, ...kept })).length > 0;
    },
    async deleteUnreferenced(id) {
      return (await deleteUnreferenced(session, { id })).length > 0;
    },
    async markArchived(imageId, now) {
      await markArchived(session, { imageId, now: now.getTime() });
    },
    async unmarkArchived(id) {
      await unmarkArchived(session, { id });
    },
  };
}

interface BlobRow {
  id: number;
  scope: string;
  digest: Digest;
  location: string;
  bytes: number;
  protection_json: string | null;
  created_at: number;
}

function toBlob({ created_at, protection_json, ...row }: BlobRow): Blob {
  return { ...row, ...protectionOf({ protection_json }), createdAt: new Date(created_at) };
}

const COLUMNS = ['id', 'scope', 'digest', 'location', 'bytes', 'protection_json', 'created_at'] as const;

type InScope = { scope: string; digest: Digest };

const find = prepared((db, blob: Placeholders<InScope>) => one(db, blob));

/** What a transaction finds it may point at. */
const keep = prepared((db, blob: Placeholders<InScope>, { keeping }) => one(db, blob).modifyEnd(keeping('blobs')));

function one(db: Kysely<Tables>, { scope, digest }: Placeholders<InScope>) {
  return db.selectFrom('blobs').select(COLUMNS).where('scope', '=', scope).where('digest', '=', digest);
}

const findLocation = prepared((db, { location }: Placeholders<{ location: string }>) =>
  db.selectFrom('blobs').select('id').where('location', '=', location),
);

const page = prepared((db, { afterId, limit }: Placeholders<{ afterId: number; limit: number }>) =>
  db.selectFrom('blobs').select(COLUMNS).where('id', '>', afterId).orderBy('id').limit(limit),
);

const unreferenced = prepared((db, { limit }: Placeholders<{ limit: number }>) =>
  // A literal, as a database takes a partial index only for what it can see in the statement.
  db.selectFrom('blobs').select(COLUMNS).where('referenced', '=', sql.lit(0)).orderBy('id').limit(limit),
);

interface NewBlob {
  scope: string;
  digest: Digest;
  location: string;
  bytes: number;
  protectionJson: string | null;
  createdAt: number;
}

const insert = prepared((db, { scope, digest, location, bytes, protectionJson, createdAt }: Placeholders<NewBlob>) =>
  db
    .insertInto('blobs')
    .values({
      scope,
      digest,
      location,
      bytes,
      protection_json: protectionJson,
      created_at: createdAt,
      referenced: 0,
    })
    .onConflict((conflict) => conflict.columns(['scope', 'digest']).doNothing())
    .returning('id'),
);

type OtherBytes = { id: number; from: string } & Pick<NewBlob, 'location' | 'protectionJson' | 'createdAt'>;

const replaceBytes = prepared((db, { id, from, location, protectionJson, createdAt }: Placeholders<OtherBytes>) =>
  db
    .updateTable('blobs')
    .set({ location, protection_json: protectionJson, created_at: createdAt, archived: 0 })
    .where('id', '=', id)
    .where('location', '=', from)
    .returning('id'),
);

const deleteUnreferenced = prepared((db, { id }: Placeholders<{ id: number }>) =>
  db.deleteFrom('blobs').where('id', '=', id).where('referenced', '=', sql.lit(0)).returning('id'),
);

const archivedOf = prepared((db, { imageId, limit }: Placeholders<{ imageId: number; limit: number }>) =>
  db
    .selectFrom('blobs')
    .select(COLUMNS)
    .where('id', 'in', blobsOf(db, imageId))
    .where('archived', '=', 1)
    .orderBy('id')
    .limit(limit),
);

const archived = prepared((db, { afterId, limit }: Placeholders<{ afterId: number; limit: number }>) =>
  db
    .selectFrom('blobs')
    .select(COLUMNS)
    .where('archived', '=', sql.lit(1))
    .where('id', '>', afterId)
    .orderBy('id')
    .limit(limit),
);

const isArchived = prepared((db, { id }: Placeholders<{ id: number }>) =>
  db.selectFrom('blobs').select('id').where('id', '=', id).where('archived', '=', 1),
);

const underMasterKey = prepared((db, { pattern }: Placeholders<{ pattern: string }>) =>
  db.selectFrom('blobs').select('id').where('protection_json', 'like', pattern).limit(sql.lit(1)),
);

const repositoriesWith = prepared((db, { id, limit }: Placeholders<{ id: number; limit: number }>) =>
  db
    .selectFrom('layers')
    .innerJoin('repositories', 'repositories.id', 'layers.repository_id')
    .select('repositories.name')
    .where('layers.blob_id', '=', id)
    // One that was deleted has none until it is reaped.
    .where('repositories.account', '<>', '')
    .limit(limit),
);

const markArchived = prepared((db, { imageId, now }: Placeholders<{ imageId: number; now: number }>) =>
  db
    .updateTable('blobs')
    .set({ archived: 1 })
    .where('id', 'in', blobsOf(db, imageId))
    .where('archived', '=', 0)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('layers')
            .select('layers.digest')
            .whereRef('layers.blob_id', '=', 'blobs.id')
            .where(({ or, eb, selectFrom }) =>
              or([
                eb('layers.referenced', '=', 0),
                eb('layers.offered_until', '>', now),
                // The newest first, as for whether a layer is dormant.
                eb(
                  selectFrom('image_layers')
                    .innerJoin('images', 'images.id', 'image_layers.image_id')
                    .select('images.id')
                    .whereRef('image_layers.repository_id', '=', 'layers.repository_id')
                    .whereRef('image_layers.layer_digest', '=', 'layers.digest')
                    .where('images.status', '<>', 'ARCHIVED')
                    .orderBy('image_layers.image_id', 'desc')
                    .limit(sql.lit(1)),
                  'is not',
                  null,
                ),
              ]),
            ),
        ),
      ),
    ),
);

const unmarkArchived = prepared((db, { id }: Placeholders<{ id: number }>) =>
  db.updateTable('blobs').set({ archived: 0 }).where('id', '=', id),
);

function blobsOf(db: Kysely<Tables>, imageId: Expression<number>) {
  return db
    .selectFrom('image_layers')
    .innerJoin('layers', (join) =>
      join
        .onRef('layers.repository_id', '=', 'image_layers.repository_id')
        .onRef('layers.digest', '=', 'image_layers.layer_digest'),
    )
    .select('layers.blob_id')
    .where('image_layers.image_id', '=', imageId);
}
