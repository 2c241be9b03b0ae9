import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { http } from '../support/http.ts';
import { blobOf, descriptor, mediaTypes, pushImage, randomImage } from '../support/images.ts';
import { startServer } from '../support/server.ts';
import { tar } from '../support/tar.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { migration, pushWorld } from './migration-world.ts';

const accepted = { Accept: `${mediaTypes.manifest}, ${mediaTypes.index}, ${mediaTypes.dockerManifest}` };

describe('gantry export and import through an OCI layout', () => {
  it('brings everything back byte for byte, several repositories in one folder', async () => {
    await using source = await startServer();
    await using target = await startServer();
    await using folder = await temporaryFolder();
    const { image, index, signature } = await pushWorld(source.url);
    await pushImage(source.url, 'other', 'v1', image);
    const layout = join(folder.path, 'layout');
    const [out, back] = [migration(source.data), migration(target.data)];
    const first = await out('export', '--to', `oci:${layout}`);
    assert.equal(first.code, 0, first.stdout + first.stderr);
    const again = JSON.parse((await out('export', '--to', `oci:${layout}`, '--json')).stdout);
    assert.partialDeepStrictEqual(again, { images: { copied: 0, failed: 0 }, storedBytes: 0 });
    const names = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')).manifests.map(
      ({ annotations }: { annotations: Record<string, string> }) => annotations['org.opencontainers.image.ref.name'],
    );
    const signed = `team/app@${signature.manifest.digest}`;
    assert.deepEqual(
      names.toSorted(),
      ['other:v1', 'team/app:latest', 'team/app:multi', 'team/app:v1', signed].toSorted(),
    );

    const ran = await back('import', '--from', `oci:${layout}`);
    assert.equal(ran.code, 0, ran.stdout + ran.stderr);
    const url = `${target.url}/v2/team/app`;
    const multi = await http(`${url}/manifests/multi`, { headers: accepted });
    assert.deepEqual(multi.body, index.bytes);
    const referrers = await http(`${url}/referrers/${image.manifest.digest}`);
    assert.equal(referrers.json().manifests[0].digest, signature.manifest.digest);
    assert.equal((await http(`${target.url}/v2/other/manifests/v1`, { headers: accepted })).status, 200);
  });

  it('goes on where a run was broken off, with what of it is whole', async () => {
    await using source = await startServer();
    await using folder = await temporaryFolder();
    const { image, signature } = await pushWorld(source.url);
    const out = migration(source.data);
    const words = ['export', '--to', `oci:${folder.path}`, '--repositories', 'team/app', '--json'];
    assert.equal((await out(...words)).code, 0);
    const blob = image.layers[0]!;
    rmSync(join(folder.path, 'index.json'));
    rmSync(join(folder.path, 'blobs', 'sha256', image.manifest.digest.slice(7)));
    rmSync(join(folder.path, 'blobs', 'sha256', blob.digest.slice(7)));
    const ran = JSON.parse((await out(...words)).stdout);
    assert.partialDeepStrictEqual(ran, { images: { failed: 0 }, storedBytes: blob.bytes.length });
    assert.deepEqual(readFileSync(join(folder.path, 'blobs', 'sha256', blob.digest.slice(7))), blob.bytes);

    // The list is written now and then: what has no tag was stored, and is not on it yet.
    const list = join(folder.path, 'index.json');
    const { manifests, ...rest } = JSON.parse(readFileSync(list, 'utf8'));
    const tagged = manifests.filter(({ digest }: { digest: string }) => digest !== signature.manifest.digest);
    assert.equal(tagged.length, manifests.length - 1);
    writeFileSync(list, JSON.stringify({ ...rest, manifests: tagged }));
    assert.equal((await out(...words)).code, 0);
    const digests = JSON.parse(readFileSync(list, 'utf8')).manifests.map(({ digest }: { digest: string }) => digest);
    assert.ok(digests.includes(signature.manifest.digest));
    const left = readdirSync(join(folder.path, 'blobs', 'sha256')).filter((name) => name.endsWith('.part'));
    assert.deepEqual(left, []);
  });

  it('leaves a folder alone that is something else', async () => {
    await using source = await startServer();
    await using folder = await temporaryFolder();
    writeFileSync(join(folder.path, 'diary.txt'), 'mine');
    const { code, stderr } = await migration(source.data)('export', '--to', `oci:${folder.path}`);
    assert.equal(code, 1);
    assert.match(stderr, /has other files in it and is no OCI image layout/);
  });
});

