import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { busyboxImage, indexOf, writeLayout } from '../support/busybox-image.ts';
import { describeClient } from '../support/client.ts';
import { http } from '../support/http.ts';
import { mediaTypes, pushImage, pushManifest } from '../support/images.ts';
import { run } from '../support/programs.ts';
import { checkout, cleanEnvironment, pinnedNode } from '../support/server.ts';

await describeClient('layouts of skopeo', { programs: ['skopeo', 'busybox'], mustBeInCi: true }, (client) => {
  const gantry = (...words: string[]) =>
    run([pinnedNode, join(checkout, 'bin', 'gantry.js'), ...words, '--data', client.server.data], {
      env: cleanEnvironment() as Record<string, string>,
    });
  const manifest = (repository: string, tag: string) =>
    http(`${client.server.url}/v2/${repository}/manifests/${tag}`, {
      headers: { Accept: Object.values(mediaTypes).join(', ') },
    });

  it('are imported as they are', async () => {
    const children = [busyboxImage(1024, 'amd64'), busyboxImage(1024, 'arm64')];
    const all = indexOf({ amd64: children[0]!, arm64: children[1]! });
    const written = join(client.home, 'written');
    writeLayout(written, 'all', { blob: all, mediaType: mediaTypes.index }, children);
    const layout = join(client.home, 'layout');
    await client.run(['skopeo', 'copy', '--all', `oci:${written}:all`, `oci:${layout}:all`]);
    await client.run(['skopeo', 'copy', '--all', `oci:${written}:all`, `oci-archive:${layout}.tar:all`]);
    await gantry('import', '--from', `oci:${layout}:all`, '--repository', 'from/layout');
    assert.deepEqual((await manifest('from/layout', 'all')).body, all.bytes);
    await gantry('import', '--from', `oci:${layout}.tar`, '--repository', 'from/archive');
    assert.deepEqual((await manifest('from/archive', 'all')).body, all.bytes);
  });

  it('in the form of docker save are imported with the layers they hold', async () => {
    const image = busyboxImage();
    const written = join(client.home, 'single');
    writeLayout(written, 'v1', { blob: image.manifest, mediaType: image.mediaType }, [image]);
    const file = join(client.home, 'saved.tar');
    await client.run(['skopeo', 'copy', `oci:${written}:v1`, `docker-archive:${file}:docker.io/library/saved:v1`]);
    await gantry('import', '--from', `docker-archive:${file}`);
    const { layers } = (await manifest('library/saved', 'v1')).json();
    const { rootfs } = JSON.parse(image.config.bytes.toString());
    assert.deepEqual(
      layers.map(({ digest }: { digest: string }) => digest),
      rootfs.diff_ids,
    );
    const copy = join(client.home, 'pulled');
    const reference = `docker://${client.server.host}/library/saved:v1`;
    await client.run(['skopeo', 'copy', '--src-tls-verify=false', reference, `dir:${copy}`]);
  });

  it('are read when they were exported', async () => {
    const children = { amd64: busyboxImage(1024, 'amd64'), arm64: busyboxImage(1024, 'arm64') };
    const index = indexOf(children);
    const { url } = client.server;
    for (const child of Object.values(children)) await pushImage(url, 'exported', child.manifest.digest, child);
    await pushManifest(url, 'exported', 'v1', index, mediaTypes.index);
    const layout = join(client.home, 'exported');
    await gantry('export', '--to', `oci:${layout}`, '--repositories', 'exported');
    const copy = join(client.home, 'copied');
    await client.run(['skopeo', 'copy', '--all', `oci:${layout}:v1`, `oci:${copy}:v1`]);
    const [entry] = JSON.parse(readFileSync(join(copy, 'index.json'), 'utf8')).manifests;
    assert.equal(entry.digest, index.digest);

    const file = join(client.home, 'exported.tar');
    const one = ['--repositories', 'exported', '--tags', 'v1', '--platform', 'linux/arm64'];
    await gantry('export', '--to', `docker-archive:${file}`, ...one);
    const target = join(client.home, 'unpacked');
    await client.run(['skopeo', 'copy', `docker-archive:${file}:exported:v1`, `dir:${target}`]);
    const raw = await client.run(['skopeo', 'inspect', '--raw', '--config', `docker-archive:${file}`]);
    assert.equal(JSON.parse(raw).architecture, 'arm64');
  });
});
