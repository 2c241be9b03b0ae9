import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { MetadataStore } from '../../src/core/metadata-store.ts';
import { openPostgresMetadataStore } from '../../src/drivers/metadata/postgres.ts';
import { postgresDialect } from '../../src/drivers/metadata/postgres-dialect.ts';
import { type Client, PostgresPool } from '../../src/drivers/metadata/postgres-pool.ts';
import { LISTS, OTHERS, statementsOf } from '../contract/metadata-store/questions.ts';
import { type PostgresServer, startPostgres, withoutPostgres } from '../support/postgres.ts';

/** A repository of so many images, each with a tag, two layers and a change of its tag; another has as many again. */
const IMAGES = 20_000;

const FILLED = `
  insert into repositories (account, region, name, created_at, image_tag_mutability, exclusion_filters_json, scan_on_push,
    encryption_type, resource_tags_json)
  select 'a', 'r', 'name' || n, 0, 'MUTABLE', '[]', 0, 'AES256', '[]' from generate_series(1, 2000) n;
  insert into images (repository_id, digest, media_type, subject_digest, manifest_bytes, image_bytes, pushed_at)
  select 1 + n % 40, 'sha256:' || md5(n::text), 'type', case when n % 10 = 0 then 'sha256:' || md5((n / 100)::text) end, 1, 1, n
  from generate_series(1, ${IMAGES * 2}) n;
  insert into manifests (image_id, bytes) select id, 'manifest' from images;
  insert into tags (repository_id, name, image_id, updated_at) select repository_id, 'tag' || id, id, 0 from images;
  insert into tag_changes (repository_id, tag, cause, principal, changed_at)
  select repository_id, 'tag' || id, 'push', '', id from images;
  insert into blobs (scope, digest, location, bytes, created_at, referenced)
  select 's', 'sha256:' || md5(n::text), n::text, 1, 0, 1 from generate_series(1, ${IMAGES}) n;
  insert into layers (repository_id, digest, blob_id, lease_until, referenced)
  select 1 + id % 40, digest, id, 0, 1 from blobs;
  insert into layer_inventories (blob_id, format, inventory) select id, 1, 'inventory' from blobs;
  insert into image_layers (repository_id, layer_digest, image_id, media_type)
  select repository_id, 'sha256:' || md5((id / 2)::text), id, 'type' from images;
  insert into image_children (repository_id, child_digest, image_id)
  select repository_id, digest, id from images where id % 5 = 0;
  insert into deleted_images (repository_id, digest, media_type, manifest, tags_json, pushed_at, cause, principal, deleted_at,
    kept_until)
  select repository_id, digest, 'type', 'manifest', '[]', 0, 'delete', '', 0, id from images;
  insert into events (account, region, event_json, at) select 'a', 'r', '{}', n from generate_series(1, ${IMAGES}) n;
  insert into jobs (kind, payload_json, created_at, due_at, attempts)
  select 'kind' || n % 5, '{}', 0, n, 0 from generate_series(1, ${IMAGES}) n;
  analyze;
`;

/** As large as what is looked for. */
const SMALL_INDEXES = ['blobs_unreferenced', 'blobs_archived', 'jobs_held', 'jobs_due', 'jobs_dead'];

describe('query plans of PostgreSQL', { skip: withoutPostgres }, () => {
  let server: PostgresServer;
  let store: MetadataStore;
  let pool: PostgresPool;
  let client: Client;
  before(async () => {
    server = await startPostgres();
    const url = await server.newDatabase();
    store = await openPostgresMetadataStore({ url });
    await store.migrate();
    pool = new PostgresPool(url, 1);
    client = await pool.connect();
    await client.query(FILLED);
  });
  after(async () => {
    client.release();
    await pool.end();
    await store[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  for (const [name, question] of Object.entries({ ...LISTS, ...OTHERS })) {
    // Sums up all that a registry holds, which here is everything.
    if (name === 'usage.stored') continue;
    it(`of ${name} go by an index`, async () => {
      for (const statement of await statementsOf(question, postgresDialect)) {
        const plan = await planOf(client, statement);
        assert.deepEqual(plan.filter(isWholeRead).map(describeStep), [], statement);
      }
    });
  }

  for (const [name, question] of Object.entries(LISTS)) {
    it(`of ${name} put no more in order than a few`, async () => {
      for (const statement of await statementsOf(question, postgresDialect)) {
        const plan = await planOf(client, statement);
        const large = plan.filter((step) => step['Node Type'] === 'Sort' && step['Plan Rows'] > FEW);
        assert.deepEqual(large.map(describeStep), [], statement);
      }
    });
  }
});

const FEW = 20;

interface Step {
  readonly 'Node Type': string;
  readonly 'Plan Rows': number;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
  readonly Plans?: readonly Step[];
}

async function planOf(client: Client, statement: string): Promise<Step[]> {
  const places = new Set(statement.match(/\$\d+/g));
  const values = places.size === 0 ? '' : `(${[...places].fill('null').join(', ')})`;
  await client.query(`prepare question as ${statement}`);
  try {
    const { rows } = await client.query(`explain (format json) execute question${values}`);
    return stepsOf(rows[0]['QUERY PLAN'][0].Plan);
  } finally {
    await client.query('deallocate question');
  }
}

function stepsOf(step: Step): Step[] {
  return [step, ...(step.Plans ?? []).flatMap(stepsOf)];
}

function isWholeRead(step: Step): boolean {
  // Of the server's own tables, which are small.
  if (step['Relation Name']?.startsWith('pg_')) return false;
  if (step['Node Type'] === 'Seq Scan') return true;
  const index = step['Index Name'];
  return index !== undefined && step['Index Cond'] === undefined && !SMALL_INDEXES.includes(index);
}

function describeStep(step: Step): string {
  return [step['Node Type'], step['Plan Rows'], step['Relation Name'], step['Index Name'], step['Index Cond']].join(
    ' ',
  );
}
