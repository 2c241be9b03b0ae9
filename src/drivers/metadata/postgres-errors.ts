import { StorageFullError } from '../../core/blob-store.ts';

/**
 * Whether the same work, run again, may well go through: the database undid it for the sake of another's.
 * https://www.postgresql.org/docs/current/mvcc-serialization-failure-handling.html
 */
export function isConflict(error: unknown): boolean {
  const code = codeOf(error);
  return code === SERIALIZATION_FAILURE || code === DEADLOCK_DETECTED;
}

/** Whether the connection is gone, or never came about, for a reason that may pass. */
export function isDisconnection(error: unknown): boolean {
  const code = codeOf(error);
  if (code === undefined) return error instanceof Error && DISCONNECTED.test(error.message);
  return code.startsWith('08') || GOING_AWAY.has(code) || SOCKET_ERRORS.has(code);
}

/** What the rest of the registry knows an error as. */
export function storageErrorOf(error: unknown): unknown {
  const code = codeOf(error);
  if (code === NO_SUCH_STATEMENT || code === STATEMENT_EXISTS) return new Error(POOLED, { cause: error });
  return code === DISK_FULL ? new StorageFullError(error) : error;
}

const NO_SUCH_STATEMENT = '26000';
const STATEMENT_EXISTS = '42P05';
const POOLED =
  'The database has lost a prepared statement: something that pools connections by the transaction stands between. ' +
  "Add preparedStatements=false to the database's URL";

const SERIALIZATION_FAILURE = '40001';
const DEADLOCK_DETECTED = '40P01';
const DISK_FULL = '53100';

/** Shut down by its administrator, after a crash, not accepting connections yet, and no slots left for more. */
const GOING_AWAY = new Set(['57P01', '57P02', '57P03', '53300']);

const SOCKET_ERRORS = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOENT', 'EAI_AGAIN', 'ENOTFOUND']);

/** The client has no codes for these. */
const DISCONNECTED = /^Connection terminated|^Client has encountered a connection error|^Query read timeout/;

function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}
