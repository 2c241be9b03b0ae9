import type { SqlDialect } from '../dialect.ts';
import { run, type Session } from '../session.ts';

/** How bytes are encrypted, the keys of the local key service, and which server writes to an upload. */
export async function encryptionTables(session: Session): Promise<void> {
  const { build, types } = session.dialect;
  await run(session, build.schema.alterTable('blobs').addColumn('protection_json', types.text));
  await run(session, build.schema.alterTable('uploads').addColumn('protection_json', types.text));
  await run(session, build.schema.alterTable('uploads').addColumn('holder', types.text));
  await run(session, build.schema.alterTable('uploads').addColumn('held_until', types.integer));
  await run(session, kmsKeys(session.dialect));
}

function kmsKeys({ build, types }: SqlDialect) {
  return build.schema
    .createTable('kms_keys')
    .addColumn('arn', types.text, (column) => column.notNull().primaryKey())
    .addColumn('account', types.text, (column) => column.notNull())
    .addColumn('region', types.text, (column) => column.notNull())
    .addColumn('alias', types.text)
    .addColumn('description', types.text, (column) => column.notNull())
    .addColumn('state', types.text, (column) => column.notNull())
    .addColumn('sealed_material', types.bytes, (column) => column.notNull())
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addColumn('deletion_at', types.integer)
    .addUniqueConstraint('kms_keys_by_alias', ['account', 'region', 'alias']);
}
