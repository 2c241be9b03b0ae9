import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { http } from '../support/http.ts';
import { blobOf, mediaTypes, pushBlob, pushImage, pushManifest, randomImage } from '../support/images.ts';
import { manifestOf, refused, uploadLayer } from './aws-client.ts';
import { isInFolder, type KmsWorld, refusedForKey, skipKms, startKmsWorld } from './aws-kms-world.ts';

const MIB = 1024 * 1024;

describe('repositories under a key', { skip: skipKms }, () => {
  let world: KmsWorld;
  before(async () => {
    world = await startKmsWorld();
  });
  after(() => world?.[Symbol.asyncDispose]());

  it('are described with the ARN of the key, however it was named', async () => {
    const { kms, ecr } = world;
    const arn = kms.keys.create({ alias: 'alias/named' });
    const names = [arn, arn.replace(/.*\//, ''), 'alias/named', kms.keys.aliasArn('alias/named')];
    for (const [index, key] of names.entries()) {
      assert.equal(await world.repository(`named/${index}`, key), arn, key);
    }
    const { repositories = [] } = await ecr.describeRepositories({ repositoryNames: ['named/2'] });
    assert.deepEqual(repositories[0]?.encryptionConfiguration, { encryptionType: 'KMS', kmsKey: arn });
    assert.equal(await world.repository('named/twice', arn, 'KMS_DSSE'), arn);
  });

  it("get the registry's own key when none is named", async () => {
    assert.match(await refusedForKey(world.repository('own/none'), 'NotFoundException'), /alias\/aws\/ecr/);
    const arn = world.kms.keys.create({ alias: 'alias/aws/ecr' });
    assert.equal(await world.repository('own/one'), arn);
  });

  it('are not made under a key that cannot be used, and say why', async () => {
    const { kms, ecr } = world;
    const states = [
      ['Disabled', 'DisabledException', /is disabled/],
      ['PendingDeletion', 'KMSInvalidStateException', /is pending deletion/],
    ] as const;
    for (const [state, code, message] of states) {
      const arn = kms.keys.create();
      kms.keys.setState(arn, state);
      assert.match(await refusedForKey(world.repository('never/made', arn), code), message);
    }
    const elsewhere = kms.keys.create().replace(':us-east-1:', ':eu-central-1:');
    assert.match(
      await refusedForKey(world.repository('never/made', elsewhere), 'NotFoundException'),
      /region us-east-1/,
    );
    const signing = kms.keys.create({ usage: 'SIGN_VERIFY', spec: 'RSA_2048' });
    await refusedForKey(world.repository('never/made', signing), 'InvalidKeyUsageException');
    const gone = ecr.describeRepositories({ repositoryNames: ['never/made'] });
    await refused(gone, 'RepositoryNotFoundException');
  });

  it('are made under the key of a template by a push, which fails when the key cannot be used', async () => {
    const { kms, ecr, server } = world;
    const arn = kms.keys.create();
    const template = { prefix: 'templated', appliedFor: ['CREATE_ON_PUSH' as const] };
    const encryptionConfiguration = { encryptionType: 'KMS' as const, kmsKey: arn };
    await ecr.createRepositoryCreationTemplate({ ...template, encryptionConfiguration });
    await pushImage(server.url, 'templated/one', 'latest', randomImage());
    const { repositories = [] } = await ecr.describeRepositories({ repositoryNames: ['templated/one'] });
    assert.deepEqual(repositories[0]?.encryptionConfiguration, encryptionConfiguration);
    kms.keys.setState(arn, 'Disabled');
    const answer = await pushBlob(server.url, 'templated/two', blobOf('any'));
    assert.equal(answer.status, 400, answer.text());
    assert.match(answer.text(), /DENIED.*is disabled/);
    kms.keys.setState(arn, 'Enabled');
    await pushImage(server.url, 'templated/two', 'latest', randomImage());
  });

  it('bind their data keys to themselves, one for each layer', async () => {
    const { kms, server } = world;
    await world.repository('bound/one', kms.keys.create());
    const from = kms.asked.length;
    await pushImage(server.url, 'bound/one', 'latest', randomImage([3000, 70_000]));
    const made = kms.asked.slice(from).filter(({ operation }) => operation === 'GenerateDataKey');
    assert.equal(made.length, 3);
    for (const { input } of made) {
      const context = input.EncryptionContext as Record<string, string>;
      assert.equal(context['aws:ecr:arn'], 'arn:aws:ecr:us-east-1:000000000000:repository/bound/one');
      assert.ok('aws:s3:arn' in context, JSON.stringify(context));
    }
  });

  it('keep nothing that can be read on the disk, and give back what was pushed', async () => {
    const { kms, server, ecr } = world;
    const repositoryName = 'kept/secret';
    await world.repository(repositoryName, kms.keys.create());
    const mark = randomBytes(30).toString('hex');
    const marked = (bytes: number) => blobOf(Buffer.concat([Buffer.from(mark), randomBytes(bytes), Buffer.from(mark)]));
    const [small, large, inParts] = [marked(100), marked(3 * MIB), marked(11 * MIB)];
    assert.equal((await pushBlob(server.url, repositoryName, small)).status, 201);
    assert.equal((await pushBlob(server.url, repositoryName, large)).status, 201);
    await uploadLayer(ecr, repositoryName, inParts);
    const begun = await http(`${server.url}/v2/${repositoryName}/blobs/uploads/`, { method: 'POST' });
    const place = new URL(String(begun.headers.location), server.url).href;
    const patch = { method: 'PATCH', body: marked(70_000).bytes };
    assert.equal((await http(place, patch)).status, 202);
    assert.equal(await isInFolder(server, mark), false);
    const manifest = manifestOf(small, [large, inParts]);
    const pushed = await pushManifest(server.url, repositoryName, 'latest', manifest, mediaTypes.manifest);
    assert.equal(pushed.status, 201, pushed.text());
    for (const { digest, bytes } of [small, large, inParts]) {
      const url = `${server.url}/v2/${repositoryName}/blobs/${digest}`;
      assert.ok((await http(url)).body.equals(bytes));
      const head = await http(url, { method: 'HEAD' });
      assert.equal(head.headers['content-length'], String(bytes.length));
      const { downloadUrl = '' } = await ecr.getDownloadUrlForLayer({ repositoryName, layerDigest: digest });
      assert.ok((await http(downloadUrl)).body.equals(bytes));
    }
    const part = await http(`${server.url}/v2/${repositoryName}/blobs/${large.digest}`, {
      headers: { Range: 'bytes=65530-131080' },
    });
    assert.equal(part.status, 206);
    assert.ok(part.body.equals(large.bytes.subarray(65530, 131081)));
    // What is of no key can be read: else the search would find nothing for another reason.
    await ecr.createRepository({ repositoryName: 'kept/plain' });
    assert.equal((await pushBlob(server.url, 'kept/plain', small)).status, 201);
    assert.equal(await isInFolder(server, mark), true);
  });

  it('go on with an upload after the server was killed', async () => {
    const { kms } = world;
    const repositoryName = 'killed/one';
    await world.repository(repositoryName, kms.keys.create());
    const layer = blobOf(randomBytes(MIB + 77));
    const begun = await http(`${world.server.url}/v2/${repositoryName}/blobs/uploads/`, { method: 'POST' });
    const { pathname } = new URL(String(begun.headers.location), world.server.url);
    const cut = 100_001;
    const first = await http(world.server.url + pathname, { method: 'PATCH', body: layer.bytes.subarray(0, cut) });
    assert.equal(first.headers.range, `0-${cut - 1}`);
    await world.restart();
    const url = world.server.url + pathname;
    assert.equal((await http(url)).headers.range, `0-${cut - 1}`);
    assert.equal((await http(url, { method: 'PATCH', body: layer.bytes.subarray(cut) })).status, 202);
    assert.equal((await http(`${url}?digest=${layer.digest}`, { method: 'PUT' })).status, 201);
    const answer = await http(`${world.server.url}/v2/${repositoryName}/blobs/${layer.digest}`);
    assert.ok(answer.body.equals(layer.bytes));
  });
});
