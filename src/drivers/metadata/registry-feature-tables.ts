import type { Digest } from '../../core/values/digest.ts';

/** What migration 0004 adds; the conventions are those of `Tables`. */
export interface RegistryFeatureTables {
  creation_templates: CreationTemplatesTable;
  pull_through_cache_rules: PullThroughCacheRulesTable;
  secrets: SecretsTable;
  cache_checks: CacheChecksTable;
  replication_configurations: ReplicationConfigurationsTable;
  peers: PeersTable;
  image_replications: ImageReplicationsTable;
  backfills: BackfillsTable;
  backfill_results: BackfillResultsTable;
}

interface InRegistry {
  account: string;
  region: string;
}

export interface CreationTemplatesTable extends InRegistry {
  prefix: string;
  settings_json: string;
  created_at: number;
  updated_at: number;
}

export interface PullThroughCacheRulesTable extends InRegistry {
  prefix: string;
  upstream_prefix: string | null;
  upstream_url: string;
  upstream_registry: string | null;
  credential_arn: string | null;
  custom_role_arn: string | null;
  created_at: number;
  updated_at: number;
}

export interface SecretsTable extends InRegistry {
  name: string;
  arn: string;
  sealed_value: Uint8Array;
  created_at: number;
  updated_at: number;
}

export interface CacheChecksTable {
  repository_id: number;
  tag: string;
  digest: Digest;
  checked_at: number;
}

export interface ReplicationConfigurationsTable extends InRegistry {
  rules_json: string;
}

export interface PeersTable extends InRegistry {
  url: string;
  settings_json: string;
  sealed_secret: Uint8Array | null;
  created_at: number;
}

export interface ImageReplicationsTable extends InRegistry {
  image_id: number;
  /** Empty: as it was pushed without a tag. */
  tag: string;
  status: string;
  failure_code: string | null;
  updated_at: number;
}

export interface BackfillsTable extends InRegistry {
  id: string;
  destination_account: string;
  destination_region: string;
  status: string;
  failure_code: string | null;
  total: number;
  completed: number;
  failed: number;
  failure_codes_json: string;
  started_at: number;
  ended_at: number | null;
}

export interface BackfillResultsTable {
  backfill_id: string;
  position: number;
  repository_name: string;
  digest: Digest;
  /** Empty: the image without a tag. */
  tag: string;
  /** Null: not done yet. */
  status: string | null;
  failure_code: string | null;
  sub_failure_codes_json: string | null;
}
