import { type RawBuilder, sql } from 'kysely';
import type { UsageReads } from '../../../core/quotas/usage-records.ts';
import { DOCKER_MANIFEST_LIST, OCI_INDEX } from '../../../core/values/media-type.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';

export function usageReads(session: Session): UsageReads {
  return {
    async countRepositories({ accountId, region }) {
      const [row] = await countRepositories(session, { account: accountId, region });
      return row?.count ?? 0;
    },
    async countImages(repositoryId) {
      const [row] = await countImages(session, { repositoryId });
      return row?.count ?? 0;
    },
    async ofRepository(repositoryId) {
      const [images] = await imagesOf(session, { repositoryId });
      const [tags] = await tagsOf(session, { repositoryId });
      const [layers] = await layersOf(session, { repositoryId });
      const [uploads] = await uploadsOf(session, { repositoryId });
      return { ...images!, ...tags!, ...layers!, ...uploads! };
    },
    async stored({ accountId, region }) {
      const [row] = await stored(session, { account: accountId, region });
      return { ...row! };
    },
    async registries() {
      return (await registries(session, {})).map(({ account, region }) => ({ accountId: account, region }));
    },
  };
}

interface InRegistry {
  account: string;
  region: string;
}

interface InRepository {
  repositoryId: number;
}

const countRepositories = prepared((db, { account, region }: Placeholders<InRegistry>) =>
  db
    .selectFrom('repositories')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('account', '=', account)
    .where('region', '=', region),
);

const countImages = prepared((db, { repositoryId }: Placeholders<InRepository>) =>
  db
    .selectFrom('images')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('repository_id', '=', repositoryId),
);

const imagesOf = prepared((db, { repositoryId }: Placeholders<InRepository>) => {
  // Its size is that of its largest child, which counts for itself.
  const bytes = sql<number>`case when media_type in (${OCI_INDEX}, ${DOCKER_MANIFEST_LIST}) then 0 else image_bytes end`;
  const isArchived = sql<boolean>`status <> 'ACTIVE'`;
  return db
    .selectFrom('images')
    .select(({ fn }) => [
      fn.countAll<number>().as('images'),
      total(sql`case when ${isArchived} then 1 else 0 end`).as('archivedImages'),
      total(bytes).as('logicalBytes'),
      total(sql`case when ${isArchived} then ${bytes} else 0 end`).as('archivedLogicalBytes'),
    ])
    .where('repository_id', '=', repositoryId);
});

const tagsOf = prepared((db, { repositoryId }: Placeholders<InRepository>) =>
  db
    .selectFrom(
      db
        .selectFrom('tags')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .where('repository_id', '=', repositoryId)
        .groupBy('image_id')
        .as('images'),
    )
    .select([total(sql`count`).as('tags'), largest(sql`count`).as('tagsOfImageMax')]),
);

const layersOf = prepared((db, { repositoryId }: Placeholders<InRepository>) =>
  db
    .selectFrom('layers')
    .innerJoin('blobs', 'blobs.id', 'layers.blob_id')
    .select([
      total(sql`bytes`).as('storedBytes'),
      total(sql`case when archived = 1 then bytes else 0 end`).as('archivedStoredBytes'),
      largest(sql`bytes`).as('layerBytesMax'),
    ])
    .where('layers.repository_id', '=', repositoryId),
);

const uploadsOf = prepared((db, { repositoryId }: Placeholders<InRepository>) =>
  db.selectFrom('uploads').select(largest(sql`parts`).as('layerPartsMax')).where('repository_id', '=', repositoryId),
);

const stored = prepared((db, { account, region }: Placeholders<InRegistry>) =>
  db
    .selectFrom('blobs')
    .select(({ fn }) => [
      fn.countAll<number>().as('blobs'),
      total(sql`bytes`).as('storedBytes'),
      total(sql`case when archived = 1 then bytes else 0 end`).as('archivedStoredBytes'),
    ])
    .where(
      'id',
      'in',
      db
        .selectFrom('layers')
        .innerJoin('repositories', 'repositories.id', 'layers.repository_id')
        .select('layers.blob_id')
        .where('repositories.account', '=', account)
        .where('repositories.region', '=', region),
    ),
);

/** Repositories that were retired lie in a registry without a name. */
const registries = prepared((db) =>
  db
    .selectFrom('repositories')
    .select(['account', 'region'])
    .where('account', '<>', sql.lit(''))
    .groupBy(['account', 'region'])
    .orderBy('account')
    .orderBy('region'),
);

function total(value: RawBuilder<unknown>) {
  return sql<number>`coalesce(sum(${value}), 0)`;
}

function largest(value: RawBuilder<unknown>) {
  return sql<number>`coalesce(max(${value}), 0)`;
}
