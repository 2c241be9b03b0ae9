import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { SERVE_SETTINGS } from '../../src/config/settings.ts';
import { awsCall } from '../support/aws-call.ts';
import { needsFolder } from '../support/cluster-mode.ts';
import { http } from '../support/http.ts';
import { pushImage, randomImage } from '../support/images.ts';
import { runAny } from '../support/programs.ts';
import { checkout, cleanEnvironment, pinnedNode, startServer } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const gantry = (words: readonly string[], env: Record<string, string> = {}) =>
  runAny([pinnedNode, join(checkout, 'bin', 'gantry.js'), ...words], { cwd: checkout, env });

const regionOf = async (url: string) => {
  const created = await awsCall(url, 'CreateRepository', { repositoryName: 'some/name' }, { headers: anonymous });
  return created.json().repository.repositoryArn.split(':').slice(3, 5).join(' ');
};
/** Neither a credential scope nor a telling host. */
const anonymous = { Authorization: '' };

describe('gantry', () => {
  it('tells its version', async () => {
    const { version } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8'));
    assert.deepEqual(await gantry(['--version']), { code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('tells its commands, and each command its flags with their variables', async () => {
    const { code, stdout } = await gantry(['--help']);
    assert.equal(code, 0);
    for (const command of ['serve', 'garbage', 'verify']) assert.match(stdout, new RegExp(`^ +${command} `, 'm'));
    const help = (await gantry(['serve', '--help'])).stdout.replaceAll(/\s+/g, ' ');
    for (const { flag, variable } of SERVE_SETTINGS) {
      assert.ok(help.includes(`--${flag}`), `--${flag} is not in the help`);
      assert.ok(help.includes(`env ${variable}`), `${variable} is not in the help`);
    }
  });

  it('refuses a command or a flag that there is not, with what there is', async () => {
    for (const words of [['server'], ['serve', '--prot', '1']]) {
      const { code, stderr } = await gantry(words);
      assert.equal(code, 1);
      assert.match(stderr, /unknown (command|option).*\n[\s\S]*Usage: gantry/);
    }
  });
});

describe('gantry serve', () => {
  it('picks a free port for 0 and says in words what is served where, with lines to copy', async () => {
    await using server = await startServer();
    const { port, data } = server;
    const [first = '', login = '', push = '', aws = ''] = server.output().split('\n');
    const said = `account 000000000000 in us-east-1 on http://127.0.0.1:${port}, data in ${data}`;
    assert.ok(port > 0 && first.includes(said), first);
    assert.equal(login, `  docker login --username AWS --password open localhost:${port}`);
    assert.equal(push, `  docker push localhost:${port}/my/image:tag`);
    assert.equal(aws, `  aws ecr describe-repositories --region us-east-1 --endpoint-url http://localhost:${port}`);
  });

  it('takes every setting from its variable, and the flag before the variable', async () => {
    await using folder = await temporaryFolder();
    const env = {
      GANTRY_PORT: '1',
      GANTRY_HOST: '127.0.0.1',
      GANTRY_DATA_DIR: '/nowhere',
      GANTRY_ACCOUNT_ID: '123456789012',
      GANTRY_REGION: 'eu-west-1',
      GANTRY_REGISTRY_HOST: '{account}.registry.example.com',
      GANTRY_PUBLIC_URL: 'https://ecr.example.com',
      GANTRY_CREATE_ON_PUSH: 'false',
      GANTRY_LOG_LEVEL: 'silent',
    };
    // --port and --data come as flags.
    await using server = await startServer({ data: folder.path, env, args: ['--region', 'eu-north-1'] });
    const Host = 'ecr.example.com';
    const created = await awsCall(
      server.url,
      'CreateRepository',
      { repositoryName: 'a/b' },
      { headers: { ...anonymous, Host } },
    );
    const { repository } = created.json();
    assert.equal(repository.repositoryArn, 'arn:aws:ecr:eu-north-1:123456789012:repository/a/b');
    assert.equal(repository.repositoryUri, '123456789012.registry.example.com/a/b');
    const pushed = await http(`${server.url}/v2/new/name/blobs/uploads/`, { method: 'POST', headers: { Host } });
    assert.equal(pushed.status, 404);
  });

  it('takes the region from AWS_REGION when nothing else names one', async () => {
    await using theirs = await startServer({ env: { AWS_REGION: 'ap-south-1' } });
    assert.equal(await regionOf(theirs.url), 'ap-south-1 000000000000');
    await using ours = await startServer({ env: { AWS_REGION: 'ap-south-1', GANTRY_REGION: 'eu-west-3' } });
    assert.equal(await regionOf(ours.url), 'eu-west-3 000000000000');
  });

  const contradictions: [words: string[], env: Record<string, string>, said: RegExp][] = [
    [['--port', '65536'], {}, /--port \(GANTRY_PORT\) must be a port from 0 to 65535, not '65536'/],
    [[], { GANTRY_PORT: 'http' }, /--port \(GANTRY_PORT\) must be a port from 0 to 65535, not 'http'/],
    [['--account-id', '12'], {}, /--account-id \(GANTRY_ACCOUNT_ID\) must be twelve digits, not '12'/],
    [['--region', 'Mars!'], {}, /--region \(GANTRY_REGION\) must be a region/],
    [['--log-level', 'loud'], {}, /--log-level \(GANTRY_LOG_LEVEL\) must be one of debug, info/],
    [['--public-url', 'example.com'], {}, /--public-url \(GANTRY_PUBLIC_URL\) must be scheme and host/],
    [[], { GANTRY_EPHEMERAL: 'perhaps' }, /--ephemeral \(GANTRY_EPHEMERAL\) must be true or false, not 'perhaps'/],
    [['--ephemeral', '--data', 'x'], {}, /give one of them/],
    [['--ephemeral', '--archive-dir', 'x'], {}, /there is no --archive-dir/],
    [['--stop-seconds', '-1'], {}, /--stop-seconds \(GANTRY_STOP_SECONDS\) must be a whole number, not '-1'/],
  ];
  for (const [words, env, said] of contradictions) {
    it(`refuses ${[...words, ...Object.entries(env).map((pair) => pair.join('='))].join(' ')} with exit code 1`, async () => {
      const { code, stderr } = await gantry(['serve', ...words], env);
      assert.match(stderr, said);
      assert.equal(code, 1);
    });
  }

  it('listens beyond loopback and admits everybody only when told that this is meant', async () => {
    await using folder = await temporaryFolder();
    for (const host of ['0.0.0.0', '::', '192.0.2.1', 'registry.example.com']) {
      const words = ['--host', host, '--port', '0', '--data', folder.path];
      const { code, stderr } = await gantry(['serve', '--auth', 'open', ...words]);
      assert.equal(code, 1);
      assert.match(stderr, /Every caller is admitted.*--insecure-open/);
    }
    const open = ['--port', '0', '--ephemeral', '--insecure-open'];
    const { stderr } = await gantry(['serve', '--host', '192.0.2.1', ...open]);
    assert.match(stderr, /This machine has no address 192\.0\.2\.1/);
  });

  it('says that its port is taken', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    const { code, stderr } = await gantry(['serve', '--ephemeral', '--port', `${port}`]);
    other.close();
    assert.equal(code, 1);
    assert.equal(
      stderr,
      `gantry: Port ${port} of 127.0.0.1 is taken. Choose another with --port, or 0 for any free one.\n`,
    );
  });

  it('refuses a folder on which another server works', async () => {
    await using first = await startServer();
    const { code, stderr } = await gantry(['serve', '--port', '0', '--data', first.data]);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^gantry: Another server works on this data folder \(it holds .*serve\.lock\)\. Stop it, or .*--data\n$/,
    );
    assert.equal((await http(`${first.url}/readyz`)).status, 200);
  });

  const skip = needsFolder('looks at the modes of gantry.db');
  it('keeps everything in a folder for its owner alone, and has it again after a restart', { skip }, async () => {
    await using folder = await temporaryFolder();
    const image = randomImage();
    for (const isFirst of [true, false]) {
      await using server = await startServer({ data: join(folder.path, 'a', 'b') });
      if (isFirst) await pushImage(server.url, 'kept/image', 'latest', image);
      const pulled = await http(`${server.url}/v2/kept/image/manifests/latest`);
      assert.deepEqual(pulled.body, image.manifest.bytes);
      for (const name of ['', 'gantry.db', 'gantry.db-wal']) {
        assert.equal(statSync(join(server.data, name)).mode & 0o077, 0, name);
      }
      assert.equal(await server.stop(), 0);
    }
  });

  it('refuses facts that a newer version wrote, in a sentence, and leaves them alone', { skip }, async () => {
    await using server = await startServer();
    await server.stop();
    const forms = (change?: string) => {
      using database = new DatabaseSync(join(server.data, 'gantry.db'));
      if (change !== undefined) database.exec(change);
      return database.prepare('select version, applied_at from migrations order by version').all();
    };
    const before = forms('insert into migrations (version, applied_at) values (1000, 7)');
    for (const words of [['serve', '--port', '0'], ['verify']]) {
      const { code, stderr } = await gantry([...words, '--data', server.data]);
      assert.equal(code, 1);
      assert.match(
        stderr,
        /^gantry: The metadata store has form 1000, and this Gantry knows .* start the newer Gantry.*\n$/,
      );
    }
    assert.deepEqual(forms(), before);
  });

  it('keeps nothing with --ephemeral', async () => {
    await using folder = await temporaryFolder();
    const words = [join(checkout, 'bin', 'gantry.js'), 'serve', '--ephemeral', '--port', '0'];
    const child = spawn(pinnedNode, words, {
      cwd: folder.path,
      env: cleanEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const closed = once(child, 'close');
    const [said] = await once(child.stdout, 'data');
    assert.match(String(said), /data in memory only/);
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(String(said))?.[0] ?? '';
    await pushImage(url, 'forgotten/image', 'latest', randomImage());
    child.kill('SIGTERM');
    assert.deepEqual(await closed, [0, null]);
    assert.deepEqual(readdirSync(folder.path), []);
  });
});
