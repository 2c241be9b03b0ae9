import { firstTables } from './migrations/0001-first-tables.ts';
import { accessTables } from './migrations/0002-access.ts';
import { imageManagementTables } from './migrations/0003-image-management.ts';
import { registryFeatureTables } from './migrations/0004-registry-features.ts';
import { encryptionTables } from './migrations/0005-encryption.ts';
import { scanningTables } from './migrations/0006-scanning.ts';
import { signingTables } from './migrations/0007-signing.ts';
import { untaggedImages } from './migrations/0008-untagged-images.ts';
import { movingTables } from './migrations/0009-moving.ts';
import { gateTables } from './migrations/0010-gates.ts';
import { type Placeholders, prepared, run, type Session, type SqlDatabase } from './session.ts';

/** Takes a store one step further, in the transaction that also notes it as done. */
export type Migration = (session: Session) => Promise<void>;

/** Oldest first; a step's version is its place, counted from 1. Steps that were released never change. */
export const MIGRATIONS: readonly Migration[] = [
  firstTables,
  accessTables,
  imageManagementTables,
  registryFeatureTables,
  encryptionTables,
  scanningTables,
  signingTables,
  untaggedImages,
  movingTables,
  gateTables,
];

/** Runs the steps the store lacks, each in a transaction of its own; two processes may do so at once. */
export async function bringToPresentForm(database: SqlDatabase): Promise<void> {
  await database.migration(makeMigrationsTable);
  for (const [index, migration] of MIGRATIONS.entries()) {
    const version = index + 1;
    await database.migration(async (session) => {
      const present = await presentVersion(session);
      if (present > MIGRATIONS.length) throw new NewerStoreError(present, MIGRATIONS.length);
      if (present >= version) return;
      await migration(session);
      await noteMigration(session, { version, now: Date.now() });
    });
  }
}

/** The version of the last step the store has taken, 0 when it took none. Rejects when no step ever was looked for. */
export async function presentVersion(session: Session): Promise<number> {
  const [row] = await lastVersion(session, {});
  return row?.version ?? 0;
}

/** The form that this Gantry writes. */
export const PRESENT_FORM = MIGRATIONS.length;

/** As `presentVersion`; 0 also when no step ever was looked for. */
export async function formOf({ reader }: SqlDatabase): Promise<number> {
  return presentVersion(reader).catch(() => 0);
}

/** The store was written by a Gantry that knows more steps than this one. */
export class NewerStoreError extends Error {
  constructor(storeVersion: number, knownVersion: number) {
    super(
      `The metadata store has form ${storeVersion}, and this Gantry knows forms up to ${knownVersion}: ` +
        'start the newer Gantry that wrote it, or restore a backup from before the upgrade',
    );
    this.name = 'NewerStoreError';
  }
}

async function makeMigrationsTable(session: Session): Promise<void> {
  const { build, types } = session.dialect;
  const table = build.schema
    .createTable('migrations')
    .ifNotExists()
    .addColumn('version', types.integer, (column) => column.primaryKey())
    .addColumn('applied_at', types.integer, (column) => column.notNull());
  await run(session, table);
}

const lastVersion = prepared((db) => db.selectFrom('migrations').select('version').orderBy('version', 'desc').limit(1));

interface Step {
  version: number;
  now: number;
}

const noteMigration = prepared((db, step: Placeholders<Step>) =>
  db.insertInto('migrations').values({ version: step.version, applied_at: step.now }),
);
