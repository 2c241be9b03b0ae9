import type { Generated } from 'kysely';
import type { Digest } from '../../core/values/digest.ts';

/** What migration 0003 adds; the conventions are those of `Tables`. */
export interface ImageManagementTables {
  tag_changes: TagChangesTable;
  deleted_images: DeletedImagesTable;
  lifecycle_policies: LifecyclePoliciesTable;
  lifecycle_previews: LifecyclePreviewsTable;
  lifecycle_preview_images: LifecyclePreviewImagesTable;
  account_settings: AccountSettingsTable;
  pull_time_exclusions: PullTimeExclusionsTable;
  event_targets: EventTargetsTable;
  events: EventsTable;
  jobs: JobsTable;
  schedules: SchedulesTable;
}

export interface TagChangesTable {
  id: Generated<number>;
  repository_id: number;
  tag: string;
  /** Null: the tag was taken away. */
  digest: Digest | null;
  /** Null: there was no such tag. */
  former_digest: Digest | null;
  cause: string;
  principal: string;
  changed_at: number;
}

export interface DeletedImagesTable {
  repository_id: number;
  digest: Digest;
  media_type: string;
  subject_digest: Digest | null;
  manifest: Uint8Array;
  tags_json: string;
  pushed_at: number;
  cause: string;
  principal: string;
  deleted_at: number;
  kept_until: number;
}

interface LifecyclePoliciesTable {
  repository_id: number;
  document: string;
  evaluated_at: number | null;
}

interface LifecyclePreviewsTable {
  repository_id: number;
  /** Tells one preview of a repository from the next. */
  id: string;
  document: string;
  status: string;
  started_at: number;
  expiring: number;
  transitioning: number;
}

interface LifecyclePreviewImagesTable {
  repository_id: number;
  position: number;
  digest: Digest;
  tags_json: string;
  pushed_at: number;
  action: string;
  rule_priority: number;
  storage_class: string;
}

interface AccountSettingsTable {
  account: string;
  region: string;
  name: string;
  value: string;
}

interface PullTimeExclusionsTable {
  account: string;
  region: string;
  principal_arn: string;
  created_at: number;
}

interface EventTargetsTable {
  name: string;
  kind: string;
  settings_json: string;
  sealed_secret: Uint8Array | null;
  created_at: number;
}

interface EventsTable {
  id: Generated<number>;
  account: string;
  region: string;
  event_json: string;
  at: number;
}

export interface JobsTable {
  id: Generated<number>;
  kind: string;
  /** Of two waiting jobs of a kind with the same key one is kept; null: each counts. */
  key: string | null;
  payload_json: string;
  /** Of a delivery; its event stays as long as the job. */
  event_id: number | null;
  created_at: number;
  /** When it may be taken next; while it is being done, when that is taken for lost. */
  due_at: number;
  attempts: number;
  /** Of the runner that does it now. */
  lease_id: string | null;
  last_error: string | null;
  dead_at: number | null;
}

interface SchedulesTable {
  name: string;
  fired_at: number;
}
