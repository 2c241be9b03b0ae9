import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { needsFolder } from '../support/cluster-mode.ts';
import { http } from '../support/http.ts';
import { blobOf, pushBlob } from '../support/images.ts';
import { startServer } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { ecrClient } from './aws-client.ts';

const skip = needsFolder('the store of these tests encrypts under no master key');

it('refuses to start without the master key that layers are encrypted under, and keeps nothing plain so', {
  skip,
}, async () => {
  await using folder = await temporaryFolder();
  const [file, data] = [join(folder.path, 'master.key'), join(folder.path, 'data')];
  const newKey = () => writeFile(file, randomBytes(32).toString('base64'), { mode: 0o600 });
  await newKey();
  const layer = blobOf('under the master key');
  const repositoryName = 'master/one';
  const args = ['--master-key-file', file];
  {
    await using plain = await startServer({ data });
    await ecrClient(plain.url).createRepository({ repositoryName });
    assert.equal((await pushBlob(plain.url, repositoryName, blobOf('plain'))).status, 201);
  }
  {
    await using server = await startServer({ data, args });
    assert.equal((await pushBlob(server.url, repositoryName, layer)).status, 201);
  }
  await assert.rejects(startServer({ data }), /encrypted under a master key: say where it is with --master-key-file/);
  await newKey();
  await using server = await startServer({ data, args });
  const blobs = `${server.url}/v2/${repositoryName}/blobs`;
  const lost = await http(`${blobs}/${layer.digest}`);
  assert.equal(lost.status, 400);
  assert.match(lost.text(), /DENIED.*not among the master keys of this server/);
  assert.equal((await http(`${blobs}/${blobOf('plain').digest}`)).text(), 'plain');
});
