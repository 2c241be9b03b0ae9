import type { CreateTableBuilder } from 'kysely';
import type { SqlDialect } from '../dialect.ts';
import { run, type Session } from '../session.ts';

/**
 * registry ── signing_authorities   (signs the certificates of its profiles)
 * registry ─< signer_profiles
 * registry ── registry_signing
 * images ─< image_signings          (one for each profile that signs it; profiles of other registries too)
 */
export async function signingTables(session: Session): Promise<void> {
  for (const table of tables(session.dialect)) await run(session, table);
}

function tables(dialect: SqlDialect): CreateTableBuilder<string, string>[] {
  return [
    signingAuthorities(dialect),
    signerProfiles(dialect),
    registrySigning(dialect),
    imageSignings(dialect),
  ] as unknown as CreateTableBuilder<string, string>[];
}

function signingAuthorities({ build, types }: SqlDialect) {
  return build.schema
    .createTable('signing_authorities')
    .addColumn('account', types.text, (column) => column.notNull())
    .addColumn('region', types.text, (column) => column.notNull())
    .addColumn('certificate', types.text, (column) => column.notNull())
    .addColumn('sealed_private_key', types.bytes, (column) => column.notNull())
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('signing_authorities_by_registry', ['account', 'region']);
}

function signerProfiles({ build, types }: SqlDialect) {
  return build.schema
    .createTable('signer_profiles')
    .addColumn('arn', types.text, (column) => column.notNull().primaryKey())
    .addColumn('account', types.text, (column) => column.notNull())
    .addColumn('region', types.text, (column) => column.notNull())
    .addColumn('name', types.text, (column) => column.notNull())
    .addColumn('key_type', types.text, (column) => column.notNull())
    .addColumn('certificate_chain', types.text, (column) => column.notNull())
    .addColumn('sealed_private_key', types.bytes, (column) => column.notNull())
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addColumn('retired_at', types.integer)
    .addUniqueConstraint('signer_profiles_by_name', ['account', 'region', 'name']);
}

function registrySigning({ build, types }: SqlDialect) {
  return build.schema
    .createTable('registry_signing')
    .addColumn('account', types.text, (column) => column.notNull())
    .addColumn('region', types.text, (column) => column.notNull())
    .addColumn('rules_json', types.text, (column) => column.notNull())
    .addPrimaryKeyConstraint('registry_signing_by_registry', ['account', 'region']);
}

function imageSignings({ build, types }: SqlDialect) {
  return build.schema
    .createTable('image_signings')
    .addColumn('image_id', types.integer, (column) => column.notNull().references('images.id').onDelete('cascade'))
    .addColumn('profile_arn', types.text, (column) => column.notNull())
    .addColumn('status', types.text, (column) => column.notNull())
    .addColumn('failure_code', types.text)
    .addColumn('failure_reason', types.text)
    .addColumn('updated_at', types.integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('image_signings_by_profile', ['image_id', 'profile_arn']);
}
