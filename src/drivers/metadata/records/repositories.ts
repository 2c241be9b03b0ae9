import type { Kysely, Selectable } from 'kysely';
import type { Repository, RepositoryReads, RepositoryRecords } from '../../../core/repositories/repository-records.ts';
import { type Placeholders, prepared, run, type Session } from '../session.ts';
import type { RepositoriesTable, Tables } from '../tables.ts';
import { releaseBlobs } from './layers.ts';
import { deletePreviewImages } from './lifecycle-previews.ts';

export function repositoryReads(session: Session): RepositoryReads {
  return {
    async find({ accountId, region }, name) {
      const [row] = await find(session, { account: accountId, region, name });
      return row && toRepository(row);
    },
    async findById(id) {
      const [row] = await findById(session, { id });
      return row && toRepository(row);
    },
    async findMany({ accountId, region }, names) {
      const rows = await findMany(session, { account: accountId, region, names: JSON.stringify(names) });
      return rows.map(toRepository);
    },
    async page({ accountId, region }, after, limit) {
      const rows = await page(session, { account: accountId, region, after, limit });
      return rows.map(toRepository);
    },
    async retired(limit) {
      return (await retired(session, { limit })).map(({ id }) => id);
    },
  };
}

export function repositoryRecords(session: Session): RepositoryRecords {
  return {
    ...repositoryReads(session),
    async find({ accountId, region }, name) {
      const [row] = await take(session, { account: accountId, region, name });
      return row && toRepository(row);
    },
    async findById(id) {
      const [row] = await takeById(session, { id });
      return row && toRepository(row);
    },
    async insert(repository) {
      const [row] = await insert(session, {
        account: repository.registry.accountId,
        region: repository.registry.region,
        name: repository.name,
        createdAt: repository.createdAt.getTime(),
        mutability: repository.imageTagMutability,
        exclusionFilters: JSON.stringify(repository.exclusionFilters),
        scanOnPush: repository.scanOnPush ? 1 : 0,
        encryptionType: repository.encryption.encryptionType,
        kmsKey: repository.encryption.kmsKey ?? null,
        resourceTags: JSON.stringify(repository.resourceTags),
      });
      return row && { ...repository, id: row.id };
    },
    async update(id, changes) {
      const columns = changedColumns(changes);
      if (Object.keys(columns).length === 0) return;
      await run(session, session.dialect.build.updateTable('repositories').set(columns).where('id', '=', id));
    },
    async retire(id) {
      await retire(session, { id, name: String(id) });
    },
    async reap(id, limit) {
      if ((await deleteImages(session, { id, limit })).length > 0) return true;
      const layers = await deleteLayers(session, { id, limit });
      if (layers.length > 0) return releaseBlobs(session, layers);
      if ((await deleteKeptImages(session, { id, limit })).length > 0) return true;
      if ((await deleteTagChanges(session, { id, limit })).length > 0) return true;
      if ((await deletePreviewImages(session, { repositoryId: id, limit })).length > 0) return true;
      return (await deleteRepository(session, { id })).length > 0;
    },
  };
}

function toRepository(row: Selectable<RepositoriesTable>): Repository {
  return {
    id: row.id,
    registry: { accountId: row.account, region: row.region },
    name: row.name,
    createdAt: new Date(row.created_at),
    imageTagMutability: row.image_tag_mutability,
    exclusionFilters: JSON.parse(row.exclusion_filters_json),
    scanOnPush: row.scan_on_push === 1,
    encryption: { encryptionType: row.encryption_type, ...(row.kms_key !== null && { kmsKey: row.kms_key }) },
    resourceTags: JSON.parse(row.resource_tags_json),
  };
}

function changedColumns(changes: Parameters<RepositoryRecords['update']>[1]): Partial<Selectable<RepositoriesTable>> {
  const { imageTagMutability, exclusionFilters, scanOnPush, resourceTags } = changes;
  return {
    ...(imageTagMutability !== undefined && { image_tag_mutability: imageTagMutability }),
    ...(exclusionFilters !== undefined && { exclusion_filters_json: JSON.stringify(exclusionFilters) }),
    ...(scanOnPush !== undefined && { scan_on_push: scanOnPush ? 1 : 0 }),
    ...(resourceTags !== undefined && { resource_tags_json: JSON.stringify(resourceTags) }),
  };
}

const COLUMNS = [
  'id',
  'account',
  'region',
  'name',
  'created_at',
  'image_tag_mutability',
  'exclusion_filters_json',
  'scan_on_push',
  'encryption_type',
  'kms_key',
  'resource_tags_json',
] as const;

interface InRegistry {
  account: string;
  region: string;
}

type ByName = InRegistry & { name: string };

