import type { CarryPlan, FactsCarrier, TableCount } from '../../core/moving/facts-carrier.ts';
import { CARRIED_TABLES, type Carried, FILLED_WHEN_NEW, TABLES_WITH_IDS } from './carried-tables.ts';
import { countRows, insertRows, pagesOf, type Row, unkeepableAmong } from './carry-rows.ts';
import { moveRecords } from './records/moves.ts';
import type { Session, SqlDatabase } from './session.ts';

/** Carries between two databases, each of any kind, row by row and column by column. */
export function createFactsCarrier(source: SqlDatabase, target: SqlDatabase): FactsCarrier {
  return {
    count: () => countFacts(source),
    firstFilled: () => firstFilledOf(target),
    firstUnkeepable: () => firstUnkeepable(source, target),
    // Nobody writes to the source until all of it is in the target: what is read is of one moment.
    carry: (plan) =>
      source.transaction('alone', (from) =>
        target.transaction('alone', async (to) => {
          await target.empty(
            to,
            CARRIED_TABLES.map(({ table }) => table),
          );
          const carried = await carryTables(from, to, plan);
          for (const table of TABLES_WITH_IDS) {
            await target.ids.goOnAfter(to, table, await source.ids.last(from, table));
          }
          await relocate(to, plan);
          await requireAll(to, carried);
          return carried;
        }),
      ),
  };
}

/** As FactsCarrier.firstFilled; tables that an earlier form did not have hold nothing. */
export async function firstFilledOf({ reader }: SqlDatabase): Promise<string | undefined> {
  for (const { table } of CARRIED_TABLES) {
    if (table !== FILLED_WHEN_NEW && (await countRows(reader, table).catch(() => 0)) > 0) return table;
  }
  return undefined;
}

async function firstUnkeepable(source: SqlDatabase, target: SqlDatabase): Promise<string | undefined> {
  if (!source.reader.dialect.keepsNul || target.reader.dialect.keepsNul) return undefined;
  for (const carried of CARRIED_TABLES) {
    for await (const page of pagesOf(source.reader, carried)) {
      const found = unkeepableAmong(page, carried, target.reader.dialect);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** What there is to carry. */
export async function countFacts({ reader }: SqlDatabase): Promise<TableCount[]> {
  const counts: TableCount[] = [];
  for (const { table } of CARRIED_TABLES) counts.push({ table, rows: await countRows(reader, table) });
  return counts;
}

async function carryTables(from: Session, to: Session, plan: CarryPlan): Promise<TableCount[]> {
  const forgotten = new Set(plan.withoutUploads);
  const counts: TableCount[] = [];
  let done = 0;
  for (const carried of CARRIED_TABLES) {
    let rows = 0;
    for await (const page of pagesOf(from, carried)) {
      const kept = carried.table === 'uploads' ? uploadsAnew(page, forgotten) : page;
      const unkeepable = unkeepableAmong(kept, carried, to.dialect);
      if (unkeepable !== undefined) throw new Error(unkeepable);
      await insertRows(to, carried.table, kept);
      rows += kept.length;
      done += kept.length;
      plan.onProgress?.(done);
    }
    counts.push({ table: carried.table, rows });
  }
  return counts;
}

/** Whoever wrote to an upload in the source writes to it no more. */
function uploadsAnew(rows: readonly Row[], forgotten: ReadonlySet<unknown>): Row[] {
  return rows.filter(({ id }) => !forgotten.has(id)).map((row) => ({ ...row, holder: null, held_until: null }));
}

async function relocate(to: Session, { bytes }: CarryPlan): Promise<void> {
  if (bytes === 'stay') return;
  const left = await moveRecords(to).relocate(bytes === 'moved-with-archive');
  if (left > 0) throw new Error(`${left} blobs have no copy`);
}

async function requireAll(to: Session, carried: readonly TableCount[]): Promise<void> {
  for (const { table, rows } of carried) {
    const present = await countRows(to, table as Carried['table']);
    if (present !== rows) throw new Error(`Of ${rows} rows of ${table}, ${present} are in the target`);
  }
}
