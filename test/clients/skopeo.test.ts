import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { busyboxImage, indexOf, writeLayout } from '../support/busybox-image.ts';
import { describeClient } from '../support/client.ts';
import { http } from '../support/http.ts';
import { mediaTypes } from '../support/images.ts';

await describeClient('skopeo', { programs: ['skopeo', 'busybox'], mustBeInCi: true }, (client) => {
  const skopeo = (...words: string[]) => client.run(['skopeo', ...words]);
  const reference = (repository: string) => `docker://${client.server.host}/${repository}`;
  const plain = '--tls-verify=false';
  const plainDestination = '--dest-tls-verify=false';
  const plainSource = '--src-tls-verify=false';

  /** Pushes a new image as it is and returns it with its repository. */
  async function pushed(tag: string) {
    const repository = `skopeo/${randomUUID()}`;
    const image = busyboxImage();
    const layout = join(client.home, randomUUID());
    writeLayout(layout, tag, { blob: image.manifest, mediaType: image.mediaType }, [image]);
    await skopeo('copy', plainDestination, `oci:${layout}:${tag}`, `${reference(repository)}:${tag}`);
    return { repository, image };
  }

  it('copies an OCI image in and out without a changed byte', async () => {
    const { repository, image } = await pushed('v1');
    const copy = join(client.home, randomUUID());
    await skopeo('copy', plainSource, `${reference(repository)}:v1`, `oci:${copy}:v1`);
    for (const { bytes, digest } of [image.manifest, image.config, ...image.layers]) {
      assert.deepEqual(readFileSync(join(copy, 'blobs', 'sha256', digest.slice(7))), bytes);
    }
  });

  it('inspects an image by tag and by digest', async () => {
    const { repository, image } = await pushed('v1');
    const byTag = JSON.parse(await skopeo('inspect', plain, `${reference(repository)}:v1`));
    assert.equal(byTag.Digest, image.manifest.digest);
    assert.deepEqual(
      byTag.Layers,
      image.layers.map(({ digest }) => digest),
    );
    const raw = await skopeo('inspect', plain, '--raw', `${reference(repository)}@${image.manifest.digest}`);
    assert.equal(raw, image.manifest.bytes.toString());
  });

  it('lists tags in lexical order', async () => {
    const { repository } = await pushed('b');
    for (const tag of ['c', 'a', 'B']) {
      await skopeo(
        'copy',
        plainSource,
        plainDestination,
        `${reference(repository)}:b`,
        `${reference(repository)}:${tag}`,
      );
    }
    const { Tags } = JSON.parse(await skopeo('list-tags', plain, reference(repository)));
    assert.deepEqual(Tags, ['B', 'a', 'b', 'c']);
  });

  it('converts to docker schema 2 on the way in', async () => {
    const { repository } = await pushed('v1');
    const converted = `${reference(repository)}-docker:v1`;
    await skopeo('copy', '--format', 'v2s2', plainSource, plainDestination, `${reference(repository)}:v1`, converted);
    const raw = JSON.parse(await skopeo('inspect', plain, '--raw', converted));
    assert.equal(raw.mediaType, mediaTypes.dockerManifest);
  });

  it('copies a multi-arch index with its children', async () => {
    const images = { amd64: busyboxImage(1024, 'amd64'), arm64: busyboxImage(1024, 'arm64') };
    const index = indexOf(images);
    const layout = join(client.home, randomUUID());
    writeLayout(layout, 'all', { blob: index, mediaType: mediaTypes.index }, Object.values(images));
    const repository = `skopeo/${randomUUID()}`;
    await skopeo('copy', '--all', plainDestination, `oci:${layout}:all`, `${reference(repository)}:all`);
    assert.equal(await skopeo('inspect', plain, '--raw', `${reference(repository)}:all`), index.bytes.toString());
    for (const { manifest } of Object.values(images)) {
      const raw = await skopeo('inspect', plain, '--raw', `${reference(repository)}@${manifest.digest}`);
      assert.equal(raw, manifest.bytes.toString());
    }
    const arm = JSON.parse(await skopeo('inspect', plain, '--override-arch', 'arm64', `${reference(repository)}:all`));
    assert.equal(arm.Architecture, 'arm64');
  });

  it('deletes an image', async () => {
    const { repository, image } = await pushed('v1');
    await skopeo('delete', plain, `${reference(repository)}:v1`);
    const answer = await http(`${client.server.url}/v2/${repository}/manifests/${image.manifest.digest}`);
    assert.equal(answer.status, 404);
  });

  it('says what is wrong when the tag is unknown', async () => {
    const { repository } = await pushed('v1');
    const { code, stderr } = await client.runAny(['skopeo', 'inspect', plain, `${reference(repository)}:v2`]);
    assert.notEqual(code, 0);
    assert.match(stderr, /manifest unknown/i);
  });

  it('logs in and out', async () => {
    const words = ['login', plain, '--username', 'AWS', '--password-stdin', client.server.host];
    assert.match(await client.run(['skopeo', ...words], { input: 'anything' }), /Login Succeeded/);
    await skopeo('logout', client.server.host);
  });
});
