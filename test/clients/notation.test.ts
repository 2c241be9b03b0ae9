import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { awsCall } from '../support/aws-call.ts';
import { type Client, describeClient } from '../support/client.ts';
import { http } from '../support/http.ts';
import { pushImage, randomImage } from '../support/images.ts';
import { checkout, pinnedNode } from '../support/server.ts';

const WAIT_SECONDS_MAX = 60;
const plain = '--insecure-registry';

await describeClient('notation', { programs: ['notation'] }, (client) => {
  const gantry = (...words: string[]) =>
    client.run([pinnedNode, join(checkout, 'bin', 'gantry.js'), ...words, '--data', client.server.data]);

  /** An image in a repository of its own, signed by a profile of its own. */
  async function signed(...options: string[]) {
    const profile = `p${randomUUID().replaceAll('-', '')}`;
    const repositoryName = `notation/${profile}`;
    const { arn } = JSON.parse(await gantry('signer', 'create', profile, '--json', ...options));
    const repositoryFilters = [{ filter: repositoryName, filterType: 'WILDCARD_MATCH' }];
    const signingConfiguration = { rules: [{ signingProfileArn: arn, repositoryFilters }] };
    await awsCall(client.server.url, 'PutSigningConfiguration', { signingConfiguration });
    await awsCall(client.server.url, 'CreateRepository', { repositoryName });
    const image = randomImage([100]);
    await pushImage(client.server.url, repositoryName, 'v1', image);
    await complete(client, repositoryName);
    const name = `${repositoryName}@${image.manifest.digest}`;
    return { profile, repositoryName, digest: image.manifest.digest, name, notation: await trusting(profile) };
  }

  /** Notation as somebody runs it who trusts a profile. */
  async function trusting(profile: string, ...options: string[]) {
    const home = join(client.home, randomUUID());
    mkdirSync(home);
    const run = (...words: string[]) => client.runAny(['notation', ...words], { env: { HOME: home } });
    const trust = join(home, 'trust');
    const { files } = JSON.parse(await gantry('signer', 'export-trust', profile, '--out', trust, '--json', ...options));
    for (const words of [
      ['cert', 'add', '--type', 'ca', '--store', profile, files.certificate],
      ['policy', 'import', files.trustPolicy],
    ]) {
      const { code, stderr } = await run(...words);
      assert.equal(code, 0, stderr);
    }
    return run;
  }

  for (const keyType of ['ec-256', 'ec-384', 'ec-521', 'rsa-2048', 'rsa-3072', 'rsa-4096']) {
    it(`takes what the registry signs by ${keyType}, and lists it`, async () => {
      const { name, repositoryName, digest, notation } = await signed('--key-type', keyType);
      for (const reference of [name, `${repositoryName}:v1`]) {
        const verified = await notation('verify', plain, `${client.server.host}/${reference}`);
        assert.match(verified.stdout, /Successfully verified signature/, verified.stderr);
        assert.ok(verified.stdout.includes(digest));
      }
      const { stdout } = await notation('ls', plain, `${client.server.host}/${name}`);
      assert.equal(stdout.match(/─ sha256:[0-9a-f]{64}/g)?.length, 1, stdout);
    });
  }

  it('does not take it from another signer under the same authority, or under another one', async () => {
    const { name } = await signed();
    const [neighbour, stranger] = [`n${randomUUID().slice(0, 8)}`, `s${randomUUID().slice(0, 8)}`];
    await gantry('signer', 'create', neighbour);
    const refusedBy = async (notation: Awaited<ReturnType<typeof trusting>>, words: RegExp) => {
      const { code, stderr } = await notation('verify', plain, `${client.server.host}/${name}`);
      assert.equal(code, 1);
      assert.match(stderr, words);
    };
    await refusedBy(await trusting(neighbour), /verification failed/i);
    await gantry('signer', 'create', stranger, '--account', '210987654321');
    await refusedBy(await trusting(stranger, '--account', '210987654321'), /verification failed/i);
  });

  it('refuses it once a byte of the image or of the signature was changed on the way', async () => {
    const { name, notation } = await signed();
    for (const changed of [/\/manifests\/sha256:/, /\/blobs\/sha256:/]) {
      await using proxy = await alteringProxy(client.server.url, changed);
      const { code, stdout, stderr } = await notation('verify', plain, `${proxy.host}/${name}`);
      assert.equal(code, 1, stdout);
      assert.doesNotMatch(stdout, /Successfully/);
      assert.match(stderr, /Error/);
      assert.ok(proxy.altered > 0);
    }
    const { code } = await notation('verify', plain, `${client.server.host}/${name}`);
    assert.equal(code, 0);
  });
});

async function complete({ server }: Client, repositoryName: string): Promise<void> {
  const end = performance.now() + WAIT_SECONDS_MAX * 1000;
  for (let status = ''; status !== 'COMPLETE'; await sleep(50)) {
    const answer = await awsCall(server.url, 'DescribeImageSigningStatus', {
      repositoryName,
      imageId: { imageTag: 'v1' },
    });
    status = answer.json().signingStatuses[0].status;
    assert.notEqual(status, 'FAILED');
    assert.ok(performance.now() < end);
  }
}

/** The registry, but with another first letter in what lies under some paths. */
async function alteringProxy(url: string, paths: RegExp) {
  let altered = 0;
  const proxy = createServer(async (request, response) => {
    const { url: path = '', method, headers } = request;
    const first = await http(`${url}${path}`, { method, headers });
    // A registry with its layers in a bucket gives a link to them.
    const link = first.status === 307 ? first.headers.location : undefined;
    const { status, headers: answered, body } = link === undefined ? first : await http(String(link));
    if (method === 'GET' && paths.test(path) && body.length > 0) {
      body[0] = body[0]! ^ 1;
      altered++;
    }
    response.writeHead(status, answered).end(body);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    get altered() {
      return altered;
    },
    async [Symbol.asyncDispose]() {
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}
