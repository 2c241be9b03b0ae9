import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { awsCall } from '../support/aws-call.ts';
import { http } from '../support/http.ts';
import { startPostgres, withoutPostgres } from '../support/postgres.ts';
import { checkout, cleanEnvironment, pinnedNode, startServer } from '../support/server.ts';
import { refusesNul } from '../system/nul-requests.ts';

describe('gantry serve with a database', { skip: withoutPostgres }, () => {
  it('keeps its facts there: another server has them at once, and a command and the next server have them too', async () => {
    await using database = await startPostgres();
    const env = { GANTRY_DATABASE_URL: await database.newDatabase() };
    await using one = await startServer({ env });
    await using other = await startServer({ env });
    const repositoryName = 'team/app';
    const created = await awsCall(one.url, 'CreateRepository', { repositoryName });
    assert.equal(created.status, 200);
    const found = await awsCall(other.url, 'DescribeRepositories', { repositoryNames: [repositoryName] });
    assert.equal(found.status, 200);
    assert.ok(!(await readdir(one.data)).includes('gantry.db'));

    const words = ['bin/gantry.js', 'usage', '--data', one.data, '--json'];
    const { stdout } = await promisify(execFile)(pinnedNode, words, {
      cwd: checkout,
      env: { ...cleanEnvironment(), ...env },
    });
    assert.match(stdout, /team\/app/);

    assert.equal(await one.stop(), 0);
    assert.equal(await other.stop(), 0);
    await using next = await startServer({ args: ['--database-url', env.GANTRY_DATABASE_URL] });
    const again = await awsCall(next.url, 'DescribeRepositories', { repositoryNames: [repositoryName] });
    assert.equal(again.status, 200);
  });

  it('says while the database is away that it is worth asking again, and when', async () => {
    await using database = await startPostgres();
    await using server = await startServer({ env: { GANTRY_DATABASE_URL: await database.newDatabase() } });
    const repositoryName = 'team/app';
    assert.equal((await awsCall(server.url, 'CreateRepository', { repositoryName })).status, 200);
    await database.stop();
    const [read, write, tags, upload] = await Promise.all([
      awsCall(server.url, 'DescribeRepositories', {}),
      awsCall(server.url, 'CreateRepository', { repositoryName: 'team/other' }),
      http(`${server.url}/v2/${repositoryName}/tags/list`),
      http(`${server.url}/v2/${repositoryName}/blobs/uploads/`, { method: 'POST' }),
    ]);
    for (const answer of [read, write]) {
      assert.equal(answer.status, 500);
      assert.equal(answer.json().__type, 'ServerException');
      assert.match(String(answer.headers['retry-after']), /^\d+$/);
    }
    for (const answer of [tags, upload]) {
      assert.equal(answer.status, 503);
      assert.match(String(answer.headers['retry-after']), /^\d+$/);
    }
    await database.start();
    assert.equal((await awsCall(server.url, 'CreateRepository', { repositoryName: 'team/other' })).status, 200);
  });

  it('refuses texts that the database cannot keep, as it does without one', async () => {
    await using database = await startPostgres();
    await using server = await startServer({ env: { GANTRY_DATABASE_URL: await database.newDatabase() } });
    await refusesNul(server);
  });
});
