import { sql } from 'kysely';
import type { ImageReads, ImageRecords, ImageStatus } from '../../../core/images/image-records.ts';
import type { Digest } from '../../../core/values/digest.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';
import { IMAGE_COLUMNS, type NewImageRow, toImage, toNewImageRow } from './image-rows.ts';
import { imageListReads } from './images-listed.ts';
import { imageVerificationReads } from './images-verified.ts';
import { type NamedRepository, repositoryIdOf } from './repository-id.ts';

export function imageReads(session: Session): ImageReads {
  return {
    ...imageListReads(session),
    ...imageVerificationReads(session),
    async find(repositoryId, digest) {
      const [row] = await find(session, { repositoryId, digest });
      return row && toImage(row);
    },
    async findByTag(repositoryId, tag) {
      const [row] = await findByTag(session, { repositoryId, tag });
      return row && toImage(row);
    },
    async manifest(repositoryId, digest) {
      const [row] = await manifest(session, { repositoryId, digest });
      return row && { digest, mediaType: row.media_type, status: row.status, bytes: row.bytes };
    },
    async manifestIn({ registry: { accountId: account, region }, name }, reference) {
      const repository = { account, region, name };
      const [row] =
        'tag' in reference
          ? await taggedManifestIn(session, { ...repository, tag: reference.tag })
          : await manifestIn(session, { ...repository, digest: reference.digest });
      return row && { digest: row.digest, mediaType: row.media_type, status: row.status, bytes: row.bytes };
    },
    async hasAny(repositoryId) {
      return (await anyImage(session, { repositoryId })).length > 0;
    },
    async hasReferrers(repositoryId, digest) {
      return (await anyReferrer(session, { repositoryId, digest })).length > 0;
    },
    async tagsOf(imageId) {
      return (await tagsOf(session, { imageId })).map(({ name }) => name);
    },
    async countTags(imageId) {
      const [row] = await countTags(session, { imageId });
      return row!.count;
    },
  };
}

export function imageRecords(session: Session): ImageRecords {
  return {
    ...imageReads(session),
    async insert(image, manifest, layers, children) {
      const [row] = await insert(session, toNewImageRow(image));
      if (row === undefined) return undefined;
      const inRepository = { repositoryId: image.repositoryId, imageId: row.id };
      const inserts: Promise<unknown>[] = [insertManifest(session, { imageId: row.id, bytes: manifest })];
      if (layers.length > 0) {
        inserts.push(insertLayers(session, { ...inRepository, layers: JSON.stringify(layers) }));
        inserts.push(markLayersReferenced(session, inRepository));
      }
      if (children.length > 0) {
        inserts.push(insertChildren(session, { ...inRepository, children: JSON.stringify(children) }));
      }
      await Promise.all(inserts);
      return { ...image, id: row.id, status: 'ACTIVE' };
    },
    async setStatus(imageId, { status, archivedAt, activatedAt }) {
      await setStatus(session, {
        imageId,
        status,
        archivedAt: archivedAt?.getTime() ?? null,
        activatedAt: activatedAt?.getTime() ?? null,
      });
    },
    async tag(repositoryId, tag, imageId, now) {
      await putTag(session, { repositoryId, tag, imageId, now: now.getTime() });
    },
    async untag(repositoryId, tag) {
      return (await deleteTag(session, { repositoryId, tag })).length > 0;
    },
    async delete({ id, repositoryId }, leaseUntil) {
      await startLeases(session, { repositoryId, imageId: id, leaseUntil: leaseUntil.getTime() });
      await deleteImage(session, { imageId: id });
    },
  };
}

interface ByDigest {
  repositoryId: number;
  digest: Digest;
}

interface ByTag {
  repositoryId: number;
  tag: string;
}

interface OneImage {
  repositoryId: number;
  imageId: number;
}

const find = prepared((db, { repositoryId, digest }: Placeholders<ByDigest>) =>
  db
    .selectFrom('images')
    .select(IMAGE_COLUMNS)
    .where('images.repository_id', '=', repositoryId)
    .where('images.digest', '=', digest),
);

const findByTag = prepared((db, { repositoryId, tag }: Placeholders<ByTag>) =>
  db
    .selectFrom('tags')
    .innerJoin('images', 'images.id', 'tags.image_id')
    .select(IMAGE_COLUMNS)
    .where('tags.repository_id', '=', repositoryId)
    .where('tags.name', '=', tag),
);

const manifest = prepared((db, { repositoryId, digest }: Placeholders<ByDigest>) =>
  db
    .selectFrom('images')
    .innerJoin('manifests', 'manifests.image_id', 'images.id')
    .select(['images.media_type', 'images.status', 'manifests.bytes'])
    .where('images.repository_id', '=', repositoryId)
    .where('images.digest', '=', digest),
);

const manifestIn = prepared((db, manifest: Placeholders<NamedRepository & { digest: Digest }>) =>
  db
    .selectFrom('images')
    .innerJoin('manifests', 'manifests.image_id', 'images.id')
    .select(['images.digest', 'images.media_type', 'images.status', 'manifests.bytes'])
    .where('images.repository_id', '=', repositoryIdOf(db, manifest))
    .where('images.digest', '=', manifest.digest),
);

const taggedManifestIn = prepared((db, manifest: Placeholders<NamedRepository & { tag: string }>) =>
  db
    .selectFrom('tags')
    .innerJoin('images', 'images.id', 'tags.image_id')
    .innerJoin('manifests', 'manifests.image_id', 'tags.image_id')
    .select(['images.digest', 'images.media_type', 'images.status', 'manifests.bytes'])
    .where('tags.repository_id', '=', repositoryIdOf(db, manifest))
    .where('tags.name', '=', manifest.tag),
);

