import { sql } from 'kysely';
import type { Blob, BlobReads, BlobRecords } from '../../../core/layers/layer-records.ts';
import type { Digest } from '../../../core/values/digest.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';

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
  };
}

export function blobRecords(session: Session): BlobRecords {
  return {
    ...blobReads(session),
    async insert(blob) {
      const [row] = await insert(session, {
        scope: blob.scope,
        digest: blob.digest,
        location: blob.location,
        bytes: blob.bytes,
        createdAt: blob.createdAt.getTime(),
      });
      return row && { ...blob, id: row.id };
    },
    async deleteUnreferenced(id) {
      return (await deleteUnreferenced(session, { id })).length > 0;
    },
  };
}

interface BlobRow {
  id: number;
  scope: string;
  digest: Digest;
  location: string;
  bytes: number;
  created_at: number;
}

function toBlob({ id, scope, digest, location, bytes, created_at }: BlobRow): Blob {
  return { id, scope, digest, location, bytes, createdAt: new Date(created_at) };
}

const COLUMNS = ['id', 'scope', 'digest', 'location', 'bytes', 'created_at'] as const;

const find = prepared((db, { scope, digest }: Placeholders<{ scope: string; digest: Digest }>) =>
  db.selectFrom('blobs').select(COLUMNS).where('scope', '=', scope).where('digest', '=', digest),
);

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
  createdAt: number;
}

const insert = prepared((db, { scope, digest, location, bytes, createdAt }: Placeholders<NewBlob>) =>
  db
    .insertInto('blobs')
    .values({ scope, digest, location, bytes, created_at: createdAt, referenced: 0 })
    .onConflict((conflict) => conflict.columns(['scope', 'digest']).doNothing())
    .returning('id'),
);

const deleteUnreferenced = prepared((db, { id }: Placeholders<{ id: number }>) =>
  db.deleteFrom('blobs').where('id', '=', id).where('referenced', '=', sql.lit(0)).returning('id'),
);
