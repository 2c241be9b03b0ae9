import { openSqliteDatabase } from '../../src/drivers/metadata/sqlite.ts';
import { describeMigrations } from './migrations.ts';

describeMigrations('SQLite', () => openSqliteDatabase({ file: ':memory:' }));
