import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { CreatePullThroughCacheRuleCommandInput, ECR } from '@aws-sdk/client-ecr';
import { eventually, pull, putSecret, randomImage, recorded } from '../support/caching-world.ts';
import { http } from '../support/http.ts';
import { type ScriptedRegistry, startScripted } from '../support/scripted-registry.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { ecrClient, refused } from './aws-client.ts';
import { type Gantry, gantryOn, refusalOn } from './gantry-command.ts';

const account = '000000000000';
const secretArn = (ending: string) =>
  `arn:aws:secretsmanager:us-east-1:${account}:secret:ecr-pullthroughcache/${ending}`;

describe('rules of the pull-through cache', () => {
  let server: RunningServer;
  let upstream: ScriptedRegistry;
  let ecr: ECR;
  let gantry: Gantry;
  before(async () => {
    upstream = await startScripted();
    server = await startServer({ args: ['--allow-private-upstreams'] });
    ecr = ecrClient(server.url, { accessKeyId: account });
    gantry = gantryOn(server.data);
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
  });

  const secret = (name: string, password: string) => putSecret(server.data, name, 'u', password);

  it('are made, shown, changed and deleted', async () => {
    const made = await ecr.createPullThroughCacheRule({ ecrRepositoryPrefix: 'qq/', upstreamRegistryUrl: 'quay.io' });
    const expected = {
      ecrRepositoryPrefix: 'qq',
      upstreamRegistryUrl: 'quay.io',
      upstreamRegistry: 'quay',
      registryId: account,
    };
    const { $metadata: _, createdAt, ...rest } = made;
    assert.deepEqual(rest, expected);
    const described = await ecr.describePullThroughCacheRules({ ecrRepositoryPrefixes: ['qq'] });
    assert.deepEqual(described.pullThroughCacheRules, [{ ...expected, createdAt, updatedAt: createdAt }]);
    const credentialArn = await secret('qq', 'p');
    const updated = await ecr.updatePullThroughCacheRule({ ecrRepositoryPrefix: 'qq', credentialArn });
    assert.deepEqual([updated.credentialArn, updated.upstreamRepositoryPrefix], [credentialArn, undefined]);
    const deleted = await ecr.deletePullThroughCacheRule({ ecrRepositoryPrefix: 'qq' });
    assert.deepEqual([deleted.credentialArn, deleted.upstreamRegistryUrl], [credentialArn, 'quay.io']);
    const missing = ecr.deletePullThroughCacheRule({ ecrRepositoryPrefix: 'qq' });
    await refused(
      missing,
      'PullThroughCacheRuleNotFoundException',
      /prefix 'qq' does not exist in the registry with id/,
    );
  });

  it('are listed page by page', async () => {
    const prefixes = ['list/a', 'list/b', 'list/c'];
    for (const ecrRepositoryPrefix of prefixes) {
      await ecr.createPullThroughCacheRule({ ecrRepositoryPrefix, upstreamRegistryUrl: 'public.ecr.aws' });
    }
    const first = await ecr.describePullThroughCacheRules({ maxResults: 2 });
    const second = await ecr.describePullThroughCacheRules({ maxResults: 2, nextToken: first.nextToken });
    const found = [...(first.pullThroughCacheRules ?? []), ...(second.pullThroughCacheRules ?? [])];
    assert.deepEqual(
      found.map((rule) => rule.ecrRepositoryPrefix),
      prefixes,
    );
    assert.equal(second.nextToken, undefined);
    const one = { ecrRepositoryPrefixes: ['list/a', 'none'] };
    await refused(ecr.describePullThroughCacheRules(one), 'PullThroughCacheRuleNotFoundException', /'none'/);
    for (const ecrRepositoryPrefix of prefixes) await ecr.deletePullThroughCacheRule({ ecrRepositoryPrefix });
  });

  type Rule = Partial<CreatePullThroughCacheRuleCommandInput>;
  const refusals: [what: string, name: string, message: RegExp | string, rule: Rule][] = [
    [
      'an upstream that needs credentials without any',
      'UnsupportedUpstreamRegistryException',
      'The specified upstream registry requires authentication',
      { upstreamRegistryUrl: 'registry-1.docker.io' },
    ],
    [
      'an address that is not the named upstream',
      'UnsupportedUpstreamRegistryException',
      /'quay\.io' is not one of the upstream registry 'k8s'/,
      { upstreamRegistryUrl: 'quay.io', upstreamRegistry: 'k8s' },
    ],
    [
      'an address that is none',
      'InvalidParameterException',
      /upstreamRegistryUrl.*must be the host of a registry/,
      { upstreamRegistryUrl: 'https://user:pass@quay.io' },
    ],
    [
      'an upstream prefix at the root',
      'InvalidParameterException',
      /upstreamRepositoryPrefix/,
      { ecrRepositoryPrefix: 'ROOT', upstreamRegistryUrl: 'quay.io', upstreamRepositoryPrefix: 'theirs' },
    ],
    [
      'a role for another registry than ECR',
      'InvalidParameterException',
      /customRoleArn/,
      { upstreamRegistryUrl: 'quay.io', customRoleArn: `arn:aws:iam::${account}:role/pull` },
    ],
    [
      'a secret that is not there',
      'SecretNotFoundException',
      /does not exist/,
      { upstreamRegistryUrl: 'ghcr.io', credentialArn: secretArn('none-abcdef') },
    ],
    [
      'a secret of another region',
      'UnableToAccessSecretException',
      /another account or region/,
      { upstreamRegistryUrl: 'ghcr.io', credentialArn: secretArn('none-abcdef').replace('us-east-1', 'eu-west-1') },
    ],
  ];
  for (const [what, name, message, rule] of refusals) {
    it(`are refused with ${what}`, async () => {
      const input = { ecrRepositoryPrefix: 'bad', upstreamRegistryUrl: '', ...rule };
      await refused(ecr.createPullThroughCacheRule(input), name, message);
    });
  }

  it('are one for each prefix, and fifty at most', async () => {
    const rule = (ecrRepositoryPrefix: string) => ({ ecrRepositoryPrefix, upstreamRegistryUrl: 'quay.io' });
    for (let at = 0; at < 50; at += 1) await ecr.createPullThroughCacheRule(rule(`n${at}`));
    await refused(
      ecr.createPullThroughCacheRule(rule('n51')),
      'LimitExceededException',
      /at most 50 pull through cache/,
    );
    const twice = ecr.createPullThroughCacheRule(rule('n1/'));
    await refused(twice, 'PullThroughCacheRuleAlreadyExistsException', /prefix 'n1' already exists/);
    for (let at = 0; at < 50; at += 1) await ecr.deletePullThroughCacheRule({ ecrRepositoryPrefix: `n${at}` });
  });

  it('are validated by logging in', async () => {
    upstream.trouble(/ \/v2\/$/, ({ headers }, response) => {
      if (headers.authorization === `Basic ${btoa('u:good')}`) return response.end('{}');
      return response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="x"' }).end();
    });
    const ecrRepositoryPrefix = 'login';
    const validate = async () => {
      const { isValid, failure } = await ecr.validatePullThroughCacheRule({ ecrRepositoryPrefix });
      return [isValid, failure];
    };
    await ecr.createPullThroughCacheRule({ ecrRepositoryPrefix, upstreamRegistryUrl: upstream.url });
    assert.equal((await validate())[0], false);
    const [bad, good] = [await secret('bad', 'bad'), await secret('good', 'good')];
    await ecr.updatePullThroughCacheRule({ ecrRepositoryPrefix, credentialArn: bad });
    const [isValid, failure] = await validate();
    assert.equal(isValid, false);
    assert.match(String(failure), /login: it answered 401/);
    await ecr.updatePullThroughCacheRule({ ecrRepositoryPrefix, credentialArn: good });
    assert.deepEqual(await validate(), [true, undefined]);
    const list = await gantry('secret', 'list');
    assert.match(list, /good .*secret:ecr-pullthroughcache\/good-/);
    assert.doesNotMatch(list, /Basic/);
    assert.match(await gantry('secret', 'delete', 'good'), /The rule login still names it/);
    assert.match(await refusalOn(server.data)('secret', 'delete', 'good'), /no secret 'good'/);
    upstream.trouble(/ \/v2\/$/, undefined);
  });

  it('show what is cached, and have it looked at again', async () => {
    const world = { get: (path: string) => http(`${server.url}/v2/${path}`) };
    const file = join(server.data, 'events.jsonl');
    await gantry('events', 'target', 'add', 'file', 'file', file, '--detail-type', 'ECR Pull Through Cache Action');
    await ecr.createPullThroughCacheRule({ ecrRepositoryPrefix: 'seen', upstreamRegistryUrl: upstream.url });
    const [before, later] = [randomImage(), randomImage()];
    upstream.add('app', before, 'v1');
    await pull(world, 'seen/app', 'v1');
    await recorded({ ecr }, 'seen/app', before.manifest.digest);
    const status = JSON.parse(await gantry('cache', 'status', '--json'));
    const rule = status.rules.find(({ prefix }: { prefix: string }) => prefix === 'seen');
    assert.deepEqual([rule.repositories, rule.tags, status.imports.dead], [1, 1, 0]);
    assert.match(await gantry('cache', 'status'), /seen +http:\S+ +1 +1 +20/);
    upstream.add('app', later, 'v1');
    assert.match(await gantry('cache', 'refresh', 'seen/app'), /looks at the tag v1 upstream now/);
    await eventually(async () => {
      const { imageDetails } = await ecr.describeImages({ repositoryName: 'seen/app', imageIds: [{ imageTag: 'v1' }] });
      return imageDetails?.[0]?.imageDigest === later.manifest.digest ? true : undefined;
    });
    assert.match(
      await refusalOn(server.data)('cache', 'refresh', 'seen/app', 'none'),
      /no tag none that came from upstream/,
    );
  });

  it('tell of imports as ECR does', async () => {
    const [line] = await eventually(async () => {
      const lines = (await readFile(join(server.data, 'events.jsonl'), 'utf8')).trim().split('\n');
      return lines.length === 2 ? lines : undefined;
    });
    const event = JSON.parse(line ?? '');
    assert.deepEqual(event.resources, []);
    const { 'image-digest': digest, ...detail } = event.detail;
    assert.match(digest, /^sha256:/);
    assert.deepEqual(detail, {
      'rule-version': '1',
      'sync-status': 'SUCCESS',
      'ecr-repository-prefix': 'seen',
      'repository-name': 'seen/app',
      'upstream-registry-url': upstream.url,
      'image-tag': 'v1',
    });
  });
});
