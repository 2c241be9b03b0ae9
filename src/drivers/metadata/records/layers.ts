import { type Kysely, sql } from 'kysely';
import type { Layer, LayerReads, LayerRecords } from '../../../core/layers/layer-records.ts';
import type { Digest } from '../../../core/values/digest.ts';
import type { SqlDialect } from '../dialect.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';
import type { Tables } from '../tables.ts';
import { protectionOf } from './protection.ts';
import { type NamedRepository, repositoryIdOf } from './repository-id.ts';

export function layerReads(session: Session): LayerReads {
  return {
    async find(repositoryId, digest) {
      const [row] = await find(session, { repositoryId, digest });
      return row && toLayer(row);
    },
    async findIn({ registry: { accountId: account, region }, name }, digest) {
      const [row] = await findIn(session, { account, region, name, digest });
      return row && toLayer(row);
    },
    async findMany(repositoryId, digests) {
      return (await findMany(session, { repositoryId, digests: JSON.stringify(digests) })).map(toLayer);
    },
    async expired(now, limit) {
      const rows = await expired(session, { now: now.getTime(), limit });
      return rows.map(({ repository_id, digest }) => ({ repositoryId: repository_id, digest }));
    },
  };
}

export function layerRecords(session: Session): LayerRecords {
  return {
    ...layerReads(session),
    async find(repositoryId, digest) {
      const [row] = await keep(session, { repositoryId, digest });
      return row && toLayer(row);
    },
    async findMany(repositoryId, digests) {
      return (await keepMany(session, { repositoryId, digests: JSON.stringify(digests) })).map(toLayer);
    },
    async insert({ repositoryId, digest, blobId, leaseUntil }) {
      const lease = { repositoryId, digest, leaseUntil: leaseUntil.getTime() };
      const inserted = await insert(session, { ...lease, blobId });
      if (inserted.length > 0) await markBlobReferenced(session, { blobId });
      else await prolongLease(session, lease);
      return inserted.length > 0;
    },
    async renewLeases(repositoryId, digests, leaseUntil) {
      await renewLeases(session, {
        repositoryId,
        digests: JSON.stringify(digests),
        leaseUntil: leaseUntil.getTime(),
      });
    },
    async withdraw({ id, repositoryId }) {
      await withdraw(session, { repositoryId, imageId: id });
    },
    async deleteUnused(repositoryId, digest) {
      return releaseBlobs(session, await deleteUnused(session, { repositoryId, digest }));
    },
    async deleteExpired(repositoryId, digest, now) {
      const layer = { repositoryId, digest, now: now.getTime() };
      // Whoever makes a layer has its blob before the layer: in another order each would wait for the other.
      if ((await takeBlobOfExpired(session, layer)).length === 0) return false;
      return releaseBlobs(session, await deleteExpired(session, layer));
    },
  };
}

/** @returns whether a layer was deleted */
export async function releaseBlobs(session: Session, deleted: readonly { blob_id: number }[]): Promise<boolean> {
  for (const { blob_id: blobId } of deleted) {
    // Whether a layer of another repository points at it is asked once nobody can make it so any more.
    await takeBlob(session, { blobId });
    await markBlobUnreferenced(session, { blobId });
  }
  return deleted.length > 0;
}

interface LayerRow {
  repository_id: number;
  digest: Digest;
  bytes: number;
  location: string;
  protection_json: string | null;
  blob_id: number;
  lease_until: number;
  referenced: number;
  media_type: string | null;
  dormant: number;
  offered_until: number;
  archived: number;
}

function toLayer(row: LayerRow): Layer {
  return {
    repositoryId: row.repository_id,
    digest: row.digest,
    bytes: row.bytes,
    location: row.location,
    ...protectionOf(row),
    blobId: row.blob_id,
    leaseUntil: new Date(row.lease_until),
    ...(row.media_type !== null && { mediaType: row.media_type }),
    referenced: row.referenced === 1,
    dormant: row.dormant === 1,
    offeredUntil: new Date(row.offered_until),
    archived: row.archived === 1,
  };
}

interface OneLayer {
  repositoryId: number;
  digest: Digest;
}

function layersWithBlobs(db: Kysely<Tables>) {
  return db
    .selectFrom('layers')
    .innerJoin('blobs', 'blobs.id', 'layers.blob_id')
    .select(['layers.repository_id', 'layers.digest', 'layers.blob_id', 'layers.lease_until', 'layers.referenced'])
    .select('layers.offered_until')
    .select(['blobs.bytes', 'blobs.location', 'blobs.archived', 'blobs.protection_json'])
    .select(({ selectFrom }) =>
      // The newest first: where old images are archived by the thousand, it is they that are active.
      sql<number>`case when layers.referenced = 1 and ${selectFrom('image_layers')
        .innerJoin('images', 'images.id', 'image_layers.image_id')
        .select('images.id')
        .whereRef('image_layers.repository_id', '=', 'layers.repository_id')
        .whereRef('image_layers.layer_digest', '=', 'layers.digest')
        .where('images.status', '=', sql.lit('ACTIVE'))
        .orderBy('image_layers.image_id', 'desc')
        .limit(sql.lit(1))} is null then 1 else 0 end`.as('dormant'),
    )
    .select(({ selectFrom }) =>
      // Images may differ in what they call a layer: the oldest of them has its way.
      selectFrom('image_layers')
        .select('image_layers.media_type')
        .whereRef('image_layers.repository_id', '=', 'layers.repository_id')
        .whereRef('image_layers.layer_digest', '=', 'layers.digest')
        .orderBy('image_layers.image_id')
        .limit(sql.lit(1))
        .as('media_type'),
    );
}

const find = prepared((db, layer: Placeholders<OneLayer>) => one(db, layer));