const anyImage = prepared((db, { repositoryId }: Placeholders<{ repositoryId: number }>) =>
  db.selectFrom('images').select('id').where('repository_id', '=', repositoryId).limit(1),
);

/** Asked of every image that goes: `referrers` would bring annotations along. */
const anyReferrer = prepared((db, { repositoryId, digest }: Placeholders<ByDigest>) =>
  db
    .selectFrom('images')
    .select('id')
    .where('repository_id', '=', repositoryId)
    .where('subject_digest', '=', digest)
    .limit(1),
);

const countTags = prepared((db, { imageId }: Placeholders<{ imageId: number }>) =>
  db
    .selectFrom('tags')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('image_id', '=', imageId),
);

const tagsOf = prepared((db, { imageId }: Placeholders<{ imageId: number }>) =>
  db.selectFrom('tags').select('name').where('image_id', '=', imageId).orderBy('name'),
);

const insert = prepared((db, image: Placeholders<NewImageRow>) =>
  db
    .insertInto('images')
    .values({
      repository_id: image.repositoryId,
      digest: image.digest,
      media_type: image.mediaType,
      artifact_type: image.artifactType,
      subject_digest: image.subjectDigest,
      manifest_bytes: image.manifestBytes,
      image_bytes: image.imageBytes,
      annotations_json: image.annotations,
      pushed_at: image.pushedAt,
    })
    .onConflict((conflict) => conflict.columns(['repository_id', 'digest']).doNothing())
    .returning('id'),
);

const insertManifest = prepared((db, { imageId, bytes }: Placeholders<{ imageId: number; bytes: Uint8Array }>) =>
  db.insertInto('manifests').values({ image_id: imageId, bytes }),
);

const insertLayers = prepared(
  (db, { repositoryId, imageId, layers }: Placeholders<OneImage & { layers: string }>, { objects }) =>
    db
      .insertInto('image_layers')
      .columns(['repository_id', 'layer_digest', 'image_id', 'media_type'])
      .expression(
        db
          .selectFrom(objects(layers).as('entry'))
          .select([
            repositoryId.as('repository_id'),
            sql<Digest>`entry.value ->> 'digest'`.as('layer_digest'),
            imageId.as('image_id'),
            sql<string>`entry.value ->> 'mediaType'`.as('media_type'),
          ]),
      ),
);

const insertChildren = prepared(
  (db, { repositoryId, imageId, children }: Placeholders<OneImage & { children: string }>, { texts }) =>
    db
      .insertInto('image_children')
      .columns(['repository_id', 'child_digest', 'image_id'])
      .expression(
        db
          .selectFrom(texts<Digest>(children).as('entry'))
          .select([repositoryId.as('repository_id'), 'entry.value as child_digest', imageId.as('image_id')]),
      ),
);

const markLayersReferenced = prepared((db, { repositoryId, imageId }: Placeholders<OneImage>) =>
  db
    .updateTable('layers')
    .set({ referenced: 1 })
    .where('repository_id', '=', repositoryId)
    .where('digest', 'in', db.selectFrom('image_layers').select('layer_digest').where('image_id', '=', imageId))
    .where('referenced', '=', 0),
);

interface StatusChange {
  imageId: number;
  status: ImageStatus;
  archivedAt: number | null;
  activatedAt: number | null;
}

const setStatus = prepared((db, { imageId, status, archivedAt, activatedAt }: Placeholders<StatusChange>) =>
  db
    .updateTable('images')
    .set(({ fn, ref }) => ({
      status,
      archived_at: fn.coalesce(archivedAt, ref('archived_at')),
      activated_at: fn.coalesce(activatedAt, ref('activated_at')),
    }))
    .where('id', '=', imageId),
);

const putTag = prepared((db, { repositoryId, tag, imageId, now }: Placeholders<ByTag & OneImage & { now: number }>) =>
  db
    .insertInto('tags')
    .values({ repository_id: repositoryId, name: tag, image_id: imageId, updated_at: now })
    .onConflict((conflict) =>
      conflict.columns(['repository_id', 'name']).doUpdateSet({ image_id: imageId, updated_at: now }),
    ),
);

const deleteTag = prepared((db, { repositoryId, tag }: Placeholders<ByTag>) =>
  db.deleteFrom('tags').where('repository_id', '=', repositoryId).where('name', '=', tag).returning('name'),
);

/**
 * Those that another image uses too are kept for as long: who brings this image back needs them, whatever became of the
 * other one. No lease becomes shorter.
 */
const startLeases = prepared(
  (db, { repositoryId, imageId, leaseUntil }: Placeholders<OneImage & { leaseUntil: number }>) =>
    db
      .updateTable('layers')
      .set(({ exists, selectFrom }) => ({
        referenced: sql<number>`case when ${exists(
          selectFrom('image_layers as other')
            .select('other.image_id')
            .where('other.repository_id', '=', repositoryId)
            .whereRef('other.layer_digest', '=', 'layers.digest')
            .where('other.image_id', '<>', imageId),
        )} then 1 else 0 end`,
        lease_until: sql<number>`case when lease_until < ${leaseUntil} then ${leaseUntil} else lease_until end`,
      }))
      .where('repository_id', '=', repositoryId)
      .where('digest', 'in', db.selectFrom('image_layers').select('layer_digest').where('image_id', '=', imageId)),
);

/** Manifest, tags and what the image points at go with it, by foreign key. */
const deleteImage = prepared((db, { imageId }: Placeholders<{ imageId: number }>) =>
  db.deleteFrom('images').where('id', '=', imageId),
);
