import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { awsCall } from '../support/aws-call.ts';
import { greeting, writeBuildContext } from '../support/busybox-image.ts';
import { describeClient } from '../support/client.ts';
import { type DockerDaemon, startDockerDaemon } from '../support/docker-daemon.ts';
import { http } from '../support/http.ts';
import { digestOf, mediaTypes } from '../support/images.ts';

const programs = ['docker', 'dockerd', 'busybox'];

await describeClient('docker', { programs, mustBeInCi: true, needsRoot: true }, (client) => {
  let daemon: DockerDaemon;
  before(async () => {
    daemon = await startDockerDaemon();
  });
  after(() => daemon?.[Symbol.asyncDispose]());

  /** Builds an image from scratch under a name nobody has; resolves with the reference. */
  async function built(tag = 'v1'): Promise<{ reference: string; repository: string }> {
    const folder = join(client.home, randomUUID());
    writeBuildContext(folder);
    const repository = `docker/${randomUUID()}`;
    const reference = `${client.server.host}/${repository}:${tag}`;
    await daemon.docker(['build', '--quiet', '--tag', reference, folder]);
    return { reference, repository };
  }

  it('logs in with any password while the server is open', async () => {
    const words = ['login', '--username', 'AWS', '--password-stdin', client.server.host];
    assert.match(await daemon.docker(words, { input: 'anything' }), /Login Succeeded/);
  });

  it('builds, pushes, pulls and runs an image', async () => {
    const { reference } = await built();
    await daemon.docker(['push', reference]);
    await daemon.docker(['rmi', '--force', reference]);
    await daemon.docker(['pull', reference]);
    const printed = await daemon.docker(['run', '--rm', '--network', 'none', reference]);
    assert.equal(printed.trim(), greeting);
  });

  it('pushes what the AWS API then hands out byte for byte', async () => {
    const { reference, repository } = await built();
    const pushed = await daemon.docker(['push', reference]);
    const digest = /digest: (sha256:[0-9a-f]{64})/.exec(pushed)?.[1] ?? '';
    const input = { repositoryName: repository, imageIds: [{ imageTag: 'v1' }] };
    const { images, failures } = (await awsCall(client.server.url, 'BatchGetImage', input)).json();
    assert.deepEqual(failures, []);
    assert.equal(images[0].imageId.imageDigest, digest);
    assert.equal(images[0].imageManifestMediaType, mediaTypes.dockerManifest);
    assert.equal(digestOf(images[0].imageManifest), digest);

    const { layers, config } = JSON.parse(images[0].imageManifest);
    assert.equal(layers.length, 2);
    for (const { digest: layerDigest, size } of [...layers, config]) {
      const link = await awsCall(client.server.url, 'GetDownloadUrlForLayer', {
        repositoryName: repository,
        layerDigest,
      });
      const { body, status } = await http(link.json().downloadUrl);
      assert.equal(status, 200);
      assert.equal(body.length, size);
      assert.equal(digestOf(body), layerDigest);
    }
  });

  it('sends nothing twice: a second push finds its layers', async () => {
    const { reference } = await built();
    await daemon.docker(['push', reference]);
    const again = await daemon.docker(['push', reference]);
    assert.match(again, /Layer already exists/);
    assert.doesNotMatch(again, /Pushed/);
  });

  it('mounts layers from a repository that has them', async () => {
    const { reference } = await built();
    await daemon.docker(['push', reference]);
    const other = `${client.server.host}/docker/${randomUUID()}:v1`;
    await daemon.docker(['tag', reference, other]);
    assert.match(await daemon.docker(['push', other]), /Mounted from docker\//);
  });

  it('puts a manifest list together and pulls through it', async () => {
    const { reference } = await built();
    await daemon.docker(['push', reference]);
    const list = reference.replace(/:v1$/, ':list');
    await daemon.docker(['manifest', 'create', '--insecure', list, reference]);
    await daemon.docker(['manifest', 'push', '--insecure', list]);
    await daemon.docker(['rmi', '--force', reference]);
    await daemon.docker(['pull', list]);
    assert.equal((await daemon.docker(['run', '--rm', '--network', 'none', list])).trim(), greeting);
  });

  it('hears in words that a tag is unknown', async () => {
    const { reference } = await built();
    await daemon.docker(['push', reference]);
    const { code, stderr } = await daemon.dockerAny(['pull', reference.replace(/:v1$/, ':v2')]);
    assert.notEqual(code, 0);
    assert.match(stderr, /manifest .*(unknown|not found)/);
  });

  it('is refused when the tag is immutable and has another image', async () => {
    const { reference, repository } = await built();
    await daemon.docker(['push', reference]);
    const input = { repositoryName: repository, imageTagMutability: 'IMMUTABLE' };
    assert.equal((await awsCall(client.server.url, 'PutImageTagMutability', input)).status, 200);
    await daemon.docker(['push', reference]);
    const { reference: other } = await built();
    await daemon.docker(['tag', other, reference]);
    const { code, stderr } = await daemon.dockerAny(['push', reference]);
    assert.notEqual(code, 0);
    assert.match(stderr, /tag invalid|immutable/i);
  });
});
