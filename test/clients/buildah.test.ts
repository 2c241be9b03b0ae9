import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { describeClient } from '../support/client.ts';
import { download, http } from '../support/http.ts';
import { digestOf, mediaTypes } from '../support/images.ts';
import { findProgram } from '../support/programs.ts';

await describeClient('buildah', { programs: ['buildah', 'busybox'], needsRoot: true }, (client) => {
  const buildah = (...words: string[]) => {
    const places = ['--root', `${client.home}/root`, '--runroot', `${client.home}/run`, '--storage-driver', 'vfs'];
    return client.run(['buildah', ...places, ...words]);
  };
  const plain = '--tls-verify=false';

  /** Builds an image from scratch, step by step; resolves with a reference for the server. */
  async function committed(format: 'oci' | 'docker'): Promise<{ reference: string; repository: string }> {
    const random = join(client.home, randomUUID());
    writeFileSync(random, randomBytes(50_000));
    const container = (await buildah('from', 'scratch')).trim();
    await buildah('copy', container, findProgram('busybox') ?? '', '/bin/busybox');
    await buildah('copy', container, random, '/random');
    await buildah('config', '--cmd', '/bin/busybox', container);
    const repository = `buildah/${randomUUID()}`;
    const reference = `${client.server.host}/${repository}:v1`;
    await buildah('commit', '--format', format, container, reference);
    await buildah('rm', container);
    return { reference, repository };
  }

  for (const [format, mediaType] of [
    ['oci', mediaTypes.manifest] as const,
    ['docker', mediaTypes.dockerManifest] as const,
  ]) {
    it(`commits from scratch and pushes in the ${format} format`, async () => {
      const { reference, repository } = await committed(format);
      await buildah('push', plain, reference, `docker://${reference}`);
      const manifest = await http(`${client.server.url}/v2/${repository}/manifests/v1`, {
        headers: { Accept: mediaType },
      });
      assert.equal(manifest.headers['content-type'], mediaType);
      for (const { digest } of [...manifest.json().layers, manifest.json().config]) {
        const blob = await download(`${client.server.url}/v2/${repository}/blobs/${digest}`);
        assert.equal(digestOf(blob.body), digest);
      }
    });
  }

  it('builds on an image that it pulls from the server', async () => {
    const { reference, repository } = await committed('oci');
    await buildah('push', plain, reference, `docker://${reference}`);
    await buildah('rmi', '--force', reference);
    const container = (await buildah('from', plain, '--pull-always', reference)).trim();
    const added = join(client.home, randomUUID());
    writeFileSync(added, randomBytes(1000));
    await buildah('copy', container, added, '/added');
    await buildah('commit', '--rm', plain, container, `docker://${client.server.host}/${repository}:v2`);
    const tags = await http(`${client.server.url}/v2/${repository}/tags/list`);
    assert.deepEqual(tags.json().tags, ['v1', 'v2']);
  });
});
