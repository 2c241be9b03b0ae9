import { type Kysely, type Selectable, sql } from 'kysely';
import type { Move, MovedBlob, MoveReads, MoveRecords, RegistryPlace } from '../../../core/moving/move-records.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';
import type { Tables } from '../tables.ts';
import { protectionOf, toProtectionJson } from './protection.ts';

export function moveReads(session: Session): MoveReads {
  return {
    async find() {
      const [row] = await find(session, {});
      return row && toMove(row);
    },
    async copiesOf(locations) {
      return (await copiesOf(session, { locations: JSON.stringify(locations) })).map(toMovedBlob);
    },
    async copies(afterFrom, limit) {
      return (await copies(session, { afterFrom, limit })).map(toMovedBlob);
    },
    async unread(afterFrom, limit) {
      return (await unread(session, { afterFrom, limit })).map(toMovedBlob);
    },
    async copied() {
      const [row] = await copied(session, {});
      return { blobs: Number(row?.blobs ?? 0), bytes: Number(row?.bytes ?? 0) };
    },
    async countAmong(listed) {
      const sizes = new Map(listed.map(({ location, bytes }) => [location, bytes]));
      const found = await sizesAt(session, { locations: JSON.stringify([...sizes.keys()]) });
      return found.filter((copy) => sizes.get(copy.target_location) === copy.bytes).length;
    },
  };
}

export function moveRecords(session: Session): MoveRecords {
  return {
    ...moveReads(session),
    async put({ id, stage, from, to, at }) {
      await put(session, { id, stage, places: JSON.stringify({ from, to }), at: at.getTime() });
    },
    async clear() {
      await clear(session, {});
    },
    async hold(holder, until, now) {
      return (await hold(session, { holder, until: until.getTime(), now: now.getTime() })).length > 0;
    },
    async release(holder) {
      await release(session, { holder });
    },
    async noteCopy({ from, to, digest, bytes, protection }) {
      await noteCopy(session, { from, to, digest, bytes, protectionJson: toProtectionJson(protection) });
    },
    async noteRead(froms) {
      await noteRead(session, { froms: JSON.stringify(froms) });
    },
    async forgetCopy(from) {
      await forgetCopy(session, { from });
    },
    async forgetCopies() {
      await forgetCopies(session, {});
    },
    async relocate(keepsArchive) {
      for (let afterId = 0; ; ) {
        const [last] = await endOfBatch(session, { afterId });
        if (!last?.id) break;
        await relocate(session, { afterId, lastId: last.id, archivedMax: keepsArchive ? 1 : 0 });
        afterId = last.id;
      }
      const [row] = await countWithoutCopy(session, {});
      return Number(row?.blobs ?? 0);
    },
  };
}

type MoveRow = Pick<Selectable<Tables['moves']>, 'id' | 'stage' | 'places_json' | 'at'>;

function toMove({ id, stage, places_json, at }: MoveRow): Move {
  return { id, stage, ...(JSON.parse(places_json) as { from: RegistryPlace; to: RegistryPlace }), at: new Date(at) };
}

const COLUMNS = ['source_location', 'target_location', 'digest', 'bytes', 'protection_json'] as const;

type MovedBlobRow = Pick<Selectable<Tables['moved_blobs']>, (typeof COLUMNS)[number]>;

function toMovedBlob({ source_location: from, target_location: to, digest, bytes, protection_json }: MovedBlobRow) {
  return { from, to, digest, bytes, ...protectionOf({ protection_json }) } satisfies MovedBlob;
}

const find = prepared((db) => db.selectFrom('moves').select(['id', 'stage', 'places_json', 'at']));

const copiesOf = prepared((db, { locations }: Placeholders<{ locations: string }>, { texts }) =>
  db
    .selectFrom('moved_blobs')
    .select(COLUMNS)
    .where('source_location', 'in', db.selectFrom(texts(locations).as('wanted')).select('wanted.value')),
);

const sizesAt = prepared((db, { locations }: Placeholders<{ locations: string }>, { texts }) =>
  db
    .selectFrom('moved_blobs')
    .select(['target_location', 'bytes'])
    .where('target_location', 'in', db.selectFrom(texts(locations).as('wanted')).select('wanted.value')),
);

interface Paged {
  afterFrom: string;
  limit: number;
}

