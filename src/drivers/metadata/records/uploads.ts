import type { Kysely, Selectable } from 'kysely';
import type { Upload, UploadChanges, UploadReads, UploadRecords } from '../../../core/layers/upload-records.ts';
import { type Placeholders, prepared, run, type Session } from '../session.ts';
import type { Tables, UploadsTable } from '../tables.ts';
import { protectionOf, toProtectionJson } from './protection.ts';

export function uploadReads(session: Session): UploadReads {
  return {
    async find(repositoryId, id) {
      const [row] = await find(session, { repositoryId, id });
      return row && toUpload(row);
    },
    async exists(id) {
      return (await findId(session, { id })).length > 0;
    },
    async idle(before, limit) {
      return (await idle(session, { before: before.getTime(), limit })).map(toUpload);
    },
  };
}

export function uploadRecords(session: Session): UploadRecords {
  return {
    ...uploadReads(session),
    async find(repositoryId, id) {
      const [row] = await take(session, { repositoryId, id });
      return row && toUpload(row);
    },
    async insert(upload) {
      await insert(session, {
        id: upload.id,
        repositoryId: upload.repositoryId,
        parts: upload.parts,
        bytes: upload.bytes,
        lastPartBytes: upload.lastPartBytes,
        smallestEarlierPartBytes: upload.smallestEarlierPartBytes ?? null,
        protectionJson: toProtectionJson(upload.protection),
        createdAt: upload.createdAt.getTime(),
        touchedAt: upload.touchedAt.getTime(),
      });
    },
    async update(id, changes) {
      const columns = changedColumns(changes);
      if (Object.keys(columns).length === 0) return;
      await run(session, session.dialect.build.updateTable('uploads').set(columns).where('id', '=', id));
    },
    async hold(repositoryId, id, { holder, since, until }) {
      const hold = { repositoryId, id, holder, since: since.getTime(), until: until.getTime() };
      const [row] = await takeHold(session, hold);
      return row && toUpload(row);
    },
    async renew(id, { holder, until }) {
      return (await renew(session, { id, holder, until: until.getTime() })).length > 0;
    },
    async release(id, holder, changes) {
      const columns = { ...changedColumns(changes), holder: null, held_until: null };
      const released = session.dialect.build
        .updateTable('uploads')
        .set(columns)
        .where('id', '=', id)
        .where('holder', '=', holder)
        .returning('id');
      return (await run(session, released)).length > 0;
    },
    async delete(id) {
      return (await deleteUpload(session, { id })).length > 0;
    },
  };
}

function toUpload(row: Pick<Selectable<UploadsTable>, (typeof COLUMNS)[number]>): Upload {
  return {
    id: row.id,
    repositoryId: row.repository_id,
    parts: row.parts,
    bytes: row.bytes,
    lastPartBytes: row.last_part_bytes,
    ...(row.smallest_earlier_part_bytes !== null && { smallestEarlierPartBytes: row.smallest_earlier_part_bytes }),
    ...protectionOf(row),
    createdAt: new Date(row.created_at),
    touchedAt: new Date(row.touched_at),
  };
}

function changedColumns(changes: UploadChanges): Partial<Selectable<UploadsTable>> {
  const { parts, bytes, lastPartBytes, smallestEarlierPartBytes, touchedAt } = changes;
  return {
    ...(parts !== undefined && { parts }),
    ...(bytes !== undefined && { bytes }),
    ...(lastPartBytes !== undefined && { last_part_bytes: lastPartBytes }),
    ...(smallestEarlierPartBytes !== undefined && { smallest_earlier_part_bytes: smallestEarlierPartBytes }),
    ...(touchedAt !== undefined && { touched_at: touchedAt.getTime() }),
  };
}

const COLUMNS = [
  'id',
  'repository_id',
  'parts',
  'bytes',
  'last_part_bytes',
  'smallest_earlier_part_bytes',
  'protection_json',
  'created_at',
  'touched_at',
] as const;

interface OneUpload {
  repositoryId: number;
  id: string;
}

const find = prepared((db, upload: Placeholders<OneUpload>) => one(db, upload));

const take = prepared((db, upload: Placeholders<OneUpload>, { taking }) => one(db, upload).modifyEnd(taking));

function one(db: Kysely<Tables>, { repositoryId, id }: Placeholders<OneUpload>) {
  return db.selectFrom('uploads').select(COLUMNS).where('id', '=', id).where('repository_id', '=', repositoryId);
}

const findId = prepared((db, { id }: Placeholders<{ id: string }>) =>
  db.selectFrom('uploads').select('id').where('id', '=', id),
);

const idle = prepared((db, { before, limit }: Placeholders<{ before: number; limit: number }>) =>
  db
    .selectFrom('uploads')
    .select(COLUMNS)
    .where('touched_at', '<', before)
    .where((eb) => eb.or([eb('held_until', 'is', null), eb('held_until', '<', before)]))
    .orderBy('touched_at')
    .orderBy('id')
    .limit(limit),
);

interface NewUpload {
  id: string;
  repositoryId: number;
  parts: number;
  bytes: number;
  lastPartBytes: number;
  smallestEarlierPartBytes: number | null;
  protectionJson: string | null;
  createdAt: number;
  touchedAt: number;
}

const insert = prepared((db, upload: Placeholders<NewUpload>) =>
  db.insertInto('uploads').values({
    id: upload.id,
    repository_id: upload.repositoryId,
    parts: upload.parts,
    bytes: upload.bytes,
    last_part_bytes: upload.lastPartBytes,
    smallest_earlier_part_bytes: upload.smallestEarlierPartBytes,
    protection_json: upload.protectionJson,
    created_at: upload.createdAt,
    touched_at: upload.touchedAt,
  }),
);

interface Hold {
  id: string;
  holder: string;
  until: number;
}

const takeHold = prepared(
  (db, { id, repositoryId, holder, since, until }: Placeholders<Hold & { repositoryId: number; since: number }>) =>
    db
      .updateTable('uploads')
      .set({ holder, held_until: until })
      .where('id', '=', id)
      .where('repository_id', '=', repositoryId)
      .where((eb) => eb.or([eb('holder', 'is', null), eb('holder', '=', holder), eb('held_until', '<=', since)]))
      .returning(COLUMNS),
);

const renew = prepared((db, { id, holder, until }: Placeholders<Hold>) =>
  db
    .updateTable('uploads')
    .set({ held_until: until })
    .where('id', '=', id)
    .where('holder', '=', holder)
    .returning('id'),
);

const deleteUpload = prepared((db, { id }: Placeholders<{ id: string }>) =>
  db.deleteFrom('uploads').where('id', '=', id).returning('id'),
);
