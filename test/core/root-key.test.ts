import assert from 'node:assert/strict';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openAccess } from '../../src/compose/access.ts';
import { ensureRootKey } from '../../src/compose/root-key.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { accountId, coreUnderTest } from './core-under-test.ts';

const KEY = { accessKeyId: 'AKIAGIVENBYOPERATOR0', secretAccessKey: 'the first secret of root' };

async function started() {
  const core = await coreUnderTest();
  const access = await openAccess(core.dependencies, { keyFile: undefined, region: 'us-east-1' });
  const start = (given = KEY, account = accountId) =>
    ensureRootKey(core.dependencies, access, account, { given, dataDirectory: undefined });
  return { core, access, start };
}

test('a secret of root that the operator changed counts, and the old one no longer', async () => {
  const { core, access, start } = await started();
  await using _ = core;
  for (const secretAccessKey of [
    KEY.secretAccessKey,
    KEY.secretAccessKey,
    'another secret of root',
    'and a third one',
  ]) {
    await start({ ...KEY, secretAccessKey });
    const { secret, caller } = await access.credentials.find(KEY.accessKeyId, undefined);
    assert.deepEqual([secret, caller.kind], [secretAccessKey, 'root']);
  }
});

test('nodes that start at once agree on the key they were given, also when its secret is another than before', async () => {
  const { core, access, start } = await started();
  await using _ = core;
  for (const secretAccessKey of ['first', 'second']) {
    await Promise.all([1, 2, 3].map(() => start({ ...KEY, secretAccessKey })));
    assert.equal((await access.credentials.find(KEY.accessKeyId, undefined)).secret, secretAccessKey);
  }
});

test('of nodes that start at once and were given no key one makes it, and says where it is', async () => {
  const { core, access } = await started();
  await using _ = core;
  await using folder = await temporaryFolder();
  const folders = ['one', 'two', 'three'].map((name) => join(folder.path, name));
  for (const path of folders) await mkdir(path);
  const files = await Promise.all(
    folders.map((dataDirectory) =>
      ensureRootKey(core.dependencies, access, accountId, { given: undefined, dataDirectory }),
    ),
  );
  assert.equal(files.filter((file) => file !== undefined).length, 1);
  for (const [at, path] of folders.entries()) {
    const made = await readdir(path);
    assert.equal(made.length, files[at] === undefined ? 0 : 1, path);
  }
});

test('a disabled key of root stays disabled', async () => {
  const { core, access, start } = await started();
  await using _ = core;
  await start();
  await access.identities.setAccessKeyActive(KEY.accessKeyId, false);
  await start();
  await assert.rejects(access.credentials.find(KEY.accessKeyId, undefined));
});

test("root's key cannot be somebody else's", async () => {
  const { core, access, start } = await started();
  await using _ = core;
  await access.identities.createUser(accountId, 'alice');
  await access.identities.createAccessKey(accountId, 'alice', KEY);
  await assert.rejects(start(), /is of alice of account 111122223333, not of the root of 111122223333/);
  await assert.rejects(start(KEY, '444455556666'), /not of the root of 444455556666/);
});

test('a key file that does not fit is said to be the wrong one', async () => {
  const { core, start } = await started();
  await using _ = core;
  await start();
  const other = await openAccess(core.dependencies, { keyFile: undefined, region: 'us-east-1' });
  const again = ensureRootKey(core.dependencies, other, accountId, { given: KEY, dataDirectory: undefined });
  await assert.rejects(again, { name: 'IdentityError', message: /key file is not the one/ });
});
