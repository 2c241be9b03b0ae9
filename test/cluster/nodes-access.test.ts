import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { basic, type Credentials, ecrCall, passwordOf } from '../support/access.ts';
import { http } from '../support/http.ts';
import { pushImage, randomImage } from '../support/images.ts';
import { until } from '../system/until.ts';
import { type Cluster, startCluster, whyNoCluster } from './nodes-cluster.ts';

const repository = 'team/app';
const MANAGED = 'AmazonEC2ContainerRegistryPowerUser';

describe('who may do what on several nodes', { skip: whyNoCluster() }, () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await startCluster({ args: ['--auth', 'enforced', '--create-on-push'] });
  });
  after(() => cluster?.[Symbol.asyncDispose]());

  it('a token that one node made is good on all, also when that node is gone and when they have started anew', async () => {
    const [first] = cluster.nodes;
    const password = await passwordOf(first!.url, cluster.root);
    await pushImage(cluster.url, repository, 'latest', randomImage(), basic(password));
    assert.deepEqual(await pulls(password), [200, 200, 200]);
    for (const node of cluster.nodes) {
      await node.kill();
      await node.start();
    }
    assert.deepEqual(await pulls(password), [200, 200, 200]);
    assert.equal((await http(`${cluster.url}/v2/`, { headers: basic(password) })).status, 200);
  });

  for (const end of ['delete', 'disable']) {
    it(`after key ${end} no node takes the key, nor the password that it was given`, async () => {
      const key = await userWithKey(`user-${end}`);
      const passwords = await Promise.all(cluster.nodes.map(({ url }) => passwordOf(url, key)));
      for (const password of passwords) assert.deepEqual(await pulls(password), [200, 200, 200]);
      await gantry('key', end, key.accessKeyId);
      await untilAll('UnrecognizedClientException', () => calls(key));
      for (const password of passwords) await untilAll(401, () => pulls(password));
    });
  }

  it('a user who is deleted has tokens that no node takes', async () => {
    const key = await userWithKey('leaver');
    const password = await passwordOf(cluster.nodes[2]!.url, key);
    assert.deepEqual(await pulls(password), [200, 200, 200]);
    await gantry('user', 'delete', 'leaver');
    await untilAll(401, () => pulls(password));
    await untilAll('UnrecognizedClientException', () => calls(key));
  });

  it('a robot token is good on all of them, and revoked on all', async () => {
    await userWithKey('owner');
    const made = await gantry('token', 'create', '--principal', 'user/owner', '--actions', 'pull', '--json');
    const { password, id } = JSON.parse(made);
    await untilAll(200, () => pulls(password));
    await gantry('token', 'revoke', id);
    await untilAll(401, () => pulls(password));
  });

  it('a policy that is taken away is so on all', async () => {
    const key = await userWithKey('demoted');
    await gantry('policy', 'detach', '--user', 'demoted', '--managed', MANAGED);
    await untilAll('AccessDeniedException', () => calls(key));
  });

  /** What each node answers to a pull with this password. */
  function pulls(password: string): Promise<number[]> {
    const path = `/v2/${repository}/manifests/latest`;
    return Promise.all(
      cluster.nodes.map(async ({ url }) => (await http(url + path, { headers: basic(password) })).status),
    );
  }

  /** The same for a call of the API: the name of the refusal, undefined when there is none. */
  function calls(key: Credentials): Promise<(string | undefined)[]> {
    const ask = async ({ url }: { url: string }) => (await ecrCall(url, 'DescribeRepositories', {}, key)).json().__type;
    return Promise.all(cluster.nodes.map(ask));
  }

  /** Nodes ask twice a second whether anything changed. */
  function untilAll<T>(expected: T, ask: () => Promise<T[]>): Promise<void> {
    return until(async () => (await ask()).every((answer) => answer === expected));
  }

  async function gantry(...words: string[]): Promise<string> {
    const { code, stdout, stderr } = await cluster.gantry(words);
    assert.equal(code, 0, stderr);
    return stdout;
  }

  /** Every node takes the key when this resolves. */
  async function userWithKey(name: string): Promise<Credentials> {
    await gantry('user', 'create', name);
    await gantry('policy', 'attach', '--user', name, '--managed', MANAGED);
    const key: Credentials = JSON.parse(await gantry('key', 'create', '--user', name, '--json'));
    await untilAll(undefined, () => calls(key));
    return key;
  }
});
