import { type AliasableExpression, type Expression, type ExpressionBuilder, type Kysely, sql } from 'kysely';
import type { ImageReads, ImageStatusFilter, TagStatus } from '../../../core/images/image-records.ts';
import type { Digest } from '../../../core/values/digest.ts';
import { type Placeholders, type PreparedQuery, prepared, type Session } from '../session.ts';
import type { Tables } from '../tables.ts';
import { IMAGE_COLUMNS, type ImageRow, PLAIN_COLUMNS, toImage, toTaggedImages } from './image-rows.ts';

type ImageListReads = Pick<
  ImageReads,
  'findMany' | 'findTags' | 'pairs' | 'page' | 'tags' | 'referrers' | 'indexesOf' | 'childrenOf'
>;

/** What gives more than one image, tag or digest. Each is one statement, so that its answer is of one moment. */
export function imageListReads(session: Session): ImageListReads {
  return {
    async findMany(repositoryId, digests) {
      return toTaggedImages(await findMany(session, { repositoryId, digests: JSON.stringify(digests) }));
    },
    async findTags(repositoryId, tags) {
      const rows = await findTags(session, { repositoryId, tags: JSON.stringify(tags) });
      return rows.map(({ tag, digest }) => ({ tag, digest }));
    },
    async pairs(repositoryId, { tagStatus, imageStatus }, after, limit) {
      const position = { afterDigest: after?.digest ?? '', afterTag: after?.tag ?? '' };
      const rows = await PAIRS[tagStatus](session, { repositoryId, imageStatus, ...position, limit });
      return rows.map(({ digest, tag }) => ({ digest, tag: tag ?? '' }));
    },
    async page(repositoryId, { tagStatus, imageStatus }, after, limit) {
      return toTaggedImages(await PAGE[tagStatus](session, { repositoryId, imageStatus, after, limit }));
    },
    async tags(repositoryId, after, limit) {
      return (await tags(session, { repositoryId, after, limit })).map(({ name }) => name);
    },
    async referrers(repositoryId, subject, { artifactTypes, imageStatus }, after, limit) {
      const wanted = { repositoryId, subject, imageStatus, after, limit };
      const rows =
        artifactTypes === undefined
          ? await referrers(session, wanted)
          : await referrersOfTypes(session, { ...wanted, artifactTypes: JSON.stringify(artifactTypes) });
      return rows.map(toImage);
    },
    async indexesOf(repositoryId, digest) {
      return (await indexesOf(session, { repositoryId, digest })).map((row) => row.digest);
    },
    async childrenOf(imageId) {
      return (await childrenOf(session, { imageId })).map(toImage);
    },
  };
}

const findMany = prepared(
  (db, { repositoryId, digests }: Placeholders<{ repositoryId: number; digests: string }>, { texts }) =>
    db
      .selectFrom('images')
      .leftJoin('tags', 'tags.image_id', 'images.id')
      .select(PLAIN_COLUMNS)
      .select('tags.name as tag')
      .where('images.repository_id', '=', repositoryId)
      .where('images.digest', 'in', db.selectFrom(texts<Digest>(digests).as('wanted')).select('wanted.value'))
      .orderBy('images.digest')
      .orderBy('tags.name'),
);

const findTags = prepared(
  (db, { repositoryId, tags }: Placeholders<{ repositoryId: number; tags: string }>, { texts }) =>
    db
      .selectFrom('tags')
      .innerJoin('images', 'images.id', 'tags.image_id')
      .select(['tags.name as tag', 'images.digest'])
      .where('tags.repository_id', '=', repositoryId)
      .where('tags.name', 'in', db.selectFrom(texts(tags).as('wanted')).select('wanted.value')),
);

interface AfterPair {
  repositoryId: number;
  imageStatus: ImageStatusFilter;
  afterDigest: string;
  afterTag: string;
  limit: number;
}

const PAIRS: Record<TagStatus, PreparedQuery<AfterPair, { digest: Digest; tag: string | null }>> = {
  ANY: prepared((db, position: Placeholders<AfterPair>) => pairsAfter(db, position)),
  TAGGED: prepared((db, position: Placeholders<AfterPair>) =>
    pairsAfter(db, position).where('tags.name', 'is not', null),
  ),
  UNTAGGED: prepared((db, { repositoryId, imageStatus, afterDigest, limit }: Placeholders<AfterPair>) =>
    db
      .selectFrom('images')
      .select(['images.digest', sql<string | null>`null`.as('tag')])
      .where('images.repository_id', '=', repositoryId)
      .where('images.digest', '>', amongDigests(afterDigest))
      .where(hasStatus(imageStatus))
      .where(isUntagged)
      .orderBy('images.digest')
      .limit(limit),
  ),
};

