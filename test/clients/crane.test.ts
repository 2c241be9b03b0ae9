import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { busyboxImage, writeLayout } from '../support/busybox-image.ts';
import { describeClient } from '../support/client.ts';
import { tar } from '../support/tar.ts';

await describeClient('crane', { programs: ['crane', 'busybox'] }, (client) => {
  const crane = async (...words: string[]) => (await client.run(['crane', ...words])).trim();

  async function pushed(tag = 'v1') {
    const image = busyboxImage();
    const layout = join(client.home, randomUUID());
    writeLayout(layout, tag, { blob: image.manifest, mediaType: image.mediaType }, [image]);
    const repository = `${client.server.host}/crane/${randomUUID()}`;
    await crane('push', layout, `${repository}:${tag}`);
    return { repository, image };
  }

  it('pushes an image that validates', async () => {
    const { repository, image } = await pushed();
    assert.equal(await crane('digest', `${repository}:v1`), image.manifest.digest);
    assert.equal(await crane('manifest', `${repository}:v1`), image.manifest.bytes.toString());
    assert.equal(await crane('config', `${repository}:v1`), image.config.bytes.toString());
    await crane('validate', '--remote', `${repository}:v1`);
  });

  it('appends a layer to an image of the server', async () => {
    const { repository, image } = await pushed();
    const layer = join(client.home, `${randomUUID()}.tar`);
    writeFileSync(layer, tar([{ name: 'added', bytes: Buffer.from(randomUUID()) }]));
    await crane('append', '--base', `${repository}:v1`, '--new_layer', layer, '--new_tag', `${repository}:v2`);
    const manifest = JSON.parse(await crane('manifest', `${repository}:v2`));
    assert.equal(manifest.layers.length, image.layers.length + 1);
    await crane('validate', '--remote', `${repository}:v2`);
  });

  it('copies to another repository, layers mounted', async () => {
    const { repository, image } = await pushed();
    await crane('copy', `${repository}:v1`, `${repository}/copy:v1`);
    assert.equal(await crane('digest', `${repository}/copy:v1`), image.manifest.digest);
  });

  it('lists tags and repositories', async () => {
    const { repository } = await pushed('b');
    await crane('tag', `${repository}:b`, 'a');
    assert.equal(await crane('ls', repository), 'a\nb');
    const catalog = (await crane('catalog', client.server.host)).split('\n');
    assert.ok(catalog.includes(repository.slice(client.server.host.length + 1)));
  });

  it('pulls and exports the file system', async () => {
    const { repository, image } = await pushed();
    const copy = join(client.home, randomUUID());
    await crane('pull', '--format', 'oci', `${repository}:v1`, copy);
    const exported = join(client.home, `${randomUUID()}.tar`);
    await crane('export', `${repository}@${image.manifest.digest}`, exported);
    assert.match(await client.run(['tar', '--list', '--file', exported]), /^bin\/busybox$/m);
  });

  it('deletes an image', async () => {
    const { repository, image } = await pushed();
    await crane('delete', `${repository}@${image.manifest.digest}`);
    const { code, stderr } = await client.runAny(['crane', 'digest', `${repository}:v1`]);
    assert.notEqual(code, 0);
    assert.match(stderr, /MANIFEST_UNKNOWN|404/);
  });
});
