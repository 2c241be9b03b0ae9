import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { busyboxImage, greeting, writeLayout } from '../support/busybox-image.ts';
import { describeClient } from '../support/client.ts';
import { startDockerDaemon } from '../support/docker-daemon.ts';
import { findProgram } from '../support/programs.ts';
import { pythonWithBoto3 } from '../support/python.ts';

const script = join(import.meta.dirname, 'boto3-image.py');
const python = await pythonWithBoto3();
const unless = async () => (python === undefined ? 'no python3 has boto3' : undefined);

await describeClient('boto3', { programs: ['python3', 'busybox'], mustBeInCi: true, unless }, (client) => {
  const move = async (...words: string[]) => JSON.parse(await client.run([python ?? '', script, ...words]));

  /** An image with a layer of three parts, pushed through UploadLayerPart and PutImage. */
  async function pushed() {
    const image = busyboxImage(12 * 1024 * 1024);
    const layout = join(client.home, randomUUID());
    writeLayout(layout, 'v1', { blob: image.manifest, mediaType: image.mediaType }, [image]);
    const repository = `boto3/${randomUUID()}`;
    const { digest, token } = await move('push', client.server.url, repository, 'v1', layout);
    assert.equal(digest, image.manifest.digest);
    return { image, repository, token };
  }

  it('pushes an image in parts and pulls the same bytes', async () => {
    const { image, repository } = await pushed();
    const copy = join(client.home, randomUUID());
    await move('pull', client.server.url, repository, 'v1', copy);
    for (const { bytes, digest } of [image.manifest, image.config, ...image.layers]) {
      assert.ok(bytes.equals(readFileSync(join(copy, 'blobs', 'sha256', digest.slice(7)))));
    }
  });

  const canRunDocker =
    process.getuid?.() === 0 && findProgram('dockerd') !== undefined && findProgram('docker') !== undefined;
  it('pushes what docker pulls and runs', { skip: canRunDocker ? false : 'needs root and dockerd' }, async () => {
    const { image, repository, token } = await pushed();
    await using daemon = await startDockerDaemon();
    await daemon.docker(['login', '--username', 'AWS', '--password-stdin', client.server.host], { input: token });
    const reference = `${client.server.host}/${repository}:v1`;
    assert.match(await daemon.docker(['pull', reference]), new RegExp(`Digest: ${image.manifest.digest}`));
    assert.equal((await daemon.docker(['run', '--rm', '--network', 'none', reference])).trim(), greeting);
  });
});
