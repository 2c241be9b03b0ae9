/**
 * Works assume that nobody writes between what they read and what they write. The statement a transaction begins with tells
 * what it is about, and so who may write at the same time:
 *
 * - One that begins by taking its repository's row holds what belongs to that repository until it ends. Others work on
 *   other repositories meanwhile. What they share holds by itself: keys are unique, a blob whose last layer goes is taken
 *   first, and nothing but a transaction that is alone deletes blobs or layers that are merely old.
 * - One that begins with an upload, a job, a schedule, a lease or the time of a pull changes rows of which each is right by
 *   itself, or takes its repository's row later, before it reads what belongs to it.
 * - Any other is alone among all nodes, as on SQLite each is. So is one that finds no repository: there is no row to take.
 *
 * Serializable transactions would need none of this. But PostgreSQL notes what they read by pages of indexes, where rows of
 * unrelated repositories lie side by side: of sixteen pushes to as many repositories most were undone for nothing.
 */
export type Company = 'beside-others' | 'alone';

/** @param statement the transaction's first */
export function companyOf(statement: string): Company {
  return BESIDE_OTHERS.test(statement) ? 'beside-others' : 'alone';
}

/** Whether the statement takes a repository's row, of which there is none when it gives no row. */
export function takesRepository(statement: string): boolean {
  return TAKES_REPOSITORY.test(statement);
}

const TAKES_REPOSITORY = /^select [^()]* from "repositories" .* for no key update$/;

const BESIDE_OTHERS = new RegExp(
  [
    '^select .* for no key update$',
    '^select .* from "(blobs|layers)" ',
    '^(insert into|update|delete from) "(uploads|jobs|schedules)" ',
    '^update "layers" set "lease_until" = ',
    '^update "images" set "pulled_at" = ',
  ].join('|'),
);
