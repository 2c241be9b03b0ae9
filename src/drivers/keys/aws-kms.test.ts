import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, describe, it } from 'node:test';
import { refusedWith } from '../../../test/contract/key-service/keys.ts';
import { type KmsServer, startKmsServer } from '../../../test/support/kms-server.ts';
import { type AwsKmsPlace, createAwsKms } from './aws-kms.ts';

const registry = { accountId: '111122223333', region: 'us-east-1' };
const context = { a: 'b' };

describe('AWS KMS', () => {
  let server: KmsServer;
  const opened: Disposable[] = [];
  const open = async (place: Partial<AwsKmsPlace> = {}) => {
    const { url: endpoint, credentials } = server;
    const keys = createAwsKms({ region: undefined, endpoint, defaultKey: undefined, credentials, ...place });
    opened.push(keys);
    return keys;
  };
  before(async () => {
    server = await startKmsServer();
  });
  afterEach(() => {
    server.silent = false;
    for (const keys of opened.splice(0)) keys[Symbol.dispose]();
  });
  after(() => server[Symbol.asyncDispose]());

  it('is asked in the region of the registry and of the key, with the context', async () => {
    const arn = server.keys.create();
    const keys = await open();
    const from = server.asked.length;
    const { wrapped } = await keys.generateDataKey(await keys.resolve(registry, arn), context);
    await keys.decrypt(arn, wrapped, context);
    assert.deepEqual(
      server.asked
        .slice(from)
        .map(({ operation, region, input }) => [operation, region, input.KeyId, input.EncryptionContext]),
      [
        ['DescribeKey', 'us-east-1', arn, undefined],
        ['GenerateDataKey', 'us-east-1', arn, context],
        ['Decrypt', 'us-east-1', arn, context],
      ],
    );
    const other = { ...registry, region: 'eu-west-1' };
    await refusedWith(keys.resolve(other, arn.replace(/.*\//, '')), ['NotFoundException']);
    assert.equal(server.asked.at(-1)?.region, 'eu-west-1');
  });

  it('may be of one region for registries of all', async () => {
    const arn = server.keys.create({ alias: 'alias/for-all' });
    const keys = await open({ region: 'us-east-1' });
    assert.equal(await keys.resolve({ ...registry, region: 'cellar' }, 'alias/for-all'), arn);
    assert.equal(server.asked.at(-1)?.region, 'us-east-1');
  });

  it('gives the default key where none is named, and not the one that only AWS may use', async () => {
    const named = server.keys.create({ alias: 'alias/gantry' });
    assert.equal(await (await open({ defaultKey: 'alias/gantry' })).resolve(registry, undefined), named);
    const keys = await open();
    await refusedWith(keys.resolve(registry, undefined), ['NotFoundException']);
    server.keys.create({ alias: 'alias/aws/ecr', manager: 'AWS' });
    assert.match(
      await refusedWith(keys.resolve(registry, undefined), ['AccessDeniedException']),
      /name a key of your own/,
    );
  });

  it('gives no key that cannot encrypt, and none without material', async () => {
    const keys = await open();
    for (const [usage, spec] of [
      ['SIGN_VERIFY', 'RSA_2048'],
      ['ENCRYPT_DECRYPT', 'RSA_4096'],
      ['GENERATE_VERIFY_MAC', 'HMAC_256'],
    ] as const) {
      await refusedWith(keys.resolve(registry, server.keys.create({ usage, spec })), ['InvalidKeyUsageException']);
    }
    const arn = server.keys.create();
    server.keys.setState(arn, 'PendingImport');
    await refusedWith(keys.resolve(registry, arn), ['KMSInvalidStateException']);
  });

  it('is asked once by many who want to know at a time whether a key is usable', async () => {
    const arn = server.keys.create();
    const keys = await open();
    const from = server.asked.length;
    await Promise.all(Array.from({ length: 20 }, () => keys.check(arn)));
    assert.equal(server.asked.length - from, 1);
  });

  it('is believed no more of a key that it refuses to use', async () => {
    const arn = server.keys.create();
    const keys = await open();
    await keys.check(arn);
    server.keys.setState(arn, 'Disabled');
    await refusedWith(keys.generateDataKey(arn, context), ['DisabledException']);
    await refusedWith(keys.check(arn), ['DisabledException']);
  });

  it('is not believed to refuse longer than it does', async () => {
    const arn = server.keys.create();
    const keys = await open();
    server.keys.setState(arn, 'Disabled');
    await refusedWith(keys.check(arn), ['DisabledException']);
    server.keys.setState(arn, 'Enabled');
    await keys.check(arn);
  });

  it('says who may not ask it', async () => {
    const wrong = { ...server.credentials, secretAccessKey: 'other' };
    await refusedWith((await open({ credentials: wrong })).check(server.keys.create()), ['InvalidSignatureException']);
  });

  it('is not repeated where it repeats the request', async () => {
    const message =
      'The signature does not match.\n\nThe Canonical String should have been\nx-amz-security-token:SECRET';
    await using answering = createServer((_, response) => {
      response.writeHead(400).end(JSON.stringify({ __type: 'InvalidSignatureException', message }));
    }).listen(0, '127.0.0.1');
    await once(answering, 'listening');
    const keys = await open({ endpoint: `http://127.0.0.1:${(answering.address() as AddressInfo).port}` });
    const said = await refusedWith(keys.resolve(registry, 'alias/any'), ['InvalidSignatureException']);
    assert.equal(said, 'The signature does not match.');
    answering.closeAllConnections();
  });

  it('is waited for as long as was said, and told apart from one that refuses', async () => {
    const arn = server.keys.create();
    server.silent = true;
    const keys = await open({ answerSeconds: 0.2 });
    assert.match(
      await refusedWith(keys.check(arn), ['DependencyTimeoutException']),
      new RegExp(`${server.url}\\) did not answer in time$`),
    );
    const gone = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => gone.once('listening', resolve));
    const endpoint = `http://127.0.0.1:${(gone.address() as AddressInfo).port}`;
    await new Promise((resolve) => gone.close(resolve));
    const message = await refusedWith((await open({ endpoint })).check(arn), ['DependencyTimeoutException']);
    assert.match(message, /did not answer: ECONNREFUSED/);
  });
});
