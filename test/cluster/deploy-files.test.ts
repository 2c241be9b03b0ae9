import assert from 'node:assert/strict';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { SERVE_SETTINGS } from '../../src/config/settings.ts';
import { commandOf, configurationOf, freePort } from '../support/balancer.ts';
import { findProgram, type Ran, run, runAny } from '../support/programs.ts';
import { checkout } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const CHART = join(checkout, 'deploy', 'helm', 'gantry');
const BALANCERS = ['deploy/haproxy/haproxy.cfg', 'deploy/nginx/nginx.conf'];

/** Secrets have no flags. */
const WITHOUT_FLAG = [
  'GANTRY_ROOT_ACCESS_KEY_ID',
  'GANTRY_ROOT_SECRET_ACCESS_KEY',
  'GANTRY_S3_ACCESS_KEY_ID',
  'GANTRY_S3_SECRET_ACCESS_KEY',
];
/** Of the compose file: names of the image of a node. */
const OF_COMPOSE = ['GANTRY_IMAGE'];

/** Why there is nothing to try; never in CI. */
function without(program: string): string | false {
  return findProgram(program) === undefined && process.env.CI !== 'true' ? `${program} not found` : false;
}

describe('deploy/', () => {
  it('names no variable and no flag that serve does not have', () => {
    const variables = new Set<string>(SERVE_SETTINGS.map(({ variable }) => variable));
    for (const name of [...WITHOUT_FLAG, ...OF_COMPOSE]) variables.add(name);
    const flags = new Set<string>(['help', ...SERVE_SETTINGS.map(({ flag }) => flag)]);
    const files = globSync('deploy/**/*.*', { cwd: checkout }).concat('deploy/docker/Dockerfile');
    assert.ok(files.length > 10);
    let found = 0;
    for (const file of files) {
      const text = readFileSync(join(checkout, file), 'utf8');
      for (const [name] of text.matchAll(/\bGANTRY_[A-Z0-9_]+/g)) {
        assert.ok(variables.has(name), `${file} names ${name}`);
        found++;
      }
      // The others name flags of other programs too.
      if (!BALANCERS.includes(file) && !file.startsWith('deploy/helm/')) continue;
      for (const [, flag = ''] of text.matchAll(/(?<![\w-])--([a-z][a-z-]+)/g)) {
        assert.ok(flags.has(flag), `${file} names --${flag}`);
        found++;
      }
    }
    assert.ok(found > 40, `${found} names`);
  });

  for (const kind of ['haproxy', 'nginx'] as const) {
    it(`has a configuration that ${kind} takes`, { skip: without(kind) }, async () => {
      await using folder = await temporaryFolder();
      const file = join(folder.path, 'configuration');
      writeFileSync(file, configurationOf(kind, await freePort(), [1, 2, 3], folder.path));
      const { code, stderr } = await runAny(commandOf(kind, file, true));
      assert.equal(code, 0, stderr);
      assert.doesNotMatch(stderr, /warn/i);
    });
  }
});

describe('the Helm chart', { skip: without('helm') }, () => {
  const needed = {
    publicUrl: 'https://registry.example.com',
    'database.url': 'postgres://gantry:secret@db/gantry',
    'blobs.url': 's3://layers/registry?region=eu-central-1',
    'keyFile.content': 'AAAA',
    'rootKey.accessKeyId': 'AKIAABCDEFGHIJKLMNOP',
    'rootKey.secretAccessKey': 'secret',
  };
  const set = (values: Record<string, string>) =>
    Object.entries(values).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
  const helm = (...words: string[]): Promise<Ran> => runAny([findProgram('helm')!, ...words]);
  const rendered = (values: Record<string, string> = {}): Promise<string> =>
    run([findProgram('helm')!, 'template', 'registry', CHART, ...set({ ...needed, ...values })]);

  it('is well formed', async () => {
    const { code, stdout, stderr } = await helm('lint', '--strict', CHART, ...set(needed));
    assert.equal(code, 0, stdout + stderr);
  });

  for (const name of Object.keys(needed)) {
    it(`is not rendered without ${name}`, async () => {
      const { [name as keyof typeof needed]: _, ...others } = needed;
      const { code, stderr } = await helm('template', 'registry', CHART, ...set(others));
      assert.equal(code, 1);
      assert.match(stderr, new RegExp(`${name.split('.')[0]}.* needed`));
    });
  }

  it('asks nodes whether they are ready, never ends them for lack of it, and makes three that nobody sticks to', async () => {
    const text = await rendered();
    assert.match(text, /^ {2}replicas: 3$/m);
    assert.match(text, /readinessProbe:\s+httpGet: \{ path: \/readyz/);
    assert.match(text, /livenessProbe:\s+httpGet: \{ path: \/healthz/);
    assert.match(text, /sessionAffinity: None/);
    assert.match(text, /kind: PodDisruptionBudget.*maxUnavailable: 1/s);
    assert.match(text, /maxSurge: 1\s+maxUnavailable: 0/);
    assert.match(text, /readOnlyRootFilesystem: true/);
    assert.doesNotMatch(text, /kind: Ingress/);
  });

  it('gives a pod longer to end than its server takes', async () => {
    const text = await rendered({ stopSeconds: '300', drainSeconds: '20' });
    const grace = Number(/terminationGracePeriodSeconds: (\d+)/.exec(text)?.[1]);
    assert.match(text, /name: GANTRY_STOP_SECONDS\s+value: "300"/);
    assert.match(text, /preStop:\s+exec:\s+command: \[sleep, "20"\]/);
    assert.ok(grace > 320, `${grace} s`);
  });

  it('keeps secrets in its Secret alone, or in those that there are', async () => {
    const text = await rendered({ 'blobs.accessKeyId': 'id', 'blobs.secretAccessKey': 'hidden-of-bucket' });
    for (const secret of ['postgres://gantry:secret@db/gantry', 'hidden-of-bucket']) {
      assert.equal(text.split(secret).length, 2, secret);
    }
    const existing = await rendered({
      'database.existingSecret': 'theirs-1',
      'keyFile.existingSecret': 'theirs-2',
      'rootKey.existingSecret': 'theirs-3',
      'blobs.existingSecret': 'theirs-4',
    });
    assert.doesNotMatch(existing, /postgres:\/\/|AKIAABC/);
    assert.match(existing, /secretName: theirs-2/);
    const references = [...existing.matchAll(/secretKeyRef:\s+name: (\S+)\s+key: (\S+)/g)].map(([, name, key]) =>
      [name, key].join(' '),
    );
    assert.deepEqual(references, [
      'theirs-1 database-url',
      'theirs-4 access-key-id',
      'theirs-4 secret-access-key',
      'theirs-3 access-key-id',
      'theirs-3 secret-access-key',
    ]);
  });

  it('passes other settings on, and an ingress where one is wanted', async () => {
    const hosts = { 'ingress.enabled': 'true', 'ingress.hosts[0]': 'registry.example.com' };
    const text = await rendered({ ...hosts, 'settings.GANTRY_AUDIT': 'off', 'trustedProxies[0]': '10.0.0.0/8' });
    assert.equal([...text.matchAll(/name: GANTRY_AUDIT\n/g)].length, 1);
    assert.match(text, /name: GANTRY_AUDIT\s+value: "off"/);
    assert.match(text, /name: GANTRY_TRUSTED_PROXY\s+value: "10\.0\.0\.0\/8"/);
    assert.match(text, /kind: Ingress.*proxy-body-size: "0".*host: "registry\.example\.com"/s);
  });
});
