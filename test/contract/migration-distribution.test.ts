import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { http } from '../support/http.ts';
import { runAny } from '../support/programs.ts';
import { checkout, cleanEnvironment, pinnedNode, startServer } from '../support/server.ts';
import { pushWorld } from '../system/migration-world.ts';
import { startDistribution, whyNoDistribution } from '../upstreams/distribution.ts';

const missing = whyNoDistribution();

describe('gantry export and import with distribution', { skip: missing ?? false }, () => {
  it('pushes to it with a password and takes everything back by its list', async () => {
    await using distribution = await startDistribution();
    await using source = await startServer();
    await using target = await startServer();
    const { image, index } = await pushWorld(source.url);
    const { username, password } = distribution.credentials;
    const login = ['--username', username, '--password-stdin', '--allow-private', '--json'];
    const gantry = (data: string, ...words: string[]) =>
      runAny([pinnedNode, `${checkout}/bin/gantry.js`, ...words, ...login, '--data', data], {
        env: cleanEnvironment() as Record<string, string>,
        input: `${password}\n`,
      });
    const exported = await gantry(source.data, 'export', '--to', distribution.url);
    assert.equal(exported.code, 0, exported.stdout + exported.stderr);
    const again = await gantry(source.data, 'export', '--to', distribution.url);
    assert.partialDeepStrictEqual(JSON.parse(again.stdout), { images: { copied: 0, failed: 0 }, storedBytes: 0 });

    const imported = await gantry(target.data, 'import', '--from', distribution.url, '--repositories', 'team/app');
    assert.equal(imported.code, 0, imported.stdout + imported.stderr);
    for (const [tag, blob] of [
      ['v1', image.manifest],
      ['multi', index],
    ] as const) {
      const found = await http(`${target.url}/v2/team/app/manifests/${tag}`);
      assert.deepEqual(found.body, blob.bytes);
    }
    assert.ok(!exported.stdout.includes(password) && !exported.stderr.includes(password));
  });

  it('says that the password is wrong', async () => {
    await using distribution = await startDistribution();
    await using target = await startServer();
    const words = [
      'import',
      '--from',
      distribution.url,
      '--repositories',
      'a/b',
      '--allow-private',
      '--data',
      target.data,
    ];
    const login = ['--username', 'pusher', '--password-stdin'];
    const ran = await runAny([pinnedNode, `${checkout}/bin/gantry.js`, ...words, ...login], {
      env: cleanEnvironment() as Record<string, string>,
      input: 'wrong',
    });
    assert.equal(ran.code, 1);
    assert.match(ran.stdout, /^Failed: a\/b: 127\.0\.0\.1:\d+: tags of a\/b: .*no token/m);
  });
});
