import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MetadataStore } from '../../src/core/metadata-store.ts';
import type { Digest } from '../../src/core/values/digest.ts';
import { CARRIED_TABLES, type CarriedTable, TABLES_WITH_IDS } from '../../src/drivers/metadata/carried-tables.ts';
import type { Row } from '../../src/drivers/metadata/carry-rows.ts';
import { bringToPresentForm, formOf, MIGRATIONS, PRESENT_FORM } from '../../src/drivers/metadata/migrate.ts';
import type { SqlDatabase } from '../../src/drivers/metadata/session.ts';
import { sqlMetadataStore } from '../../src/drivers/metadata/sql.ts';
import { fillTables } from '../support/filled-database.ts';
import { addImage, MOMENT, present } from './metadata-store/driver.ts';

const ROWS = 7;
/** The last form in which an image did not say whether it has a tag. */
const BEFORE_TAGGED = 7;

/** @param openDatabase opens an empty database that was never migrated */
export function describeMigrations(name: string, openDatabase: () => Promise<SqlDatabase>): void {
  describe(`${name}: a store with something in every table`, () => {
    for (let form = 1; form < PRESENT_FORM; form++) {
      it(`keeps all of it when it goes from form ${form} to form ${PRESENT_FORM}`, async () => {
        await using database = await openDatabase();
        await bringToForm(database, form);
        await fillTables(database, ROWS);
        const before = await contentOf(database, 'before');
        assert.ok(before.size > 0);
        await bringToPresentForm(database);
        assert.equal(await formOf(database), PRESENT_FORM);
        const after = await contentOf(database, 'after');
        assert.equal(after.size, CARRIED_TABLES.length);
        for (const [table, rows] of before) {
          assert.equal(rows.length, ROWS, table);
          const kept = (after.get(table) ?? []).map((row, index) => only(row, Object.keys(rows[index] ?? {})));
          assert.deepEqual(kept, rows, table);
        }
        const flags = (after.get('images') ?? []).map(({ tagged }) => tagged);
        if (form <= BEFORE_TAGGED) assert.deepEqual(flags, Array(ROWS).fill(1));
        // Ids go on where they were, and the version of access rises with what it watches.
        await database.transaction('alone', async (session) => {
          for (const table of TABLES_WITH_IDS.filter((one) => before.has(one))) {
            assert.equal(await database.ids.last(session, table), ROWS, table);
          }
        });
        await requireAccessVersionRises(sqlMetadataStore(database));
      });
    }
  });

  describe(`${name}: images of a store that did not note whether they have tags`, () => {
    const digests = ['a', 'b', 'c', 'd'].map((one): Digest => `sha256:${one.repeat(64)}`);
    const [none, one, two, moved] = digests as [Digest, Digest, Digest, Digest];

    it('are found tagged and untagged when it is migrated, and by whatever comes to their tags later', async () => {
      await using database = await openDatabase();
      await bringToForm(database, BEFORE_TAGGED);
      await database.transaction('alone', async (session) => {
        for (const text of rowsOfFormSeven(digests)) await session.rows(text, []);
        for (const table of ['repositories', 'images']) await database.ids.goOnAfter(session, table, digests.length);
      });
      await bringToPresentForm(database);
      const store = sqlMetadataStore(database);
      const requireUntagged = async (expected: readonly Digest[]) => {
        assert.deepEqual(await listed(store, 'UNTAGGED'), [...expected].toSorted());
        assert.deepEqual(
          await listed(store, 'TAGGED'),
          (await listed(store, 'ANY')).filter((d) => !expected.includes(d)),
        );
      };
      const imageOf = async (digest: Digest) => present(await store.read.images.find(1, digest));
      const change = (work: Parameters<MetadataStore['transaction']>[1]) => store.transaction('alone', work);
      await requireUntagged([none]);

      // A tag goes, one of two, from an image to another, and comes to one that had none.
      await change(({ images }) => images.untag(1, 'two-a'));
      await requireUntagged([none]);
      await change(({ images }) => images.untag(1, 'two-b'));
      await requireUntagged([none, two]);
      const target = await imageOf(none);
      await change(({ images }) => images.tag(1, 'moved', target.id, MOMENT));
      await requireUntagged([two, moved]);
      await change(({ images }) => images.tag(1, 'moved', target.id, MOMENT));
      await requireUntagged([two, moved]);

      // New images, with a tag and without, and one that takes the only tag of another.
      const plain = await addImage(store, 1);
      const tagged = await addImage(store, 1, { tags: ['new'] });
      await requireUntagged([two, moved, plain.digest]);
      const taking = await addImage(store, 1, { tags: ['one'] });
      await requireUntagged([one, two, moved, plain.digest]);

      // Images go with their tags.
      for (const digest of [taking.digest, tagged.digest, plain.digest, none]) {
        const image = await imageOf(digest);
        await change(({ images }) => images.delete(image, MOMENT));
      }
      await requireUntagged([one, two, moved]);
      assert.deepEqual(await store.read.images.tags(1, '', 10), []);
    });
  });
}

