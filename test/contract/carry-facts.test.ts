import { openSqliteDatabase } from '../../src/drivers/metadata/sqlite.ts';
import { describeCarrying } from './carry-facts.ts';

describeCarrying('SQLite', () => openSqliteDatabase({ file: ':memory:' }));
