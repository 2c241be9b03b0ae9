import type { IdCounters } from './session.ts';

/** https://sqlite.org/autoinc.html: a table that ordinary statements may change. */
export const sqliteIds: IdCounters = {
  async last(session, table) {
    const [row] = await session.rows<{ seq: number }>('select seq from sqlite_sequence where name = ?', [table]);
    return row?.seq ?? 0;
  },
  async goOnAfter(session, table, id) {
    await session.rows('delete from sqlite_sequence where name = ?', [table]);
    await session.rows('insert into sqlite_sequence (name, seq) values (?, ?)', [table, id]);
  },
};