const findIn = prepared((db, layer: Placeholders<NamedRepository & { digest: Digest }>) =>
  layersWithBlobs(db)
    .where('layers.repository_id', '=', repositoryIdOf(db, layer))
    .where('layers.digest', '=', layer.digest),
);

/** What a transaction finds it may name in an image, or mount: it is not collected meanwhile. */
const keep = prepared((db, layer: Placeholders<OneLayer>, { keeping }) => one(db, layer).modifyEnd(keeping('layers')));

function one(db: Kysely<Tables>, { repositoryId, digest }: Placeholders<OneLayer>) {
  return layersWithBlobs(db).where('layers.repository_id', '=', repositoryId).where('layers.digest', '=', digest);
}

interface ManyLayers {
  repositoryId: number;
  digests: string;
}

const findMany = prepared((db, layers: Placeholders<ManyLayers>, dialect) => many(db, layers, dialect));

const keepMany = prepared((db, layers: Placeholders<ManyLayers>, dialect) =>
  many(db, layers, dialect).modifyEnd(dialect.keeping('layers')),
);

function many(db: Kysely<Tables>, { repositoryId, digests }: Placeholders<ManyLayers>, { texts }: SqlDialect) {
  return layersWithBlobs(db)
    .where('layers.repository_id', '=', repositoryId)
    .where('layers.digest', 'in', db.selectFrom(texts<Digest>(digests).as('wanted')).select('wanted.value'));
}

const expired = prepared((db, { now, limit }: Placeholders<{ now: number; limit: number }>) =>
  db
    .selectFrom('layers')
    .select(['repository_id', 'digest'])
    .where('referenced', '=', sql.lit(0))
    .where('lease_until', '<', now)
    .orderBy('lease_until')
    .limit(limit),
);

const insert = prepared(
  (db, { repositoryId, digest, blobId, leaseUntil }: Placeholders<OneLayer & { blobId: number; leaseUntil: number }>) =>
    db
      .insertInto('layers')
      .values(({ selectFrom, exists }) => ({
        repository_id: repositoryId,
        digest,
        blob_id: blobId,
        lease_until: leaseUntil,
        // An image may have come before its layer: manifests may name layers that live elsewhere.
        referenced: sql<number>`case when ${exists(
          selectFrom('image_layers')
            .select('image_id')
            .where('repository_id', '=', repositoryId)
            .where('layer_digest', '=', digest),
        )} then 1 else 0 end`,
      }))
      .onConflict((conflict) => conflict.columns(['repository_id', 'digest']).doNothing())
      .returning('blob_id'),
);

const markBlobReferenced = prepared((db, { blobId }: Placeholders<{ blobId: number }>) =>
  db.updateTable('blobs').set({ referenced: 1 }).where('id', '=', blobId).where('referenced', '=', sql.lit(0)),
);

const takeBlob = prepared((db, { blobId }: Placeholders<{ blobId: number }>, { takingWhole }) =>
  db.selectFrom('blobs').select('id').where('id', '=', blobId).modifyEnd(takingWhole),
);

const markBlobUnreferenced = prepared((db, { blobId }: Placeholders<{ blobId: number }>) =>
  db
    .updateTable('blobs')
    .set({ referenced: 0 })
    .where('id', '=', blobId)
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom('layers').select('layers.digest').where('layers.blob_id', '=', blobId))),
    ),
);

const prolongLease = prepared(
  (db, { repositoryId, digest, leaseUntil }: Placeholders<OneLayer & { leaseUntil: number }>) =>
    db
      .updateTable('layers')
      .set({
        lease_until: sql<number>`case when lease_until < ${leaseUntil} then ${leaseUntil} else lease_until end`,
        offered_until: leaseUntil,
      })
      .where('repository_id', '=', repositoryId)
      .where('digest', '=', digest),
);

const renewLeases = prepared(
  (db, { repositoryId, digests, leaseUntil }: Placeholders<ManyLayers & { leaseUntil: number }>, { texts }) =>
    db
      .updateTable('layers')
      .set({ lease_until: leaseUntil })
      .where('repository_id', '=', repositoryId)
      .where('digest', 'in', db.selectFrom(texts<Digest>(digests).as('wanted')).select('wanted.value'))
      .where('referenced', '=', 0)
      .where('lease_until', '<', leaseUntil),
);

const withdraw = prepared((db, { repositoryId, imageId }: Placeholders<{ repositoryId: number; imageId: number }>) =>
  db
    .updateTable('layers')
    .set({ offered_until: 0 })
    .where('repository_id', '=', repositoryId)
    .where('digest', 'in', db.selectFrom('image_layers').select('layer_digest').where('image_id', '=', imageId)),
);

const deleteUnused = prepared((db, { repositoryId, digest }: Placeholders<OneLayer>) =>
  db
    .deleteFrom('layers')
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
    .where('referenced', '=', 0)
    .returning('blob_id'),
);

type Expired = OneLayer & { now: number };

const takeBlobOfExpired = prepared((db, layer: Placeholders<Expired>, { takingWhole }) =>
  db
    .selectFrom('blobs')
    .select('id')
    .where('id', '=', ({ selectFrom }) =>
      selectFrom('layers')
        .select('layers.blob_id')
        .where('layers.repository_id', '=', layer.repositoryId)
        .where('layers.digest', '=', layer.digest)
        .where('layers.referenced', '=', 0)
        .where('layers.lease_until', '<', layer.now),
    )
    .modifyEnd(takingWhole),
);

const deleteExpired = prepared((db, { repositoryId, digest, now }: Placeholders<Expired>) =>
  db
    .deleteFrom('layers')
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
    .where('referenced', '=', 0)
    .where('lease_until', '<', now)
    .returning('blob_id'),
);
