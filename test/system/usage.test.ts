import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { pushImage, randomImage } from '../support/images.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { ecrClient, refused } from './aws-client.ts';
import { gantryOn, refusalOn } from './gantry-command.ts';

const layerBytes = [1000, 2000];

describe('quotas and gantry usage', () => {
  let server: RunningServer;
  before(async () => {
    server = await startServer({
      args: [
        ...['--quota', 'images-per-repository=2', '--quota', 'repositories-per-registry=3'],
        ...['--quota', 'pull-through-cache-rules=1,replication-destinations=1'],
      ],
      env: { GANTRY_QUOTAS: 'images-per-repository=1' },
    });
  });
  after(() => server[Symbol.asyncDispose]());

  it('are kept to on both faces, and say how to raise them', async () => {
    const ecr = ecrClient(server.url);
    const [shared, other, third] = [randomImage(layerBytes), randomImage([5000]), randomImage([10])];
    for (const tag of ['v1', 'latest']) await pushImage(server.url, 'team/app', tag, shared);
    await pushImage(server.url, 'team/app', 'v2', other);
    await pushImage(server.url, 'copy', 'v1', shared);
    await assert.rejects(pushImage(server.url, 'team/app', 'v3', third), /403.*DENIED.*images-per-repository/s);
    const put = ecr.putImage({ repositoryName: 'team/app', imageManifest: third.manifest.bytes.toString() });
    await refused(
      put,
      'LimitExceededException',
      "The repository with name 'team/app' in the registry with id '000000000000' can have at most 2 images (quota images-per-repository; an operator raises it with --quota images-per-repository=NUMBER)",
    );
    await ecr.createRepository({ repositoryName: 'third', tags: [{ Key: 'a', Value: 'b' }] });
    await refused(
      ecr.createRepository({ repositoryName: 'fourth' }),
      'LimitExceededException',
      "The registry with id '000000000000' in us-east-1 can have at most 3 repositories (quota repositories-per-registry; an operator raises it with --quota repositories-per-registry=NUMBER)",
    );
  });

  it('bound the rules of a registry too', async () => {
    const ecr = ecrClient(server.url);
    const to = (...regions: string[]) => ({
      rules: [{ destinations: regions.map((region) => ({ region, registryId: '000000000000' })) }],
    });
    await ecr.putReplicationConfiguration({ replicationConfiguration: to('us-west-1') });
    await refused(
      ecr.putReplicationConfiguration({ replicationConfiguration: to('us-west-1', 'us-west-2') }),
      'InvalidParameterException',
      /more than 1 unique destinations; this one has 2/,
    );
    const rule = (ecrRepositoryPrefix: string) => ({ ecrRepositoryPrefix, upstreamRegistryUrl: 'quay.io' });
    await ecr.createPullThroughCacheRule(rule('one'));
    await refused(
      ecr.createPullThroughCacheRule(rule('two')),
      'LimitExceededException',
      /can have at most 1 pull through cache rules \(quota pull-through-cache-rules; /,
    );
  });

  it('are told beside the server, for people and for programs', async () => {
    const gantry = gantryOn(server.data);
    const quotas = ['--quota', 'images-per-repository=2,repositories-per-registry=3'];
    const { quotas: uses, repositories, total, registry } = JSON.parse(await gantry('usage', '--json', ...quotas));
    assert.deepEqual(registry, { accountId: '000000000000', region: 'us-east-1' });
    const use = (wanted: string) => uses.find(({ name }: { name: string }) => name === wanted);
    assert.deepEqual(use('images-per-repository'), {
      name: 'images-per-repository',
      limit: 2,
      used: 2,
      repositoryName: 'team/app',
    });
    assert.deepEqual(use('repositories-per-registry'), { name: 'repositories-per-registry', limit: 3, used: 3 });
    assert.deepEqual(use('repository-tags'), { name: 'repository-tags', limit: 50, used: 1, repositoryName: 'third' });
    assert.equal(use('tags-per-image').used, 2);
    assert.deepEqual(use('lifecycle-rules'), { name: 'lifecycle-rules', limit: 50, used: 0 });
    assert.equal(use('layer-bytes').used, 5000);
    assert.equal(use('pull-through-cache-rules').used, 1);
    assert.equal(use('replication-destinations').used, 1);
    const [copy, app, third] = repositories;
    assert.deepEqual(
      [copy, app, third].map(({ repositoryName, images, tags }) => [repositoryName, images, tags]),
      [
        ['copy', 1, 1],
        ['team/app', 2, 3],
        ['third', 0, 0],
      ],
    );
    // The layer that could not be used by an image was stored all the same, with its config.
    assert.ok(app.storedBytes > app.logicalBytes && app.logicalBytes > 8000, JSON.stringify(app));
    assert.equal(total.images, 3);
    assert.equal(total.storedBytes, app.storedBytes);
    assert.equal(total.logicalBytes, copy.logicalBytes + app.logicalBytes);
    assert.equal(total.savedBytes, total.logicalBytes - total.storedBytes);
    const text = await gantry('usage', ...quotas);
    assert.match(text, /^Registry 000000000000 in us-east-1\n/);
    assert.match(text, /^images-per-repository +2 +2 +100\.0 % +team\/app$/m);
    assert.match(text, /^team\/app +2 +0 +3 +/m);
    assert.match(text, /^3 repositories with 3 images \(0 archived\) and 4 tags; /m);
  });

  it('of another registry name those that have something', async () => {
    const text = await gantryOn(server.data)('usage', '--account', '111122223333', '--region', 'eu-west-1');
    assert.match(text, /^Registry 111122223333 in eu-west-1\n/);
    assert.match(text, /\n {2}gantry usage --account 000000000000 --region us-east-1\n$/);
  });

  it('with a name or number that there is not are refused', async () => {
    const refusal = refusalOn(server.data);
    const unknown = await refusal('usage', '--quota', 'images=3');
    assert.match(unknown, /--quota \(GANTRY_QUOTAS\) names 'images', which is no quota; there are .*tags-per-image/);
    for (const pair of ['tags-per-image', 'tags-per-image=', 'tags-per-image=-1', 'tags-per-image=many']) {
      assert.match(await refusal('usage', '--quota', pair), /must be name=number such as tags-per-image=2000, not '/);
    }
    await assert.rejects(startServer({ args: ['--quota', 'images=3'] }), /which is no quota/);
  });
});