const find = prepared((db, repository: Placeholders<ByName>) => byName(db, repository));

/** What a transaction finds it has to itself: it decides by what belongs to the repository. */
const take = prepared((db, repository: Placeholders<ByName>, { taking }) => byName(db, repository).modifyEnd(taking));

function byName(db: Kysely<Tables>, { account, region, name }: Placeholders<ByName>) {
  return db
    .selectFrom('repositories')
    .select(COLUMNS)
    .where('account', '=', account)
    .where('region', '=', region)
    .where('name', '=', name);
}

const findMany = prepared((db, { account, region, names }: Placeholders<InRegistry & { names: string }>, { texts }) =>
  db
    .selectFrom('repositories')
    .select(COLUMNS)
    .where('account', '=', account)
    .where('region', '=', region)
    .where('name', 'in', db.selectFrom(texts(names).as('wanted')).select('wanted.value')),
);

const page = prepared(
  (db, { account, region, after, limit }: Placeholders<InRegistry & { after: string; limit: number }>) =>
    db
      .selectFrom('repositories')
      .select(COLUMNS)
      .where('account', '=', account)
      .where('region', '=', region)
      .where('name', '>', after)
      .orderBy('name')
      .limit(limit),
);

interface NewRepository extends InRegistry {
  name: string;
  createdAt: number;
  mutability: Repository['imageTagMutability'];
  exclusionFilters: string;
  scanOnPush: number;
  encryptionType: Repository['encryption']['encryptionType'];
  kmsKey: string | null;
  resourceTags: string;
}

const insert = prepared((db, repository: Placeholders<NewRepository>) =>
  db
    .insertInto('repositories')
    .values({
      account: repository.account,
      region: repository.region,
      name: repository.name,
      created_at: repository.createdAt,
      image_tag_mutability: repository.mutability,
      exclusion_filters_json: repository.exclusionFilters,
      scan_on_push: repository.scanOnPush,
      encryption_type: repository.encryptionType,
      kms_key: repository.kmsKey,
      resource_tags_json: repository.resourceTags,
    })
    .onConflict((conflict) => conflict.columns(['account', 'region', 'name']).doNothing())
    .returning('id'),
);

/** No registry has such an account: whoever asks for a repository by its name no longer finds it. */
const RETIRED = { account: '', region: '' } as const;

const retire = prepared((db, { id, name }: Placeholders<{ id: number; name: string }>) =>
  db
    .updateTable('repositories')
    .set({ ...RETIRED, name })
    .where('id', '=', id),
);

const retired = prepared((db, { limit }: Placeholders<{ limit: number }>) =>
  db
    .selectFrom('repositories')
    .select('id')
    .where('account', '=', RETIRED.account)
    .where('region', '=', RETIRED.region)
    .limit(limit),
);

const findById = prepared((db, repository: Placeholders<{ id: number }>) => byId(db, repository));

const takeById = prepared((db, repository: Placeholders<{ id: number }>, { taking }) =>
  byId(db, repository).modifyEnd(taking),
);

function byId(db: Kysely<Tables>, { id }: Placeholders<{ id: number }>) {
  return db.selectFrom('repositories').select(COLUMNS).where('id', '=', id).where('account', '!=', RETIRED.account);
}

interface Some {
  id: number;
  limit: number;
}

const deleteImages = prepared((db, { id, limit }: Placeholders<Some>) =>
  db
    .deleteFrom('images')
    .where('id', 'in', db.selectFrom('images').select('id').where('repository_id', '=', id).limit(limit))
    .returning('id'),
);

const deleteLayers = prepared((db, { id, limit }: Placeholders<Some>) =>
  db
    .deleteFrom('layers')
    .where('repository_id', '=', id)
    .where('digest', 'in', db.selectFrom('layers').select('digest').where('repository_id', '=', id).limit(limit))
    .returning('blob_id'),
);

const deleteKeptImages = prepared((db, { id, limit }: Placeholders<Some>) =>
  db
    .deleteFrom('deleted_images')
    .where('repository_id', '=', id)
    .where(
      'digest',
      'in',
      db.selectFrom('deleted_images').select('digest').where('repository_id', '=', id).limit(limit),
    )
    .returning('repository_id'),
);

const deleteTagChanges = prepared((db, { id, limit }: Placeholders<Some>) =>
  db
    .deleteFrom('tag_changes')
    .where('id', 'in', db.selectFrom('tag_changes').select('id').where('repository_id', '=', id).limit(limit))
    .returning('repository_id'),
);

const deleteRepository = prepared((db, { id }: Placeholders<{ id: number }>) =>
  db.deleteFrom('repositories').where('id', '=', id).returning('id'),
);
