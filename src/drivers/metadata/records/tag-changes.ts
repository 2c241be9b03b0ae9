import { sql } from 'kysely';
import type { ChangeCause, HistoryReads, HistoryRecords, TagChange } from '../../../core/history/history-records.ts';
import type { Digest } from '../../../core/values/digest.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';

type Reads = 'tagChanges' | 'tagChangeAt' | 'firstTagChange';

export function tagChangeReads(session: Session): Pick<HistoryReads, Reads> {
  return {
    async tagChanges(repositoryId, tag, beforeId, limit) {
      const before = beforeId ?? Number.MAX_SAFE_INTEGER;
      return (await tagChanges(session, { repositoryId, tag, before, limit })).map(toTagChange);
    },
    async tagChangeAt(repositoryId, tag, time) {
      const [row] = await tagChangeAt(session, { repositoryId, tag, time: time.getTime() });
      return row && toTagChange(row);
    },
    async firstTagChange(repositoryId, tag) {
      const [row] = await firstTagChange(session, { repositoryId, tag });
      return row && toTagChange(row);
    },
  };
}

export function tagChangeRecords(session: Session): Pick<HistoryRecords, 'noteTags' | 'forgetTagChanges'> {
  return {
    async noteTags({ repositoryId, tags, digest = null, formerDigest = null, cause, principal, at }) {
      const change = { repositoryId, digest, formerDigest, cause, principal, at: at.getTime() };
      await noteTags(session, { ...change, tags: JSON.stringify(tags) });
    },
    async forgetTagChanges(before, limit) {
      return (await forgetTagChanges(session, { before: before.getTime(), limit })).length;
    },
  };
}

interface TagChangeRow {
  id: number;
  repository_id: number;
  tag: string;
  digest: Digest | null;
  former_digest: Digest | null;
  cause: string;
  principal: string;
  changed_at: number;
}

const CHANGE_COLUMNS = [
  'id',
  'repository_id',
  'tag',
  'digest',
  'former_digest',
  'cause',
  'principal',
  'changed_at',
] as const;

function toTagChange(row: TagChangeRow): TagChange {
  return {
    id: row.id,
    repositoryId: row.repository_id,
    tag: row.tag,
    ...(row.digest !== null && { digest: row.digest }),
    ...(row.former_digest !== null && { formerDigest: row.former_digest }),
    cause: row.cause as ChangeCause,
    principal: row.principal,
    at: new Date(row.changed_at),
  };
}

interface TagPage {
  repositoryId: number;
  tag: string;
  before: number;
  limit: number;
}

const tagChanges = prepared((db, { repositoryId, tag, before, limit }: Placeholders<TagPage>) =>
  db
    .selectFrom('tag_changes')
    .select(CHANGE_COLUMNS)
    .where('repository_id', '=', repositoryId)
    .where('tag', '=', tag)
    .where('id', '<', before)
    .orderBy('id', 'desc')
    .limit(limit),
);

interface OneTag {
  repositoryId: number;
  tag: string;
}

/** By id and not by time, in which two changes may be alike. */
const tagChangeAt = prepared((db, { repositoryId, tag, time }: Placeholders<OneTag & { time: number }>) =>
  db
    .selectFrom('tag_changes')
    .select(CHANGE_COLUMNS)
    .where('repository_id', '=', repositoryId)
    .where('tag', '=', tag)
    .where('changed_at', '<=', time)
    .orderBy('id', 'desc')
    .limit(sql.lit(1)),
);

const firstTagChange = prepared((db, { repositoryId, tag }: Placeholders<OneTag>) =>
  db
    .selectFrom('tag_changes')
    .select(CHANGE_COLUMNS)
    .where('repository_id', '=', repositoryId)
    .where('tag', '=', tag)
    .orderBy('id')
    .limit(sql.lit(1)),
);

interface NewTagChanges {
  repositoryId: number;
  tags: string;
  digest: Digest | null;
  formerDigest: Digest | null;
  cause: string;
  principal: string;
  at: number;
}

const noteTags = prepared((db, change: Placeholders<NewTagChanges>, { texts }) =>
  db
    .insertInto('tag_changes')
    .columns(['repository_id', 'tag', 'digest', 'former_digest', 'cause', 'principal', 'changed_at'])
    .expression(
      db
        .selectFrom(texts(change.tags).as('entry'))
        .select([
          change.repositoryId.as('repository_id'),
          'entry.value as tag',
          change.digest.as('digest'),
          change.formerDigest.as('former_digest'),
          change.cause.as('cause'),
          change.principal.as('principal'),
          change.at.as('changed_at'),
        ]),
    ),
);

const forgetTagChanges = prepared((db, { before, limit }: Placeholders<{ before: number; limit: number }>) =>
  db
    .deleteFrom('tag_changes')
    .where(
      'id',
      'in',
      db.selectFrom('tag_changes').select('id').where('changed_at', '<', before).orderBy('changed_at').limit(limit),
    )
    .returning('id'),
);
