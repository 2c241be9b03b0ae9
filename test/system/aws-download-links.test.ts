import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { ECR } from '@aws-sdk/client-ecr';
import { http } from '../support/http.ts';
import { blobOf, digestOf, pushImage, randomImage } from '../support/images.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { ecrClient, refused, uploadLayer } from './aws-client.ts';

const repositoryName = 'links/app';

describe('links of GetDownloadUrlForLayer', () => {
  let server: RunningServer;
  let ecr: ECR;
  const image = randomImage([100_000]);
  const [layer = blobOf('')] = image.layers;
  const linkTo = async (layerDigest: string) =>
    String((await ecr.getDownloadUrlForLayer({ repositoryName, layerDigest })).downloadUrl);

  before(async () => {
    server = await startServer();
    ecr = ecrClient(server.url);
    await pushImage(server.url, repositoryName, 'latest', image);
  });
  after(() => server[Symbol.asyncDispose]());

  it('lead to the layer under the host that was asked, without credentials', async () => {
    const link = await linkTo(layer.digest);
    assert.ok(link.startsWith(`${server.url}/layers/`), link);
    const answer = await http(link);
    assert.equal(answer.status, 200);
    assert.ok(answer.body.equals(layer.bytes));
    assert.equal((await http(await linkTo(image.config.digest))).body.toString(), image.config.bytes.toString());
  });

  it('answer HEAD and ranges', async () => {
    const link = await linkTo(layer.digest);
    const head = await http(link, { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal(head.headers['content-length'], '100000');
    assert.equal(head.headers['accept-ranges'], 'bytes');
    const range = await http(link, { headers: { Range: 'bytes=99990-' } });
    assert.equal(range.status, 206);
    assert.equal(range.headers['content-range'], 'bytes 99990-99999/100000');
    assert.ok(range.body.equals(layer.bytes.subarray(99_990)));
    assert.equal((await http(link, { headers: { Range: 'bytes=100000-' } })).status, 416);
  });

  it('work for an hour', async () => {
    const expires = Number(/expires=(\d+)/.exec(await linkTo(layer.digest))?.[1]);
    assert.ok(Math.abs(expires - (Date.now() / 1000 + 3600)) < 60);
  });

  it('refuse with 403 whatever was changed in them', async () => {
    const link = await linkTo(layer.digest);
    const changed = [
      link.replace(/expires=(\d+)/, (_, seconds) => `expires=${Number(seconds) + 1}`),
      link.replace(layer.digest, image.config.digest),
      link.replace(repositoryName, 'links/other'),
      link.replace('us-east-1', 'eu-west-1'),
      link.replace(/signature=./, (start) => `signature=${start.endsWith('A') ? 'B' : 'A'}`),
      link.replace(/&signature=.*/, ''),
      link.replace(/&key=[^&]*/, '&key=nobody'),
      link.replace(/\?.*/, ''),
      `${link}x`,
      `${server.url}/layers/`,
      `${server.url}/layers/../v2/`,
    ];
    for (const url of changed) {
      const answer = await http(url);
      assert.equal(answer.status, 403, url);
      assert.equal(answer.headers['content-type'], 'text/plain; charset=utf-8');
      assert.match(answer.text(), /download link/);
    }
  });

  it('take GET and HEAD alone', async () => {
    const answer = await http(await linkTo(layer.digest), { method: 'POST', body: 'x' });
    assert.equal(answer.status, 405);
    assert.equal(answer.headers.allow, 'GET, HEAD');
  });

  it('answer 404 when the layer has gone', async () => {
    const gone = randomImage([500]);
    await pushImage(server.url, 'links/gone', 'latest', gone);
    const [first = blobOf('')] = gone.layers;
    const input = { repositoryName: 'links/gone', layerDigest: first.digest };
    const { downloadUrl } = await ecr.getDownloadUrlForLayer(input);
    await ecr.deleteRepository({ repositoryName: 'links/gone', force: true });
    assert.equal((await http(String(downloadUrl))).status, 404);
  });

  it('are not made for layers that no image uses, or that nobody has', async () => {
    const unused = blobOf(randomBytes(100));
    await uploadLayer(ecr, repositoryName, unused);
    const name = 'LayerInaccessibleException';
    await refused(
      linkTo(unused.digest),
      name,
      new RegExp(`'${unused.digest}' in the repository with name 'links/app'`),
    );
    const unknown = digestOf('nobody has this');
    const message = `The layer with digest '${unknown}' does not exist within the repository with name 'links/app' in the registry with id '000000000000'`;
    await refused(linkTo(unknown), 'LayersNotFoundException', message);
  });
});