function pairsAfter(
  db: Kysely<Tables>,
  { repositoryId, imageStatus, afterDigest, afterTag, limit }: Placeholders<AfterPair>,
) {
  return db
    .selectFrom('images')
    .leftJoin('tags', 'tags.image_id', 'images.id')
    .select(['images.digest', 'tags.name as tag'])
    .where('images.repository_id', '=', repositoryId)
    .where('images.digest', '>=', amongDigests(afterDigest))
    .where(hasStatus(imageStatus))
    .where(sql<boolean>`(images.digest > ${afterDigest} or tags.name > ${afterTag})`)
    .orderBy('images.digest')
    .orderBy('tags.name')
    .limit(limit);
}

interface AfterDigest {
  repositoryId: number;
  after: string;
  limit: number;
}

type AfterImage = AfterDigest & { imageStatus: ImageStatusFilter };

const PAGE: Record<TagStatus, PreparedQuery<AfterImage, ImageRow & { tag: string | null }>> = {
  ANY: prepared((db, page: Placeholders<AfterImage>) => withTags(db, imagesAfter(db, page))),
  TAGGED: prepared((db, page: Placeholders<AfterImage>) => withTags(db, imagesAfter(db, page).where(isTagged))),
  UNTAGGED: prepared((db, page: Placeholders<AfterImage>) => withTags(db, imagesAfter(db, page).where(isUntagged))),
};

function imagesAfter(db: Kysely<Tables>, { repositoryId, imageStatus, after, limit }: Placeholders<AfterImage>) {
  return db
    .selectFrom('images')
    .select(PLAIN_COLUMNS)
    .where('images.repository_id', '=', repositoryId)
    .where('images.digest', '>', amongDigests(after))
    .where(hasStatus(imageStatus))
    .orderBy('images.digest')
    .limit(limit);
}

function withTags(db: Kysely<Tables>, page: ReturnType<typeof imagesAfter>) {
  return db
    .selectFrom(page.as('images'))
    .leftJoin('tags', 'tags.image_id', 'images.id')
    .select(PLAIN_COLUMNS)
    .select('tags.name as tag')
    .orderBy('images.digest')
    .orderBy('tags.name');
}

function isTagged({ exists, selectFrom }: ExpressionBuilder<Tables, 'images'>) {
  return exists(selectFrom('tags').select('tags.name').whereRef('tags.image_id', '=', 'images.id'));
}

function hasStatus(wanted: AliasableExpression<ImageStatusFilter>) {
  return sql<boolean>`(${wanted} = 'ANY' or images.status = ${wanted})`;
}

/** A literal, as a database takes a partial index only for what it can see in the statement. */
function isUntagged({ eb }: ExpressionBuilder<Tables, 'images'>) {
  return eb('images.tagged', '=', sql.lit(0));
}

const tags = prepared((db, { repositoryId, after, limit }: Placeholders<AfterDigest>) =>
  db
    .selectFrom('tags')
    .innerJoin('images', 'images.id', 'tags.image_id')
    .select('tags.name')
    .where('tags.repository_id', '=', repositoryId)
    .where('tags.name', '>', after)
    .where('images.status', '=', 'ACTIVE')
    .orderBy('tags.name')
    .limit(limit),
);

type AfterReferrer = AfterImage & { subject: Digest };

const referrers = prepared((db, wanted: Placeholders<AfterReferrer>) => referrersAfter(db, wanted));

const referrersOfTypes = prepared((db, wanted: Placeholders<AfterReferrer & { artifactTypes: string }>, { texts }) =>
  referrersAfter(db, wanted).where(
    'images.artifact_type',
    'in',
    db.selectFrom(texts(wanted.artifactTypes).as('wanted')).select('wanted.value'),
  ),
);

function referrersAfter(
  db: Kysely<Tables>,
  { repositoryId, subject, imageStatus, after, limit }: Placeholders<AfterReferrer>,
) {
  return db
    .selectFrom('images')
    .select(IMAGE_COLUMNS)
    .where('images.repository_id', '=', repositoryId)
    .where('images.subject_digest', '=', subject)
    .where('images.digest', '>', amongDigests(after))
    .where(hasStatus(imageStatus))
    .orderBy('images.digest')
    .limit(limit);
}

const indexesOf = prepared((db, { repositoryId, digest }: Placeholders<{ repositoryId: number; digest: Digest }>) =>
  db
    .selectFrom('image_children')
    .innerJoin('images', 'images.id', 'image_children.image_id')
    .select('images.digest')
    .where('image_children.repository_id', '=', repositoryId)
    .where('image_children.child_digest', '=', digest)
    .orderBy('images.digest'),
);

const childrenOf = prepared((db, { imageId }: Placeholders<{ imageId: number }>) =>
  db
    .selectFrom('image_children')
    .innerJoin('images', (join) =>
      join
        .onRef('images.repository_id', '=', 'image_children.repository_id')
        .onRef('images.digest', '=', 'image_children.child_digest'),
    )
    .select(IMAGE_COLUMNS)
    .where('image_children.image_id', '=', imageId)
    .orderBy('images.digest'),
);

/** A place in the order of digests need not be a digest: an empty one comes before all. */
function amongDigests(place: Expression<string>) {
  return place as Expression<Digest>;
}
