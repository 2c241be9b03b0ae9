import { type Kysely, sql } from 'kysely';
import { run, type Session } from '../session.ts';

/**
 * Whether an image has a tag is noted with it, and untagged images have an index: among half a million tagged ones they would
 * take seconds to find. The database notes it itself, whichever way a tag comes or goes.
 */
export async function untaggedImages(session: Session): Promise<void> {
  const { build, types, trigger } = session.dialect;
  const { schema } = build;
  const column = schema
    .alterTable('images')
    .addColumn('tagged', types.integer, (tagged) => tagged.notNull().defaultTo(0));
  await run(session, column);
  const tagged = (build as unknown as Kysely<{ images: { id: number; tagged: number }; tags: { image_id: number } }>)
    .updateTable('images')
    .set({ tagged: 1 })
    .where('id', 'in', ({ selectFrom }) => selectFrom('tags').select('image_id'));
  await run(session, tagged);
  const index = schema
    .createIndex('images_untagged')
    .on('images')
    .columns(['repository_id', 'digest'])
    .where(sql<boolean>`tagged = 0`);
  await run(session, index);
  const gained = 'update images set tagged = 1 where id = new.image_id and tagged = 0';
  const lost = `update images set tagged = 0
    where id = old.image_id and not exists (select 1 from tags where tags.image_id = old.image_id)`;
  for (const statement of [
    ...trigger({ name: 'tag_added', after: 'insert', table: 'tags', statements: [gained] }),
    ...trigger({ name: 'tag_moved', after: 'update of image_id', table: 'tags', statements: [gained, lost] }),
    ...trigger({ name: 'tag_removed', after: 'delete', table: 'tags', statements: [lost] }),
  ]) {
    await session.rows(statement, []);
  }
}
