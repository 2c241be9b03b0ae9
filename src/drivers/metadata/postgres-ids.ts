import type { IdCounters } from './session.ts';

/** https://www.postgresql.org/docs/current/functions-sequence.html; null stands for a sequence that handed out nothing. */
export const postgresIds: IdCounters = {
  async last(session, table) {
    const text = "select pg_sequence_last_value(pg_get_serial_sequence($1, 'id')::regclass) as last";
    const [row] = await session.rows<{ last: number | null }>(text, [table]);
    return row?.last ?? 0;
  },
  async goOnAfter(session, table, id) {
    // A sequence begins at 1: the third value says whether the second was handed out.
    const text = "select setval(pg_get_serial_sequence($1, 'id'), greatest($2::bigint, 1), $2::bigint > 0)";
    await session.rows(text, [table, id]);
  },
};