/** Takes a database as far as a Gantry took it that knew so many steps. */
async function bringToForm(database: SqlDatabase, form: number): Promise<void> {
  await database.migration(async (session) => {
    await session.rows('create table migrations (version bigint primary key, applied_at bigint not null)', []);
  });
  for (const [index, migration] of MIGRATIONS.slice(0, form).entries()) {
    await database.migration(async (session) => {
      await migration(session);
      await session.rows(`insert into migrations (version, applied_at) values (${index + 1}, 1)`, []);
    });
  }
}

/** Four images: without a tag, with one, with two, and with one that is to move. */
function rowsOfFormSeven(digests: readonly Digest[]): string[] {
  const images = digests.map(
    (digest, index) => `insert into images
      (id, repository_id, digest, media_type, manifest_bytes, image_bytes, pushed_at, status)
      values (${index + 1}, 1, '${digest}', 'application/vnd.oci.image.manifest.v1+json', 2, 3, 4, 'ACTIVE')`,
  );
  const manifests = digests.map((_, index) => `insert into manifests (image_id, bytes) values (${index + 1}, '{}')`);
  const tags = [
    ['one', 2],
    ['two-a', 3],
    ['two-b', 3],
    ['moved', 4],
  ].map(([tag, id]) => `insert into tags (repository_id, name, image_id, updated_at) values (1, '${tag}', ${id}, 5)`);
  return [...REPOSITORY_OF_FORM_SEVEN, ...images, ...manifests, ...tags];
}

const REPOSITORY_OF_FORM_SEVEN = [
  `insert into repositories
    (id, account, region, name, created_at, image_tag_mutability, exclusion_filters_json, scan_on_push,
     encryption_type, resource_tags_json)
    values (1, '000000000000', 'us-east-1', 'kept', 1, 'MUTABLE', '[]', 0, 'AES256', '[]')`,
];

async function listed(store: MetadataStore, tagStatus: 'ANY' | 'TAGGED' | 'UNTAGGED'): Promise<Digest[]> {
  const images = await store.read.images.page(1, { tagStatus, imageStatus: 'ACTIVE' }, '', 100);
  return images.map(({ digest }) => digest);
}

async function requireAccessVersionRises(store: MetadataStore): Promise<void> {
  const before = await store.read.access.version();
  const registry = { accountId: '000000000000', region: 'us-east-1' };
  await store.transaction('alone', ({ access }) => access.putRegistryPolicy(registry, 'text'));
  assert.ok((await store.read.access.version()) > before);
}

/**
 * The rows of all tables that there are.
 *
 * @param when makes the statements others, which a connection keeps with the columns that they gave
 */
async function contentOf({ reader }: SqlDatabase, when: 'before' | 'after'): Promise<Map<CarriedTable, Row[]>> {
  const content = new Map<CarriedTable, Row[]>();
  for (const { table, key } of CARRIED_TABLES) {
    const rows = await reader
      .rows<Row>(`select * from ${table} order by ${key.join(', ')} -- ${when}`, [])
      .catch(() => undefined);
    if (rows !== undefined)
      content.set(
        table,
        rows.map((row) => only(row, Object.keys(row))),
      );
  }
  return content;
}

/** Some columns of a row, without what tells drivers apart. */
function only(row: Row, columns: readonly string[]): Row {
  const values = columns.map((name) => {
    const value = row[name] ?? null;
    return [name, value instanceof Uint8Array ? [...value].join(' ') : value];
  });
  return Object.fromEntries(values) as Row;
}