function paged(db: Kysely<Tables>, { afterFrom, limit }: Placeholders<Paged>) {
  return db
    .selectFrom('moved_blobs')
    .select(COLUMNS)
    .where('source_location', '>', afterFrom)
    .orderBy('source_location')
    .limit(limit);
}

const copies = prepared((db, values: Placeholders<Paged>) => paged(db, values));

const unread = prepared((db, values: Placeholders<Paged>) => paged(db, values).where('was_read', '=', 0));

const copied = prepared((db) =>
  db
    .selectFrom('moved_blobs')
    .select(({ fn }) => [fn.countAll<number>().as('blobs'), fn.sum<number>('bytes').as('bytes')]),
);

const put = prepared(
  (db, { id, stage, places, at }: Placeholders<{ id: string; stage: Move['stage']; places: string; at: number }>) =>
    db
      .insertInto('moves')
      .values({ number: 1, id, stage, places_json: places, at })
      .onConflict((conflict) => conflict.column('number').doUpdateSet({ id, stage, places_json: places, at })),
);

const clear = prepared((db) => db.deleteFrom('moves'));

const hold = prepared((db, { holder, until, now }: Placeholders<{ holder: string; until: number; now: number }>) =>
  db
    .updateTable('moves')
    .set({ holder, held_until: until })
    .where(({ or, eb }) => or([eb('holder', 'is', null), eb('holder', '=', holder), eb('held_until', '<', now)]))
    .returning('number'),
);

const release = prepared((db, { holder }: Placeholders<{ holder: string }>) =>
  db.updateTable('moves').set({ holder: null, held_until: null }).where('holder', '=', holder),
);

interface NewCopy {
  from: string;
  to: string;
  digest: MovedBlob['digest'];
  bytes: number;
  protectionJson: string | null;
}

const noteCopy = prepared((db, { from, to, digest, bytes, protectionJson }: Placeholders<NewCopy>) =>
  db.insertInto('moved_blobs').values({
    source_location: from,
    target_location: to,
    digest,
    bytes,
    protection_json: protectionJson,
  }),
);

const noteRead = prepared((db, { froms }: Placeholders<{ froms: string }>, { texts }) =>
  db
    .updateTable('moved_blobs')
    .set({ was_read: 1 })
    .where('source_location', 'in', db.selectFrom(texts(froms).as('wanted')).select('wanted.value')),
);

const forgetCopy = prepared((db, { from }: Placeholders<{ from: string }>) =>
  db.deleteFrom('moved_blobs').where('source_location', '=', from),
);

const forgetCopies = prepared((db) => db.deleteFrom('moved_blobs'));

/** Small enough for a database that bounds how long a statement may take. */
const BATCH = 5000;

const endOfBatch = prepared((db, { afterId }: Placeholders<{ afterId: number }>) =>
  db
    .selectFrom(
      db.selectFrom('blobs').select('id').where('id', '>', afterId).orderBy('id').limit(sql.lit(BATCH)).as('batch'),
    )
    .select(({ fn }) => fn.max<number | null>('batch.id').as('id')),
);

const relocate = prepared(
  (db, { afterId, lastId, archivedMax }: Placeholders<{ afterId: number; lastId: number; archivedMax: number }>) =>
    db
      .updateTable('blobs')
      .set(({ eb, selectFrom }) => ({
        location: selectFrom('moved_blobs')
          .select('target_location')
          .whereRef('source_location', '=', 'blobs.location')
          .$asScalar()
          .$notNull(),
        protection_json: selectFrom('moved_blobs')
          .select('moved_blobs.protection_json')
          .whereRef('source_location', '=', 'blobs.location')
          .$asScalar(),
        archived: eb('archived', '*', archivedMax),
      }))
      .where('id', '>', afterId)
      .where('id', '<=', lastId)
      .where(({ exists, selectFrom }) =>
        exists(selectFrom('moved_blobs').select('source_location').whereRef('source_location', '=', 'blobs.location')),
      ),
);

const countWithoutCopy = prepared((db) =>
  db
    .selectFrom('blobs')
    .select(({ fn }) => fn.countAll<number>().as('blobs'))
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(selectFrom('moved_blobs').select('target_location').whereRef('target_location', '=', 'blobs.location')),
      ),
    ),
);
