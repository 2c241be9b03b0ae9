import type { RoleAssumption } from './access/assume-role.ts';
import type { Authorizer } from './access/authorizer.ts';
import type { Callers } from './access/callers.ts';
import type { Credentials } from './access/credentials.ts';
import type { DownloadLinks } from './access/download-links.ts';
import type { Policies } from './access/policies.ts';
import type { RegistryAddresses } from './access/registry-addresses.ts';
import type { RegistryTokens } from './access/registry-tokens.ts';
import type { AuditTrail } from './audit/audit-trail.ts';
import type { CacheRules } from './caching/cache-rules.ts';
import type { Images } from './images/images.ts';
import type { Layers } from './layers/layers.ts';
import type { Uploads } from './layers/uploads.ts';
import type { Lifecycle } from './lifecycle/lifecycle.ts';
import type { PullTimeExclusions } from './pull-times/pull-time-exclusions.ts';
import type { Backfills } from './replication/backfills.ts';
import type { Replication } from './replication/replication.ts';
import type { CreationTemplates } from './repositories/creation-templates.ts';
import type { Repositories } from './repositories/repositories.ts';
import type { Scanning } from './scanning/scanning.ts';
import type { AccountSettings } from './settings/account-settings.ts';
import type { Signing } from './signing/signing.ts';

/** What a face may ask of the registry. Every call takes a `Call` first: who asks, and which registry is meant. */
export interface Core {
  readonly authorizer: Authorizer;
  readonly audit: AuditTrail;
  readonly addresses: RegistryAddresses;
  readonly credentials: Credentials;
  readonly callers: Callers;
  readonly roleAssumption: RoleAssumption;
  readonly registryTokens: RegistryTokens;
  readonly downloadLinks: DownloadLinks;
  readonly policies: Policies;
  readonly repositories: Repositories;
  readonly creationTemplates: CreationTemplates;
  readonly cacheRules: CacheRules;
  readonly uploads: Uploads;
  readonly layers: Layers;
  readonly images: Images;
  readonly pullTimeExclusions: PullTimeExclusions;
  readonly accountSettings: AccountSettings;
  readonly lifecycle: Lifecycle;
  readonly scanning: Scanning;
  readonly signing: Signing;
  readonly replication: Replication;
  readonly backfills: Backfills;
}
