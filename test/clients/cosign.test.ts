import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { awsCall } from '../support/aws-call.ts';
import { describeClient } from '../support/client.ts';
import { http } from '../support/http.ts';
import { pushImage, randomImage } from '../support/images.ts';
import { checkout, pinnedNode } from '../support/server.ts';

const SIGNATURE = 'application/vnd.dev.cosign.artifact.sig.v1+json';
const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const NOTARY = 'application/vnd.cncf.notary.signature';
const IMAGE_CONFIG = 'application/vnd.oci.image.config.v1+json';
const WAIT_SECONDS_MAX = 60;

/** As cosign signs without a log of transparency, in each of the places where it keeps signatures. */
const old = ['--use-signing-config=false', '--tlog-upload=false', '--new-bundle-format=false'];
const offline = ['--signing-config', 'none.json', '--trusted-root', 'root.json'];
const places = {
  tag: { sign: old, verify: ['--new-bundle-format=false'] },
  referrer: {
    sign: [...old, '--registry-referrers-mode=oci-1-1'],
    verify: ['--new-bundle-format=false', '--experimental-oci11'],
  },
  bundle: { sign: offline, verify: ['--trusted-root', 'root.json'] },
};

await describeClient('cosign', { programs: ['cosign'] }, (client) => {
  let outside: Awaited<ReturnType<typeof noWayOut>>;
  before(async () => {
    outside = await noWayOut();
    await cosign('generate-key-pair');
    await cosign('signing-config', 'create', '--out', 'none.json');
    await cosign('trusted-root', 'create', '--out', 'root.json');
    writeFileSync(join(client.home, 'predicate.json'), '{"checked":true}');
  });
  after(() => outside?.[Symbol.asyncDispose]());

  const gantry = (...words: string[]) =>
    client.run([pinnedNode, join(checkout, 'bin', 'gantry.js'), ...words, '--data', client.server.data]);
  const aws = async (operation: string, input: object) => {
    const answer = await awsCall(client.server.url, operation, input);
    assert.equal(answer.status, 200, answer.text());
    return answer.json();
  };

  /** Cosign as somebody runs it who has nothing but the registry. */
  const runCosign = (...words: string[]) => {
    const env = { COSIGN_PASSWORD: '', COSIGN_EXPERIMENTAL: '1', HTTP_PROXY: outside.url, HTTPS_PROXY: outside.url };
    return client.runAny(['cosign', ...words], { env });
  };
  async function cosign(...words: string[]): Promise<string> {
    const { code, stdout, stderr } = await runCosign(...words);
    assert.equal(code, 0, stderr);
    return stdout;
  }
  const sign = (reference: string, place: keyof typeof places) =>
    cosign('sign', '--yes', '--key', 'cosign.key', '--allow-http-registry', ...places[place].sign, reference);
  const verify = (reference: string, place: keyof typeof places) => {
    const words = ['--key', 'cosign.pub', '--insecure-ignore-tlog', '--allow-http-registry', ...places[place].verify];
    return runCosign('verify', ...words, reference);
  };

  async function pushed(tag = 'v1', repositoryName = `cosign/${randomUUID()}`) {
    await aws('CreateRepository', { repositoryName });
    const image = randomImage([100]);
    await pushImage(client.server.url, repositoryName, tag, image);
    const { digest } = image.manifest;
    const reference = `${client.server.host}/${repositoryName}@${digest}`;
    return { repositoryName, digest, reference };
  }

  const referrersOf = async (repositoryName: string, imageDigest: string): Promise<Referrer[]> =>
    (await aws('ListImageReferrers', { repositoryName, subjectId: { imageDigest } })).referrers;
  const listed = async (repositoryName: string): Promise<{ digest: string; image: string; kind: string }[]> =>
    JSON.parse(await gantry('signature', 'list', repositoryName, '--json'));

  it('signs under a tag and verifies, and ECR shows the tag', async () => {
    const { repositoryName, digest, reference } = await pushed();
    assert.notEqual((await verify(reference, 'tag')).code, 0, 'nothing is signed yet');
    await sign(reference, 'tag');
    const { code, stdout, stderr } = await verify(reference, 'tag');
    assert.equal(code, 0, stderr);
    assert.equal(JSON.parse(stdout)[0].critical.image['docker-manifest-digest'], digest);
    const tag = `${digest.replace(':', '-')}.sig`;
    const { imageIds } = await aws('ListImages', { repositoryName });
    assert.deepEqual(imageIds.map(({ imageTag }: { imageTag: string }) => imageTag).sort(), [tag, 'v1']);
    const { imageDetails } = await aws('DescribeImages', { repositoryName, imageIds: [{ imageTag: tag }] });
    const [{ imageDigest, imageTags, artifactMediaType, subjectManifestDigest }] = imageDetails;
    // A type of its own it has not: to ECR it is an image beside the other.
    assert.deepEqual([imageTags, artifactMediaType, subjectManifestDigest], [[tag], IMAGE_CONFIG, undefined]);
    assert.deepEqual(await referrersOf(repositoryName, digest), []);
    assert.deepEqual((await listed(repositoryName)).map(brief), [{ digest: imageDigest, image: digest }]);
  });

  for (const [place, artifactType] of [
    ['referrer', SIGNATURE],
    ['bundle', BUNDLE],
  ] as const) {
    it(`signs as a ${place} and verifies, and ECR lists it beside the image`, async () => {
      const { repositoryName, digest, reference } = await pushed();
      await sign(reference, place);
      const { code, stdout, stderr } = await verify(reference, place);
      assert.equal(code, 0, stderr);
      assert.equal(JSON.parse(stdout)[0].critical.image['docker-manifest-digest'], digest);
      const [found, ...others] = await referrersOf(repositoryName, digest);
      assert.deepEqual([found?.artifactType, found?.artifactStatus, others], [artifactType, 'ACTIVE', []]);
      const { imageIds } = await aws('ListImages', { repositoryName, filter: { tagStatus: 'UNTAGGED' } });
      assert.deepEqual(imageIds, [{ imageDigest: found?.digest }]);
      const { imageDetails } = await aws('DescribeImages', { repositoryName, imageIds });
      assert.equal(imageDetails[0].subjectManifestDigest, digest);
      assert.deepEqual((await listed(repositoryName)).map(brief), [{ digest: found?.digest, image: digest }]);
    });
  }

  it('does not verify an image that was signed by another key, or not at all', async () => {
    const { repositoryName, reference } = await pushed();
    await sign(reference, 'bundle');
    await cosign('generate-key-pair', '--output-key-prefix', 'other');
    const words = ['--insecure-ignore-tlog', '--allow-http-registry', ...places.bundle.verify, reference];
    assert.notEqual((await runCosign('verify', '--key', 'other.pub', ...words)).code, 0);
    const image = randomImage([100]);
    await pushImage(client.server.url, repositoryName, 'v2', image);
    const unsigned = `${client.server.host}/${repositoryName}@${image.manifest.digest}`;
    assert.notEqual((await verify(unsigned, 'bundle')).code, 0);
  });

  it('attests, and attestations are no signatures', async () => {
    const { repositoryName, digest, reference } = await pushed();
    await sign(reference, 'bundle');
    const words = ['--yes', '--key', 'cosign.key', '--allow-http-registry', '--type', 'custom', '--predicate'];
    await cosign('attest', ...words, 'predicate.json', ...offline, reference);
    await cosign('attest', ...words, 'predicate.json', ...old, reference);
    assert.equal((await referrersOf(repositoryName, digest)).length, 2);
    assert.deepEqual(
      (await listed(repositoryName)).map(({ image }) => image),
      [digest],
    );
    assert.deepEqual((await listed(`${repositoryName}@${digest}`)).length, 1);
  });

  it("is not signed by the registry's rule, and does not count for a gate that asks for its profile", async () => {
    const { repositoryName, reference } = await pushed();
    const pull = async (url: string) => (await http(url)).status;
    const url = `${client.server.url}/v2/${repositoryName}/manifests/v1`;
    const profile = `p${randomUUID().replaceAll('-', '')}`;
    const { arn } = JSON.parse(await gantry('signer', 'create', profile, '--json'));
    const repositoryFilters = [{ filter: repositoryName, filterType: 'WILDCARD_MATCH' }];
    const signingConfiguration = { rules: [{ signingProfileArn: arn, repositoryFilters }] };
    await aws('PutSigningConfiguration', { signingConfiguration });
    for (const place of ['tag', 'referrer', 'bundle'] as const) await sign(reference, place);
    await gantry('gate', 'set', repositoryName, '--signed-by', profile);
    await until(async () => (await pull(url)) === 403);

    const image = randomImage([100]);
    await pushImage(client.server.url, repositoryName, 'v2', image);
    await until(async () => (await pull(url.replace(/v1$/, 'v2'))) === 200);
    const kinds = (await listed(repositoryName)).map(({ kind, image: of }) => [kind, of === image.manifest.digest]);
    assert.deepEqual(kinds.sort(), [
      ['cosign', false],
      ['cosign', false],
      ['cosign', false],
      ['notary', true],
    ]);
    for (const place of ['tag', 'referrer', 'bundle'] as const) {
      const { code, stderr } = await verify(reference, place);
      // Its tag's manifest has the config of an image and counts as one, so that the gate holds it back.
      assert.equal(code === 0, place !== 'tag', stderr);
    }
    const notary = (await referrersOf(repositoryName, image.manifest.digest)).map(({ artifactType }) => artifactType);
    assert.deepEqual(notary, [NOTARY]);
  });

  it('asks nobody but the registry', () => assert.deepEqual(outside.asked, []));
});

interface Referrer {
  readonly digest: string;
  readonly artifactType: string;
  readonly artifactStatus: string;
}

function brief({ digest, image }: { digest: string; image: string }) {
  return { digest, image };
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + WAIT_SECONDS_MAX * 1000; !(await isSo()); await sleep(50)) {
    assert.ok(performance.now() < end);
  }
}

/** A proxy for all but this machine that lets nothing through and notes what was asked of it. */
async function noWayOut() {
  const asked: string[] = [];
  const proxy = createServer((request, response) => {
    asked.push(String(request.url));
    response.writeHead(502).end();
  });
  proxy.on('connect', ({ url }, socket) => {
    asked.push(String(url));
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}
