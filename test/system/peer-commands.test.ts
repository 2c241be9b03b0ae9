import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type RunningServer, startServer } from '../support/server.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';
import { type Gantry, gantryOn, refusalOn } from './gantry-command.ts';

const PLACE = ['--account', '210987654321', '--region', 'eu-west-1'];

describe('gantry peer', () => {
  let data: TemporaryFolder;
  let peer: RunningServer;
  let gantry: Gantry;
  let refusal: Gantry;
  const file = (name: string) => join(data.path, name);
  const add = (...words: string[]) => gantry('peer', 'add', ...PLACE, ...words);
  const notAdded = (...words: string[]) => refusal('peer', 'add', ...PLACE, ...words);

  before(async () => {
    [data, peer] = await Promise.all([temporaryFolder(), startServer()]);
    gantry = gantryOn(data.path);
    refusal = refusalOn(data.path);
    await writeFile(file('password'), 'a password\n');
    await writeFile(file('empty'), '\n');
  });
  after(async () => {
    for (const each of [peer, data]) await each?.[Symbol.asyncDispose]();
  });

  it('adds, tries, lists, changes and removes, and shows no secret', async () => {
    assert.equal(await gantry('peer', 'list'), 'There are no peers: every destination is a registry of this server.\n');
    const said = await add('--url', `${peer.url}/`, '--allow-private');
    assert.ok(said.startsWith(`The registry 210987654321 in eu-west-1 is ${peer.url} (gantry) from now on.\n`));
    assert.match(await gantry('peer', 'test', ...PLACE), /^The registry 210987654321 in eu-west-1 answers /);
    const again = await notAdded('--url', peer.url);
    assert.match(again, /There is a peer 210987654321\/eu-west-1 already; --replace changes it/);
    const login = ['--kind', 'oci', '--username', 'me', '--password-file', file('password')];
    await add('--url', 'https://registry.example.com', ...login, '--replace');
    const list = await gantry('peer', 'list');
    assert.match(list, /^ACCOUNT +REGION +KIND +CREATED +AS +ADDRESS\n/);
    assert.match(list, /\n210987654321 +eu-west-1 +oci +20[0-9: -]+ +me +https:\/\/registry\.example\.com\n$/);
    const [listed] = JSON.parse(await gantry('peer', 'list', '--json'));
    assert.deepEqual(listed.settings, { kind: 'oci', username: 'me' });
    assert.equal(listed.sealedSecret, undefined);
    // The same user keeps the password; another one has none.
    await add('--url', 'https://registry.example.com', '--kind', 'oci', '--username', 'me', '--replace');
    const missing = await notAdded(
      '--url',
      'https://other.example.com',
      '--kind',
      'oci',
      '--username',
      'me',
      '--replace',
    );
    assert.match(missing, /The secret is missing: give --password-stdin, --password-file or --secret-file/);
    await gantry('peer', 'remove', ...PLACE);
    assert.match(await refusal('peer', 'remove', ...PLACE), /There is no peer 210987654321\/eu-west-1/);
  });

  it('knows where Amazon ECR is', async () => {
    const key = ['--kind', 'ecr', '--access-key-id', 'AKIAEXAMPLE', '--secret-file', file('password')];
    const said = await add(...key);
    assert.match(said, /is https:\/\/210987654321\.dkr\.ecr\.eu-west-1\.amazonaws\.com \(ecr\)/);
    await gantry('peer', 'remove', ...PLACE);
  });

  it('says what is wrong with a peer that cannot be used', async () => {
    await add('--url', 'http://127.0.0.1:9', '--allow-private');
    assert.match(await refusal('peer', 'test', ...PLACE), /cannot be used: 127\.0\.0\.1:9: /);
    await add('--url', peer.url, '--replace');
    assert.match(await refusal('peer', 'test', ...PLACE), /is a loopback address, which is not asked/);
    await gantry('peer', 'remove', ...PLACE);
  });

  it('asks the ECR API of a peer at no address that may not be asked', async () => {
    const { port } = new URL(peer.url);
    for (const host of ['127.0.0.1', 'localhost']) {
      await add('--url', 'https://registry.example.com', '--api-url', `http://${host}:${port}`, '--replace');
      const said = await refusal('peer', 'test', ...PLACE);
      assert.match(said, /: ECR API: [^ ]+( \([0-9a-f.:]+\))? is a loopback address, which is not asked/);
    }
    await gantry('peer', 'remove', ...PLACE);
  });

  const REFUSED: Readonly<Record<string, [words: () => string[], said: RegExp]>> = {
    'no address': [() => [], /--url must say where the registry is/],
    'an address of something else': [() => ['--url', 'ftp://a'], /'ftp:\/\/a' is no URL of a server/],
    'a password in the address': [() => ['--url', 'https://a:b@c'], /A password in the address would be shown/],
    'a query in the address': [() => ['--url', 'https://a/?b'], /must end before any \? or #/],
    'an unknown kind': [
      () => ['--url', 'https://a', '--kind', 'quay'],
      /'quay' is no kind of registry: gantry, ecr, oci/,
    ],
    'two ways to log in': [
      () => ['--url', 'https://a', '--username', 'a', '--access-key-id', 'b'],
      /two ways to log in; give one of them/,
    ],
    'an access key without an API': [
      () => ['--url', 'https://a', '--kind', 'oci', '--access-key-id', 'b'],
      /has no ECR API/,
    ],
    'ecr without an access key': [() => ['--kind', 'ecr'], /must give an access key that may push/],
    'a password of nobody': [
      () => ['--url', 'https://a', '--password-file', file('password')],
      /The password needs --username/,
    ],
    'a secret of nobody': [() => ['--url', 'https://a', '--secret-file', file('password')], /needs --access-key-id/],
    'no secret': [() => ['--url', 'https://a', '--username', 'a'], /The secret is missing/],
    'an empty secret': [
      () => ['--url', 'https://a', '--username', 'a', '--password-file', file('empty')],
      /There is no secret in/,
    ],
  };
  for (const [what, [words, said]] of Object.entries(REFUSED)) {
    it(`refuses ${what}`, async () => assert.match(await notAdded(...words()), said));
  }

  it('refuses what is no registry', async () => {
    const url = ['--url', 'https://a'];
    assert.match(
      await refusal('peer', 'add', '--account', '1', '--region', 'eu-west-1', ...url),
      /must be twelve digits/,
    );
    const upper = ['--account', '210987654321', '--region', 'EU'];
    assert.match(await refusal('peer', 'add', ...upper, ...url), /must be the name of a region/);
  });
});
