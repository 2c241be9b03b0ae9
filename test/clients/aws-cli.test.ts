import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { describeClient } from '../support/client.ts';
import { needsFolder } from '../support/cluster-mode.ts';
import { startDockerDaemon } from '../support/docker-daemon.ts';
import { download } from '../support/http.ts';
import { descriptor, mediaTypes, pushBlob, pushImage, randomImage } from '../support/images.ts';
import { findProgram } from '../support/programs.ts';

await describeClient('AWS CLI', { programs: ['aws'], mustBeInCi: true }, (client) => {
  const env = () => ({
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_REGION: 'us-east-1',
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_PAGER: '',
    AWS_EC2_METADATA_DISABLED: 'true',
  });
  const command = (service: string, words: readonly string[]) => [
    'aws',
    '--endpoint-url',
    client.server.url,
    service,
    ...words,
  ];
  const text = async (service: string, ...words: string[]) =>
    (await client.run(command(service, words), { env: env() })).trim();
  const ecr = async (...words: string[]) => JSON.parse(await text('ecr', ...words, '--output', 'json'));
  const named = (name: string) => ['--repository-name', name];

  async function createdRepository(): Promise<string> {
    const name = `cli/${randomUUID()}`;
    const { repository } = await ecr('create-repository', ...named(name));
    assert.equal(repository.repositoryName, name);
    assert.equal(repository.repositoryUri, `localhost:${client.server.port}/${name}`);
    return name;
  }

  it('asks who it is', async () => {
    const identity = JSON.parse(await text('sts', 'get-caller-identity', '--output', 'json'));
    assert.equal(identity.Account, '000000000000');
    assert.match(identity.Arn, /^arn:aws:/);
  });

  it('creates, describes and deletes a repository', async () => {
    const name = await createdRepository();
    const { repositories } = await ecr('describe-repositories', '--repository-names', name);
    assert.equal(repositories[0].repositoryArn, `arn:aws:ecr:us-east-1:000000000000:repository/${name}`);
    const { createdAt } = repositories[0];
    // Version 1 prints seconds since 1970, version 2 a date.
    const createdMs = typeof createdAt === 'number' ? createdAt * 1000 : Date.parse(createdAt);
    assert.ok(Math.abs(createdMs - Date.now()) < 3600_000, String(createdAt));
    await ecr('delete-repository', ...named(name));
    const { code, stderr } = await client.runAny(
      command('ecr', ['describe-repositories', '--repository-names', name]),
      { env: env() },
    );
    assert.notEqual(code, 0);
    assert.match(
      stderr,
      /\(RepositoryNotFoundException\) when calling the DescribeRepositories operation: .*does not exist/,
    );
  });

  const skip = needsFolder('its store encrypts under no key');
  it('creates a repository under a key, and learns why it cannot', { skip }, async () => {
    const created = async (...more: string[]) => {
      const configuration = ['encryptionType=KMS', ...more].join(',');
      return ecr('create-repository', ...named(`cli/${randomUUID()}`), '--encryption-configuration', configuration);
    };
    const { kmsKey } = (await created()).repository.encryptionConfiguration;
    assert.match(kmsKey, /^arn:aws:kms:us-east-1:000000000000:key\//);
    const { repository } = await created(`kmsKey=${kmsKey}`);
    assert.deepEqual(repository.encryptionConfiguration, { encryptionType: 'KMS', kmsKey });
    await assert.rejects(
      created('kmsKey=alias/absent'),
      /\(KmsException\) when calling the CreateRepository operation/,
    );
  });

  it('puts an image whose blobs came through docker', async () => {
    const name = await createdRepository();
    const image = randomImage();
    for (const blob of [image.config, ...image.layers])
      assert.equal((await pushBlob(client.server.url, name, blob)).status, 201);
    const file = join(client.home, randomUUID());
    writeFileSync(file, image.manifest.bytes);
    const put = await ecr('put-image', ...named(name), '--image-tag', 'v1', '--image-manifest', `file://${file}`);
    assert.equal(put.image.imageId.imageDigest, image.manifest.digest);
    const { images } = await ecr('batch-get-image', ...named(name), '--image-ids', 'imageTag=v1');
    assert.equal(images[0].imageManifest, image.manifest.bytes.toString());
  });

  it('uploads a layer part from a file', async () => {
    const name = await createdRepository();
    const [layer] = randomImage([100_000]).layers;
    const file = join(client.home, randomUUID());
    writeFileSync(file, layer!.bytes);
    const { uploadId } = await ecr('initiate-layer-upload', ...named(name));
    const part = ['--upload-id', uploadId, '--part-first-byte', '0', '--part-last-byte', '99999'];
    const sent = await ecr('upload-layer-part', ...named(name), ...part, '--layer-part-blob', `fileb://${file}`);
    assert.equal(sent.lastByteReceived, 99_999);
    const digests = ['--upload-id', uploadId, '--layer-digests', layer!.digest];
    assert.equal((await ecr('complete-layer-upload', ...named(name), ...digests)).layerDigest, layer!.digest);
    const { layers } = await ecr('batch-check-layer-availability', ...named(name), '--layer-digests', layer!.digest);
    assert.equal(layers[0].layerAvailability, 'AVAILABLE');
    const answer = await download(`${client.server.url}/v2/${name}/blobs/${layer!.digest}`);
    assert.deepEqual(answer.body, readFileSync(file));
  });

  it('pages through images by itself', async () => {
    const name = await createdRepository();
    for (const tag of ['a', 'b', 'c']) await pushImage(client.server.url, name, tag, randomImage());
    const { imageIds } = await ecr('list-images', ...named(name), '--page-size', '1');
    assert.deepEqual(imageIds.map(({ imageTag }: { imageTag: string }) => imageTag).sort(), ['a', 'b', 'c']);
    const { imageDetails } = await ecr('describe-images', ...named(name), '--page-size', '2');
    assert.equal(imageDetails.length, 3);
    const { imageIds: deleted } = await ecr(
      'batch-delete-image',
      ...named(name),
      '--image-ids',
      'imageTag=a',
      'imageTag=b',
    );
    assert.equal(deleted.length, 2);
  });

  it('lists referrers of an image, and deletes an index with its children in one call', async (context) => {
    const { stderr } = await client.runAny(command('ecr', ['list-image-referrers']), { env: env() });
    if (stderr.includes('Invalid choice')) return context.skip('this AWS CLI is older than lists of referrers');
    const name = await createdRepository();
    const image = randomImage([50]);
    await pushImage(client.server.url, name, image.manifest.digest, image);
    const subject = descriptor(mediaTypes.manifest, image.manifest);
    const types = ['application/vnd.sig', 'application/vnd.sbom'];
    const put = async (document: object, ...words: string[]) => {
      const file = join(client.home, randomUUID());
      writeFileSync(file, JSON.stringify(document));
      return (await ecr('put-image', ...named(name), '--image-manifest', `file://${file}`, ...words)).image.imageId;
    };
    const parsed = JSON.parse(image.manifest.bytes.toString());
    for (const artifactType of types) await put({ ...parsed, artifactType, subject });
    const index = await put(
      { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [subject] },
      '--image-tag',
      'multi',
    );
    const ofSubject = [...named(name), '--subject-id', `imageDigest=${image.manifest.digest}`];
    const { referrers } = await ecr('list-image-referrers', ...ofSubject);
    assert.deepEqual(
      referrers
        .map(({ artifactType, artifactStatus }: Record<string, string>) => [artifactType, artifactStatus])
        .sort(),
      types.map((type) => [type, 'ACTIVE']).sort(),
    );
    const signed = await ecr('list-image-referrers', ...ofSubject, '--filter', `artifactTypes=${types[0]}`);
    assert.equal(signed.referrers.length, 1);
    const { imageDetails } = await ecr(
      'describe-images',
      ...named(name),
      '--image-ids',
      `imageDigest=${signed.referrers[0].digest}`,
    );
    assert.deepEqual(
      [imageDetails[0].artifactMediaType, imageDetails[0].subjectManifestDigest],
      [types[0], image.manifest.digest],
    );
    const both = [
      '--image-ids',
      `imageDigest=${image.manifest.digest}`,
      `imageDigest=${index.imageDigest},imageTag=multi`,
    ];
    const { imageIds, failures } = await ecr('batch-delete-image', ...named(name), ...both);
    assert.deepEqual([imageIds.length, failures], [2, []]);
  });

  it('tags a repository', async () => {
    const name = await createdRepository();
    const arn = `arn:aws:ecr:us-east-1:000000000000:repository/${name}`;
    await text('ecr', 'tag-resource', '--resource-arn', arn, '--tags', 'Key=team,Value=harbour');
    const { tags } = await ecr('list-tags-for-resource', '--resource-arn', arn);
    assert.deepEqual(tags, [{ Key: 'team', Value: 'harbour' }]);
  });

  it('prints a login password that names its registry', async () => {
    const password = await text('ecr', 'get-login-password');
    assert.ok(password.length > 20);
    const { authorizationData } = await ecr('get-authorization-token');
    const [{ authorizationToken, proxyEndpoint }] = authorizationData;
    assert.match(Buffer.from(authorizationToken, 'base64').toString(), /^AWS:.{20}/);
    assert.equal(proxyEndpoint, `http://localhost:${client.server.port}`);
  });

  const canRunDocker =
    process.getuid?.() === 0 && findProgram('dockerd') !== undefined && findProgram('docker') !== undefined;
  it('hands its login password to docker', { skip: canRunDocker ? false : 'needs root and dockerd' }, async () => {
    await using daemon = await startDockerDaemon();
    const password = await text('ecr', 'get-login-password');
    const login = ['login', '--username', 'AWS', '--password-stdin', client.server.host];
    assert.match(await daemon.docker(login, { input: password }), /Login Succeeded/);
  });
});
