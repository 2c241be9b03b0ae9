import assert from 'node:assert/strict';
import { appendFile, mkdir, readFile, rename, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';
import { createFileSender } from './file.ts';
import { someDelivery } from './some-delivery.ts';

const linesOf = async (path: string) => (await readFile(path, 'utf8')).split('\n');
const idsOf = async (path: string) =>
  (await linesOf(path)).filter((line) => line !== '').map((line) => JSON.parse(line).id);

describe('a file of events', () => {
  it('has one line of JSON for each, in the order they were taken', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'events.jsonl');
    const sender = createFileSender();
    const ids = Array.from({ length: 100 }, (_, at) => `event-${at}`);
    const said = await Promise.all(ids.map((id) => sender.send(someDelivery({ path }, id))));
    assert.equal(said[0], `written to ${path}`);
    assert.deepEqual(await idsOf(path), ids);
    assert.equal((await linesOf(path)).length, ids.length + 1);
  });

  it('is begun anew when it was moved away', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'events.jsonl');
    const sender = createFileSender();
    await sender.send(someDelivery({ path }, 'one'));
    await rename(path, `${path}.1`);
    await sender.send(someDelivery({ path }, 'two'));
    assert.deepEqual([await idsOf(`${path}.1`), await idsOf(path)], [['one'], ['two']]);
  });

  it('ends a line that was cut short before it writes the next', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'events.jsonl');
    await createFileSender().send(someDelivery({ path }, 'one'));
    await appendFile(path, '{"version":"0","id":"tw');
    const sender = createFileSender();
    await sender.send(someDelivery({ path }, 'three'));
    const [one, torn, three, end] = await linesOf(path);
    assert.deepEqual(
      [JSON.parse(one!).id, torn, JSON.parse(three!).id, end],
      ['one', '{"version":"0","id":"tw', 'three', ''],
    );
    await truncate(path, (await readFile(path)).byteLength - 5);
    await sender.send(someDelivery({ path }, 'four'));
    assert.equal(JSON.parse((await linesOf(path)).at(-2)!).id, 'four');
  });

  it('is tried again when it cannot be written, and loses none of those that wait together', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'missing', 'events.jsonl');
    const sender = createFileSender();
    const failed = await Promise.allSettled(['one', 'two'].map((id) => sender.send(someDelivery({ path }, id))));
    for (const outcome of failed) {
      assert.equal(outcome.status, 'rejected');
      assert.match(String(outcome.reason), /it cannot be written: ENOENT/);
      assert.equal(outcome.reason.isFinal, false);
    }
    await mkdir(join(folder.path, 'missing'));
    await Promise.all(['one', 'two'].map((id) => sender.send(someDelivery({ path }, id))));
    assert.deepEqual(await idsOf(path), ['one', 'two']);
  });

  it('must be a file', async () => {
    await using folder = await temporaryFolder();
    await assert.rejects(createFileSender().send(someDelivery({ path: folder.path }, 'one')), /EISDIR/);
    await assert.rejects(createFileSender().send(someDelivery({ path: 'events.jsonl' }, 'one')), { isFinal: true });
  });
});
