import { after, before, describe } from 'node:test';
import { openPostgresMetadataStore } from '../../src/drivers/metadata/postgres.ts';
import { describeAccessKeys } from '../contract/metadata-store/access-keys.ts';
import { describeAccessPolicies } from '../contract/metadata-store/access-policies.ts';
import { describeAccessRoles } from '../contract/metadata-store/access-roles.ts';
import { describeAccessTokens } from '../contract/metadata-store/access-tokens.ts';
import { describeAccessUsers } from '../contract/metadata-store/access-users.ts';
import { describeAccessVersion } from '../contract/metadata-store/access-version.ts';
import { describeAccountSettings } from '../contract/metadata-store/account-settings.ts';
import { describeArchived } from '../contract/metadata-store/archived.ts';
import { describeBackfills } from '../contract/metadata-store/backfills.ts';
import { describeBlobs } from '../contract/metadata-store/blobs.ts';
import { describeCaching } from '../contract/metadata-store/caching.ts';
import { describeCreationTemplates } from '../contract/metadata-store/creation-templates.ts';
import type { MetadataStoreDriver } from '../contract/metadata-store/driver.ts';
import { describeEvents } from '../contract/metadata-store/events.ts';
import { describeGates } from '../contract/metadata-store/gates.ts';
import { describeHistory } from '../contract/metadata-store/history.ts';
import { describeImageLists } from '../contract/metadata-store/image-lists.ts';
import { describeImagePaging } from '../contract/metadata-store/image-paging.ts';
import { describeImages } from '../contract/metadata-store/images.ts';
import { describeJobs, describeSharedJobs } from '../contract/metadata-store/jobs.ts';
import { describeKmsKeys } from '../contract/metadata-store/kms-keys.ts';
import { describeLasting } from '../contract/metadata-store/lasting.ts';
import { describeLayers } from '../contract/metadata-store/layers.ts';
import { describeLifecycle } from '../contract/metadata-store/lifecycle.ts';
import { describeMoves } from '../contract/metadata-store/moves.ts';
import { describePullTimes } from '../contract/metadata-store/pull-times.ts';
import { describeReplication } from '../contract/metadata-store/replication.ts';
import { describeRepositories } from '../contract/metadata-store/repositories.ts';
import { describeScanning } from '../contract/metadata-store/scanning.ts';
import { describeSigning } from '../contract/metadata-store/signing.ts';
import { describeSigningKeys } from '../contract/metadata-store/signing-keys.ts';
import { describeTransactions } from '../contract/metadata-store/transactions.ts';
import { describeUploads } from '../contract/metadata-store/uploads.ts';
import { describeUsage } from '../contract/metadata-store/usage.ts';
import { describeWorkScopes } from '../contract/metadata-store/work-scopes.ts';
import { type PostgresServer, startPostgres, withoutPostgres } from '../support/postgres.ts';

let server: PostgresServer;

const postgres: MetadataStoreDriver = {
  name: 'postgres',
  async open() {
    const url = await server.newDatabase();
    const store = await openPostgresMetadataStore({ url });
    return {
      store,
      another: () => openPostgresMetadataStore({ url }),
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    };
  },
};

describe('metadata store on a PostgreSQL server', { skip: withoutPostgres }, () => {
  before(async () => {
    server = await startPostgres();
  });
  after(() => server[Symbol.asyncDispose]());

  for (const describeContract of [
    describeTransactions,
    describeWorkScopes,
    describeRepositories,
    describeBlobs,
    describeArchived,
    describeLayers,
    describeUploads,
    describeImages,
    describeImageLists,
    describeImagePaging,
    describeJobs,
    describeSharedJobs,
    describeEvents,
    describeGates,
    describeHistory,
    describeLifecycle,
    describeMoves,
    describeSigningKeys,
    describeKmsKeys,
    describeCreationTemplates,
    describeCaching,
    describeAccessUsers,
    describeAccessRoles,
    describeAccessKeys,
    describeAccessPolicies,
    describeAccessTokens,
    describeAccessVersion,
    describePullTimes,
    describeAccountSettings,
    describeUsage,
    describeReplication,
    describeBackfills,
    describeScanning,
    describeSigning,
    describeLasting,
  ]) {
    describeContract(postgres);
  }
});
