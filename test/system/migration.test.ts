import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { http } from '../support/http.ts';
import { mediaTypes, pushImage, randomImage } from '../support/images.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { ecrClient } from './aws-client.ts';
import { migration, pushWorld, type World } from './migration-world.ts';

async function manifestAt({ url }: RunningServer, repository: string, reference: string) {
  const headers = { Accept: `${mediaTypes.manifest}, ${mediaTypes.index}` };
  return http(`${url}/v2/${repository}/manifests/${reference}`, { headers });
}

async function assertWorld(server: RunningServer, repository: string, { image, index, signature }: World) {
  for (const [reference, blob] of [
    ['v1', image.manifest],
    ['latest', image.manifest],
    ['multi', index],
    [signature.manifest.digest, signature.manifest],
  ] as const) {
    assert.equal((await manifestAt(server, repository, reference)).text(), blob.bytes.toString(), reference);
  }
  const layer = image.layers[1]!;
  const served = await http(`${server.url}/v2/${repository}/blobs/${layer.digest}`);
  assert.deepEqual(served.body, layer.bytes);
  const referrers = await http(`${server.url}/v2/${repository}/referrers/${image.manifest.digest}`);
  assert.equal(referrers.json().manifests[0].digest, signature.manifest.digest);
}

describe('gantry import from a registry, beside a running server', () => {
  it('takes tags, indexes with what they list, and referrers; a second run sends nothing', async () => {
    await using source = await startServer();
    await using target = await startServer();
    const world = await pushWorld(source.url);
    const gantry = migration(target.data);
    const words = ['import', '--from', source.url, '--allow-private'];

    const dry = await gantry(...words, '--dry-run', '--json');
    assert.equal(dry.code, 0, dry.stderr);
    assert.partialDeepStrictEqual(JSON.parse(dry.stdout), { images: { copied: 3, present: 0, failed: 0 } });
    assert.equal((await ecrClient(target.url).describeRepositories({})).repositories?.length, 0);

    const first = await gantry(...words);
    assert.equal(first.code, 0, first.stderr);
    assert.match(
      first.stdout,
      /^Copied 3 images of 1 repository from 127\.0\.0\.1:\d+ to account 000000000000 in us-east-1; /,
    );
    await assertWorld(target, 'team/app', world);

    const again = await gantry(...words, '--json');
    assert.equal(again.code, 0, again.stderr);
    assert.partialDeepStrictEqual(JSON.parse(again.stdout), {
      images: { copied: 0, present: 3, failed: 0 },
      blobs: { stored: 0 },
      storedBytes: 0,
      passedBytes: 0,
    });
  });

  it('takes what patterns name, under a prefix', async () => {
    await using source = await startServer();
    await using target = await startServer();
    const world = await pushWorld(source.url);
    await pushImage(source.url, 'other/app', 'v1', randomImage());
    const gantry = migration(target.data);
    const words = ['import', '--from', source.url, '--allow-private', '--to-prefix', 'old'];
    const ran = await gantry(...words, '--repositories', 'te*', '--tags', 'v*,nothing');
    assert.equal(ran.code, 0, ran.stderr);
    const { repositories } = await ecrClient(target.url).describeRepositories({});
    assert.deepEqual(
      repositories?.map(({ repositoryName }) => repositoryName),
      ['old/team/app'],
    );
    const tags = await http(`${target.url}/v2/old/team/app/tags/list`);
    assert.deepEqual(tags.json().tags, ['v1']);
    assert.equal((await manifestAt(target, 'old/team/app', 'v1')).text(), world.image.manifest.bytes.toString());
  });

  it('lists what failed, goes on with the rest, and ends with status 1', async () => {
    await using source = await startServer();
    await using target = await startServer();
    await pushWorld(source.url);
    const other = randomImage();
    await pushImage(target.url, 'team/app', 'v1', other);
    const ecr = ecrClient(target.url);
    await ecr.putImageTagMutability({ repositoryName: 'team/app', imageTagMutability: 'IMMUTABLE' });
    const gantry = migration(target.data);
    const ran = await gantry('import', '--from', source.url, '--allow-private', '--repositories', 'team/app,no/such');
    assert.equal(ran.code, 1);
    assert.match(
      ran.stdout,
      /^Failed: team\/app:v1: The image sha256:\S+ is there, but the tag is immutable and on another one$/m,
    );
    assert.match(ran.stdout, /^Failed: no\/such: 127\.0\.0\.1:\d+: tags of no\/such: /m);
    assert.equal((await manifestAt(target, 'team/app', 'v1')).text(), other.manifest.bytes.toString());
    assert.equal((await manifestAt(target, 'team/app', 'latest')).status, 200);
    assert.equal((await manifestAt(target, 'team/app', 'multi')).status, 200);
  });

  it('says in a sentence what cannot be begun', async () => {
    await using target = await startServer();
    const gantry = migration(target.data);
    const refusals: [string[], RegExp][] = [
      [['--from', 'somewhere'], /^gantry: --from must be https:\/\/HOST, ecr:/],
      [['--from', 'ecr:us-east-1,banana'], /'banana' is neither an account of twelve digits nor endpoint=URL/],
      [['--from', 'ecr:us-east-1'], /An access key is missing: set AWS_ACCESS_KEY_ID/],
      [
        ['--from', target.url, '--with-settings', '--allow-private'],
        /has no settings; --with-settings is for registries/,
      ],
      [['--from', 'https://me:word@127.0.0.1'], /A password in the address would be shown/],
      [['--from', target.url, '--concurrency', '0'], /--concurrency must be a number from 1 to 64/],
      [['--from', 'oci:/no/such/folder'], /There is no folder \/no\/such\/folder/],
      [['--from', target.url, '--username', 'me'], /The password is missing/],
    ];
    for (const [words, message] of refusals) {
      const { code, stderr } = await gantry('import', ...words);
      assert.equal(code, 1, words.join(' '));
      assert.match(stderr, message);
      assert.match(stderr, /^gantry: [^\n]+\n$/);
    }
    const closed = await gantry('import', '--from', target.url);
    assert.equal(closed.code, 1);
    assert.match(closed.stdout, /^Failed: .*loopback address, which is not asked$/m);
  });
});

describe('gantry export to a registry', () => {
  it('pushes to another Gantry what the folder has, and nothing twice', async () => {
    await using source = await startServer();
    await using target = await startServer();
    const world = await pushWorld(source.url);
    const words = ['export', '--to', target.url, '--allow-private', '--json'];
    const first = await migration(source.data)(...words);
    assert.equal(first.code, 0, first.stdout + first.stderr);
    await assertWorld(target, 'team/app', world);
    const again = await migration(source.data)(...words);
    assert.partialDeepStrictEqual(JSON.parse(again.stdout), {
      images: { copied: 0, failed: 0 },
      storedBytes: 0,
      passedBytes: 0,
    });
  });
});
