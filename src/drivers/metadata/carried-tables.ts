import type { MovingTables } from './moving-tables.ts';
import type { Tables } from './tables.ts';

/** What is of the store and not of the registry stays where it is. */
export type CarriedTable = Exclude<keyof Tables, keyof MovingTables | 'migrations'>;

/**
 * The columns of each table's primary key, by which it is read in pages. Tables stand behind those that their rows hang on:
 * whoever adds a table is asked for it here by the compiler, and for its place by carried-tables.test.ts.
 */
const KEYS: { readonly [Table in CarriedTable]: readonly (keyof Tables[Table] & string)[] } = {
  repositories: ['id'],
  blobs: ['id'],
  layers: ['repository_id', 'digest'],
  uploads: ['id'],
  images: ['id'],
  manifests: ['image_id'],
  image_layers: ['repository_id', 'layer_digest', 'image_id'],
  image_children: ['repository_id', 'child_digest', 'image_id'],
  tags: ['repository_id', 'name'],
  signing_keys: ['id'],
  access_version: ['id'],
  users: ['account', 'name'],
  user_groups: ['account', 'name'],
  memberships: ['account', 'user_name', 'group_name'],
  roles: ['account', 'name'],
  access_keys: ['id'],
  attached_policies: ['account', 'holder_kind', 'holder_name', 'name'],
  robot_tokens: ['id'],
  identity_providers: ['account', 'issuer'],
  repository_policies: ['repository_id'],
  registry_policies: ['account', 'region'],
  tag_changes: ['id'],
  deleted_images: ['repository_id', 'digest'],
  lifecycle_policies: ['repository_id'],
  lifecycle_previews: ['repository_id'],
  lifecycle_preview_images: ['repository_id', 'position'],
  account_settings: ['account', 'region', 'name'],
  pull_time_exclusions: ['account', 'region', 'principal_arn'],
  event_targets: ['name'],
  events: ['id'],
  jobs: ['id'],
  schedules: ['name'],
  creation_templates: ['account', 'region', 'prefix'],
  pull_through_cache_rules: ['account', 'region', 'prefix'],
  secrets: ['account', 'region', 'name'],
  cache_checks: ['repository_id', 'tag'],
  replication_configurations: ['account', 'region'],
  peers: ['account', 'region'],
  image_replications: ['image_id', 'account', 'region', 'tag'],
  backfills: ['id'],
  backfill_results: ['backfill_id', 'position'],
  kms_keys: ['arn'],
  registry_scanning: ['account', 'region'],
  layer_inventories: ['blob_id'],
  image_scans: ['image_id', 'scan_type'],
  signing_authorities: ['account', 'region'],
  signer_profiles: ['arn'],
  registry_signing: ['account', 'region'],
  image_signings: ['image_id', 'profile_arn'],
  gates: ['repository_id'],
  gate_exceptions: ['repository_id', 'cve', 'digest'],
  severity_sightings: ['image_id', 'scan_type', 'severity'],
};

export interface Carried {
  readonly table: CarriedTable;
  readonly key: readonly string[];
}

/** In the order in which they are carried. */
export const CARRIED_TABLES: readonly Carried[] = Object.entries(KEYS).map(([table, key]) => ({
  table: table as CarriedTable,
  key,
}));

/** Those whose ids the database hands out. */
export const TABLES_WITH_IDS = ['repositories', 'blobs', 'images', 'tag_changes', 'events', 'jobs'] as const;

/** A new store has one row of it. */
export const FILLED_WHEN_NEW: CarriedTable = 'access_version';
