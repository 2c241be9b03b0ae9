import { join } from 'node:path';
import { openSqliteMetadataStore } from '../../src/drivers/metadata/sqlite.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { describeAccessKeys } from './metadata-store/access-keys.ts';
import { describeAccessPolicies } from './metadata-store/access-policies.ts';
import { describeAccessRoles } from './metadata-store/access-roles.ts';
import { describeAccessTokens } from './metadata-store/access-tokens.ts';
import { describeAccessUsers } from './metadata-store/access-users.ts';
import { describeAccessVersion } from './metadata-store/access-version.ts';
import { describeAccountSettings } from './metadata-store/account-settings.ts';
import { describeArchived } from './metadata-store/archived.ts';
import { describeBackfills } from './metadata-store/backfills.ts';
import { describeBlobs } from './metadata-store/blobs.ts';
import { describeCaching } from './metadata-store/caching.ts';
import { describeCreationTemplates } from './metadata-store/creation-templates.ts';
import type { MetadataStoreDriver } from './metadata-store/driver.ts';
import { describeEvents } from './metadata-store/events.ts';
import { describeGates } from './metadata-store/gates.ts';
import { describeHistory } from './metadata-store/history.ts';
import { describeImageLists } from './metadata-store/image-lists.ts';
import { describeImagePaging } from './metadata-store/image-paging.ts';
import { describeImages } from './metadata-store/images.ts';
import { describeJobs, describeSharedJobs } from './metadata-store/jobs.ts';
import { describeKmsKeys } from './metadata-store/kms-keys.ts';
import { describeLasting, describeOneWriter } from './metadata-store/lasting.ts';
import { describeLayers } from './metadata-store/layers.ts';
import { describeLifecycle } from './metadata-store/lifecycle.ts';
import { describeMoves } from './metadata-store/moves.ts';
import { describePullTimes } from './metadata-store/pull-times.ts';
import { describeReplication } from './metadata-store/replication.ts';
import { describeRepositories } from './metadata-store/repositories.ts';
import { describeScanning } from './metadata-store/scanning.ts';
import { describeSigning } from './metadata-store/signing.ts';
import { describeSigningKeys } from './metadata-store/signing-keys.ts';
import { describeTransactions } from './metadata-store/transactions.ts';
import { describeUploads } from './metadata-store/uploads.ts';
import { describeUsage } from './metadata-store/usage.ts';
import { describeWorkScopes } from './metadata-store/work-scopes.ts';

const sqliteFile: MetadataStoreDriver = {
  name: 'sqlite file',
  async open() {
    const folder = await temporaryFolder('gantry-metadata-');
    const file = join(folder.path, 'metadata.db');
    const store = await openSqliteMetadataStore({ file });
    return {
      store,
      another: () => openSqliteMetadataStore({ file }),
      async [Symbol.asyncDispose]() {
        await store[Symbol.asyncDispose]();
        await folder[Symbol.asyncDispose]();
      },
    };
  },
};

const sqliteMemory: MetadataStoreDriver = {
  name: 'sqlite memory',
  async open() {
    const store = await openSqliteMetadataStore({ file: ':memory:' });
    return { store, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
  },
};

for (const driver of [sqliteFile, sqliteMemory]) {
  describeTransactions(driver);
  describeWorkScopes(driver);
  describeRepositories(driver);
  describeBlobs(driver);
  describeArchived(driver);
  describeLayers(driver);
  describeUploads(driver);
  describeImages(driver);
  describeImageLists(driver);
  describeImagePaging(driver);
  describeJobs(driver);
  describeEvents(driver);
  describeGates(driver);
  describeHistory(driver);
  describeLifecycle(driver);
  describeMoves(driver);
  describeSigningKeys(driver);
  describeKmsKeys(driver);
  describeCreationTemplates(driver);
  describeCaching(driver);
  describeAccessUsers(driver);
  describeAccessRoles(driver);
  describeAccessKeys(driver);
  describeAccessPolicies(driver);
  describeAccessTokens(driver);
  describeAccessVersion(driver);
  describePullTimes(driver);
  describeAccountSettings(driver);
  describeUsage(driver);
  describeReplication(driver);
  describeBackfills(driver);
  describeScanning(driver);
  describeSigning(driver);
}
describeLasting(sqliteFile);
describeOneWriter(sqliteFile);
describeSharedJobs(sqliteFile);
