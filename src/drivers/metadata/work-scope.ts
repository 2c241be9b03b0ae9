import type { Records, WorkScope } from '../../core/metadata-store.ts';
import { repositoryRecords } from './records/repositories.ts';
import type { Session } from './session.ts';

/**
 * Gives a work records that hold it to what it said it is about, see WorkScope: on every database, so that what would be
 * wrong on one of them fails on all.
 */
export function recordsWithin(about: WorkScope, session: Session, records: (session: Session) => Records): Records {
  if (about === 'repository') return recordsOfRepository(session, records);
  if (about === 'own-rows') return ownRows(session, records);
  return records(session);
}

/** The nouns whose rows are right by themselves, or are taken by finding them. */
const OWN_ROWS: ReadonlySet<keyof Records> = new Set([
  'uploads',
  'repositories',
  'blobs',
  'layers',
  'history',
  'lifecycle',
  'jobs',
  'events',
  'pullTimes',
  'access',
  'moves',
  'kmsKeys',
  'scanning',
]);

/** Nothing runs before the repository is found, nor when it is not there. */
function recordsOfRepository(session: Session, records: (session: Session) => Records): Records {
  let isTaken = false;
  const taken: Session = {
    dialect: session.dialect,
    rows(statement, values) {
      if (isTaken) return session.rows(statement, values);
      return Promise.reject(new Error('A work about a repository must find it before anything else'));
    },
  };
  const all = records(taken);
  const { find, findById } = repositoryRecords(session);
  const taking =
    <Args extends unknown[], Found>(findOne: (...args: Args) => Promise<Found>) =>
    async (...args: Args): Promise<Found> => {
      const found = await findOne(...args);
      if (found !== undefined) isTaken = true;
      return found;
    };
  return { ...all, repositories: { ...all.repositories, find: taking(find), findById: taking(findById) } };
}

function ownRows(session: Session, records: (session: Session) => Records): Records {
  const refusing: Session = {
    dialect: session.dialect,
    rows: () => Promise.reject(new Error('A work about nothing but its own rows must not read or write others')),
  };
  const given = Object.entries(records(session)).filter(([noun]) => OWN_ROWS.has(noun as keyof Records));
  return { ...records(refusing), ...Object.fromEntries(given) };
}
