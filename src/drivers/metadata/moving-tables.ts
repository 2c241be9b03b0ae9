import type { Generated } from 'kysely';
import type { Move } from '../../core/moving/move-records.ts';
import type { Digest } from '../../core/values/digest.ts';

/** What migration 0009 adds; the conventions are those of `Tables`. They are of the store, and never move with its facts. */
export interface MovingTables {
  moves: MovesTable;
  moved_blobs: MovedBlobsTable;
}

/** Has one row at most, whose number is 1. */
interface MovesTable {
  number: number;
  id: string;
  stage: Move['stage'];
  places_json: string;
  at: number;
  /** The process that moves, and until when that counts. */
  holder: Generated<string | null>;
  held_until: Generated<number | null>;
}

interface MovedBlobsTable {
  source_location: string;
  target_location: string;
  digest: Digest;
  bytes: number;
  protection_json: string | null;
  /** Whether the bytes of the copy were read again and compared. */
  was_read: Generated<number>;
}