describe('gantry import from a layout that is not what it says', () => {
  it('keeps nothing of a blob with another digest, and takes the other images', async () => {
    await using target = await startServer();
    await using folder = await temporaryFolder();
    const [good, bad] = [randomImage(), randomImage()];
    const layout = folder.path;
    mkdirSync(join(layout, 'blobs', 'sha256'), { recursive: true });
    for (const { bytes, digest } of [good, bad].flatMap(({ config, layers, manifest }) => [
      config,
      ...layers,
      manifest,
    ])) {
      writeFileSync(join(layout, 'blobs', 'sha256', digest.slice(7)), bytes);
    }
    const lying = bad.layers[0]!;
    writeFileSync(join(layout, 'blobs', 'sha256', lying.digest.slice(7)), Buffer.alloc(lying.bytes.length));
    writeFileSync(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
    const entries = [bad, good].map((image, at) => ({
      ...descriptor(image.mediaType, image.manifest),
      annotations: { 'org.opencontainers.image.ref.name': `app:v${at}` },
    }));
    writeFileSync(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: entries }));
    const ran = await migration(target.data)('import', '--from', `oci:${layout}`);
    assert.equal(ran.code, 1);
    assert.match(ran.stdout, /^Failed: app:v0: The bytes of the blob sha256:[0-9a-f]+ have another digest$/m);
    assert.equal((await http(`${target.url}/v2/app/manifests/v1`, { headers: accepted })).status, 200);
    assert.equal((await http(`${target.url}/v2/app/manifests/v0`, { headers: accepted })).status, 404);
    assert.equal((await http(`${target.url}/v2/app/blobs/${lying.digest}`)).status, 404);
  });
});

describe('gantry export and import through a docker archive', () => {
  it('keeps the manifest of what it wrote itself, and takes one platform of an index', async () => {
    await using source = await startServer();
    await using target = await startServer();
    await using folder = await temporaryFolder();
    const { children } = await pushWorld(source.url);
    const file = join(folder.path, 'image.tar');
    const one = ['export', '--to', `docker-archive:${file}`, '--repositories', 'team/app', '--tags', 'multi'];
    const out = migration(source.data);
    const none = await out(...one, '--platform', 'plan9/mips');
    assert.match(
      none.stdout,
      /^Failed: team\/app:multi: The index multi has no image for plan9\/mips, but for linux\/amd64, linux\/arm64$/m,
    );
    const ran = await out(...one, '--platform', 'linux/arm64');
    assert.equal(ran.code, 0, ran.stdout + ran.stderr);
    assert.match((await out(...one)).stderr, /is there already/);
    const back = await migration(target.data)('import', '--from', `docker-archive:${file}`);
    assert.equal(back.code, 0, back.stdout + back.stderr);
    const found = await http(`${target.url}/v2/team/app/manifests/multi`, { headers: accepted });
    assert.deepEqual(found.body, children[1]?.manifest.bytes);
  });

  it('makes a manifest of what docker saved, the same each time, compressed as a whole or not', async () => {
    await using target = await startServer();
    await using folder = await temporaryFolder();
    const { config, layers } = randomImage([700, 900]);
    const [base, top] = layers.map((layer) => layer.bytes);
    const members = [
      { name: 'a/layer.tar', bytes: base! },
      { name: 'b/layer.tar', bytes: top! },
      { name: 'config.json', bytes: config.bytes },
      {
        name: 'manifest.json',
        bytes: Buffer.from(
          JSON.stringify([
            {
              Config: 'config.json',
              RepoTags: ['localhost:5000/saved/app:v1'],
              Layers: ['a/layer.tar', 'b/layer.tar'],
            },
          ]),
        ),
      },
    ];
    const plain = join(folder.path, 'saved.tar');
    const packed = join(folder.path, 'saved.tar.gz');
    writeFileSync(plain, tar(members));
    writeFileSync(packed, gzipSync(tar(members)));
    const gantry = migration(target.data);
    assert.equal((await gantry('import', '--from', `docker-archive:${plain}`)).code, 0);
    const first = await http(`${target.url}/v2/saved/app/manifests/v1`, { headers: accepted });
    assert.equal(first.headers['content-type'], mediaTypes.dockerManifest);
    const { layers: written } = first.json();
    assert.deepEqual(
      written.map(({ digest }: { digest: string }) => digest),
      [blobOf(base!).digest, blobOf(top!).digest],
    );
    const again = await gantry('import', '--from', `docker-archive:${packed}`, '--json');
    assert.partialDeepStrictEqual(JSON.parse(again.stdout), { images: { copied: 0, present: 1 }, storedBytes: 0 });
  });
});
