import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { it } from 'node:test';
import { debianRecords, type OsvDocument } from '../support/debian-facts.ts';
import { storedZip } from '../support/stored-zip.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { gantryOn, refusalOn } from './gantry-command.ts';

/** Publishes records as OSV does; `asked` is what was asked for since it was last emptied. */
async function publisher() {
  const records = new Map<string, OsvDocument>();
  const asked: string[] = [];
  const byTime = () => [...records.values()].sort((one, other) => (one.modified < other.modified ? 1 : -1));
  const server = createServer((request, response) => {
    const [, , ecosystem, name = ''] = (request.url ?? '').split('/');
    asked.push(name);
    const record = records.get(name.replace(/\.json$/, ''));
    if (ecosystem !== 'Debian') response.writeHead(404).end();
    else if (name === 'modified_id.csv')
      response.end(
        byTime()
          .map(({ id, modified }) => `${modified},${id}\n`)
          .join(''),
      );
    else if (name === 'all.zip')
      response.end(
        storedZip(Object.fromEntries([...records.values()].map((one) => [`${one.id}.json`, JSON.stringify(one)]))),
      );
    else if (record === undefined) response.writeHead(404).end();
    else response.end(JSON.stringify(record));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/osv`,
    asked,
    publish(more: readonly OsvDocument[]) {
      for (const record of more) records.set(record.id, record);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

it('a database is made of files, and says what it holds', async () => {
  await using folder = await temporaryFolder();
  const data = join(folder.path, 'data');
  const gantry = gantryOn(data);
  const refusal = refusalOn(data);
  assert.match(await gantry('vulndb', 'status'), /There is no vulnerability database at .*scans fail/);
  assert.match(await refusal('vulndb', 'import', join(folder.path, 'none.json')), /no file or folder .*none\.json/);
  const records = debianRecords();
  await mkdir(join(folder.path, 'given'));
  await writeFile(join(folder.path, 'given', 'some.json'), JSON.stringify(records.slice(0, 3)));
  await writeFile(join(folder.path, 'given', 'broken.json'), '{');
  const rest = Object.fromEntries(records.slice(3).map((record) => [`${record.id}.json`, JSON.stringify(record)]));
  await writeFile(join(folder.path, 'rest.zip'), storedZip(rest));
  const said = await gantry('vulndb', 'import', join(folder.path, 'given'), join(folder.path, 'rest.zip'));
  assert.match(said, /^Read 7 records, of which 7 were new or newer\.\n.*left out:\n {2}.*broken\.json\n$/);
  assert.match(await gantry('vulndb', 'status'), /7 records, the newest of 2026-01-02 03:04\.\n.*\nDebian:12 +3\n$/);
  const again = JSON.parse(await gantry('vulndb', 'import', join(folder.path, 'rest.zip'), '--json'));
  assert.deepEqual([again.records, again.changed], [4, 0]);
  await writeFile(join(folder.path, 'none.json'), '[]');
  assert.match(await refusal('vulndb', 'import', join(folder.path, 'none.json')), /No record of OSV was found/);
});

it('a database is kept up to date from where records are published', async () => {
  await using folder = await temporaryFolder();
  await using osv = await publisher();
  const gantry = gantryOn(folder.path);
  const refusal = refusalOn(folder.path);
  const records = debianRecords();
  osv.publish(records);
  assert.match(await refusal('vulndb', 'update', '--from', osv.url), /--ecosystem must say what is wanted/);
  const first = await gantry('vulndb', 'update', '--from', osv.url, '--ecosystem', 'Debian');
  assert.equal(first, 'Debian: read all 7 records, of which 7 were new or newer.\n');
  assert.deepEqual(osv.asked.splice(0), ['modified_id.csv', 'all.zip']);

  const newer = debianRecords('2026-03-04T05:06:07Z').slice(0, 1);
  osv.publish(newer);
  const second = JSON.parse(await gantry('vulndb', 'update', '--from', `${osv.url}/`, '--json'));
  const [{ isWhole, changed }] = second.updates;
  assert.deepEqual([isWhole, changed], [false, 1]);
  assert.deepEqual(osv.asked.splice(0).slice(0, 2), ['modified_id.csv', `${newer[0]!.id}.json`]);
  assert.match(await gantry('vulndb', 'status'), /Debian as of 2026-03-04 05:06 from http/);
  assert.match(await refusal('vulndb', 'update', '--from', osv.url, '--ecosystem', 'PyPI'), /PyPI.* answered 404/);
  assert.match(await refusal('vulndb', 'update', '--from', 'file:///etc'), /--from must be the URL/);
});
