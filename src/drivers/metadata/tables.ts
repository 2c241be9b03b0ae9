import type { Generated } from 'kysely';
import type { SigningPurpose } from '../../core/access/signing-key-records.ts';
import type { ImageStatus } from '../../core/images/image-records.ts';
import type { Encryption, ImageTagMutability } from '../../core/repositories/repository-records.ts';
import type { Digest } from '../../core/values/digest.ts';
import type { AccessTables } from './access-tables.ts';
import type { EncryptionTables } from './encryption-tables.ts';
import type { GateTables } from './gate-tables.ts';
import type { ImageManagementTables } from './image-management-tables.ts';
import type { MovingTables } from './moving-tables.ts';
import type { RegistryFeatureTables } from './registry-feature-tables.ts';
import type { ScanningTables } from './scanning-tables.ts';
import type { SigningTables } from './signing-tables.ts';

/**
 * The tables as migrations make them. Times are milliseconds since 1970 (`…_at`, `…_until`), yes and no are 1 and 0,
 * columns ending in `_json` hold JSON text.
 */
export interface Tables
  extends AccessTables,
    EncryptionTables,
    GateTables,
    ImageManagementTables,
    MovingTables,
    RegistryFeatureTables,
    ScanningTables,
    SigningTables {
  migrations: MigrationsTable;
  repositories: RepositoriesTable;
  blobs: BlobsTable;
  layers: LayersTable;
  uploads: UploadsTable;
  images: ImagesTable;
  manifests: ManifestsTable;
  image_layers: ImageLayersTable;
  image_children: ImageChildrenTable;
  tags: TagsTable;
  signing_keys: SigningKeysTable;
}

interface MigrationsTable {
  version: number;
  applied_at: number;
}

export interface RepositoriesTable {
  id: Generated<number>;
  account: string;
  region: string;
  name: string;
  created_at: number;
  image_tag_mutability: ImageTagMutability;
  exclusion_filters_json: string;
  scan_on_push: number;
  encryption_type: Encryption['encryptionType'];
  kms_key: string | null;
  resource_tags_json: string;
}

interface BlobsTable {
  id: Generated<number>;
  scope: string;
  digest: Digest;
  location: string;
  bytes: number;
  created_at: number;
  /** Whether the bytes lie with those of archived images. */
  archived: Generated<number>;
  /** Whether a layer points at it; kept by every statement that makes or ends a layer. */
  referenced: number;
  /** How its bytes are encrypted; null when they are not. */
  protection_json: Generated<string | null>;
}

interface LayersTable {
  repository_id: number;
  digest: Digest;
  blob_id: number;
  lease_until: number;
  /** Until when it is given out although only archived images use it, since it was pushed again. */
  offered_until: Generated<number>;
  /** Whether an image of the repository uses it; kept by every statement that makes or ends an image or a layer. */
  referenced: number;
}

export interface UploadsTable {
  id: string;
  repository_id: number;
  parts: number;
  bytes: number;
  last_part_bytes: number;
  smallest_earlier_part_bytes: number | null;
  created_at: number;
  touched_at: number;
  /** As of the blob that it becomes. */
  protection_json: Generated<string | null>;
  /** The server that writes to it, and until when that counts; null where one server alone can. */
  holder: Generated<string | null>;
  held_until: Generated<number | null>;
}

interface ImagesTable {
  id: Generated<number>;
  repository_id: number;
  digest: Digest;
  media_type: string;
  artifact_type: string | null;
  subject_digest: Digest | null;
  manifest_bytes: number;
  image_bytes: number;
  annotations_json: string | null;
  pushed_at: number;
  status: Generated<ImageStatus>;
  archived_at: Generated<number | null>;
  activated_at: Generated<number | null>;
  pulled_at: Generated<number | null>;
  /** 1 when it has a tag, as the database notes itself. */
  tagged: Generated<number>;
}

/** Apart from images, so that listing images reads no manifest. */
interface ManifestsTable {
  image_id: number;
  bytes: Uint8Array;
}

interface ImageLayersTable {
  repository_id: number;
  layer_digest: Digest;
  image_id: number;
  media_type: string;
}

interface ImageChildrenTable {
  repository_id: number;
  child_digest: Digest;
  image_id: number;
}

interface TagsTable {
  repository_id: number;
  name: string;
  image_id: number;
  updated_at: number;
}

interface SigningKeysTable {
  id: string;
  purpose: SigningPurpose;
  secret: Uint8Array;
  created_at: number;
}
