import type { AccessReads, AccessRecords } from '../../../core/access/identity-records.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';
import { changeAccess } from './access-version.ts';

export function resourcePolicyReads(session: Session): Pick<AccessReads, 'repositoryPolicy' | 'registryPolicy'> {
  return {
    async repositoryPolicy(repositoryId) {
      const [row] = await ofRepository(session, { repositoryId });
      return row?.document;
    },
    async registryPolicy({ accountId, region }) {
      const [row] = await ofRegistry(session, { account: accountId, region });
      return row?.document;
    },
  };
}

export function resourcePolicyChanges(
  session: Session,
): Pick<AccessRecords, 'putRepositoryPolicy' | 'putRegistryPolicy'> {
  return {
    async putRepositoryPolicy(repositoryId, text) {
      if (text === undefined) await changeAccess(session, deleteOfRepository, { repositoryId });
      else await changeAccess(session, putOfRepository, { repositoryId, text });
    },
    async putRegistryPolicy({ accountId, region }, text) {
      const registry = { account: accountId, region };
      if (text === undefined) await changeAccess(session, deleteOfRegistry, registry);
      else await changeAccess(session, putOfRegistry, { ...registry, text });
    },
  };
}

interface OneRepository {
  repositoryId: number;
}

interface OneRegistry {
  account: string;
  region: string;
}

const ofRepository = prepared((db, { repositoryId }: Placeholders<OneRepository>) =>
  db.selectFrom('repository_policies').select('document').where('repository_id', '=', repositoryId),
);

const ofRegistry = prepared((db, { account, region }: Placeholders<OneRegistry>) =>
  db.selectFrom('registry_policies').select('document').where('account', '=', account).where('region', '=', region),
);

const putOfRepository = prepared((db, { repositoryId, text }: Placeholders<OneRepository & { text: string }>) =>
  db
    .insertInto('repository_policies')
    .values({ repository_id: repositoryId, document: text })
    .onConflict((conflict) => conflict.column('repository_id').doUpdateSet({ document: text }))
    .returning('repository_id'),
);

const putOfRegistry = prepared((db, { account, region, text }: Placeholders<OneRegistry & { text: string }>) =>
  db
    .insertInto('registry_policies')
    .values({ account, region, document: text })
    .onConflict((conflict) => conflict.columns(['account', 'region']).doUpdateSet({ document: text }))
    .returning('region'),
);

const deleteOfRepository = prepared((db, { repositoryId }: Placeholders<OneRepository>) =>
  db.deleteFrom('repository_policies').where('repository_id', '=', repositoryId).returning('repository_id'),
);

const deleteOfRegistry = prepared((db, { account, region }: Placeholders<OneRegistry>) =>
  db.deleteFrom('registry_policies').where('account', '=', account).where('region', '=', region).returning('region'),
);
