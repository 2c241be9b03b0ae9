import type { Kysely } from 'kysely';
import type { Placeholders } from '../session.ts';
import type { Tables } from '../tables.ts';

/** A repository as callers name it. */
export interface NamedRepository {
  account: string;
  region: string;
  name: string;
}

/** A repository's id within a query of what it has: who reads its record, too, need not wait for that first. */
export function repositoryIdOf(db: Kysely<Tables>, { account, region, name }: Placeholders<NamedRepository>) {
  return db
    .selectFrom('repositories')
    .select('repositories.id')
    .where('repositories.account', '=', account)
    .where('repositories.region', '=', region)
    .where('repositories.name', '=', name);
}
