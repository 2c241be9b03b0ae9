import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { basic, ecrAs, passwordOf } from '../support/access.ts';
import { type Balancer, type BalancerKind, freePort, startBalancer } from '../support/balancer.ts';
import { http } from '../support/http.ts';
import { randomImage } from '../support/images.ts';
import { type PostgresServer, startPostgres, withoutPostgres } from '../support/postgres.ts';
import { findProgram, run } from '../support/programs.ts';
import { type S3Server, startS3Server, whyNoS3Server } from '../support/s3-server.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';
import { pushImageAs } from '../system/access-server.ts';
import { environmentOf, newBucket } from './s3-bucket.ts';

const MIB = 1024 * 1024;
const ROOT = { accessKeyId: 'AKIAABCDEFGHIJKLMNOP', secretAccessKey: 'a-secret-of-forty-characters-for-a-root!' };
const servers = withoutPostgres || whyNoS3Server() || false;

for (const kind of ['haproxy', 'nginx'] as const) {
  const lacking = [kind, 'skopeo'].filter((name) => findProgram(name) === undefined);
  const missing = lacking.length > 0 ? `${lacking.join(', ')} not found` : false;
  if (missing && process.env.CI === 'true') throw new Error(missing);
  describe(`three nodes behind ${kind}, as deploy/ has it`, { skip: servers || missing }, () => behind(kind));
}

function behind(kind: BalancerKind): void {
  const owned = new AsyncDisposableStack();
  let balancer: Balancer;
  let nodes: RunningServer[];
  let folder: TemporaryFolder;

  before(async () => {
    const postgres: PostgresServer = owned.use(await startPostgres());
    const s3: S3Server = owned.use(await startS3Server());
    folder = owned.use(await temporaryFolder());
    const port = await freePort();
    const env = {
      ...environmentOf(await newBucket(s3)),
      GANTRY_DATABASE_URL: await postgres.newDatabase(),
      GANTRY_BLOB_DELIVERY: 'proxy',
      GANTRY_AUTH: 'enforced',
      GANTRY_KEY_FILE: join(folder.path, 'key-file'),
      GANTRY_ROOT_ACCESS_KEY_ID: ROOT.accessKeyId,
      GANTRY_ROOT_SECRET_ACCESS_KEY: ROOT.secretAccessKey,
      GANTRY_PUBLIC_URL: `http://127.0.0.1:${port}`,
      GANTRY_REGISTRY_HOST: `127.0.0.1:${port}`,
      GANTRY_TRUSTED_PROXY: '127.0.0.1',
      GANTRY_CREATE_ON_PUSH: 'true',
    };
    // All at once: they make the tables, the key file and root's key together.
    nodes = await Promise.all([0, 1, 2].map(() => startServer({ env })));
    for (const node of nodes) owned.use(node);
    const ports = nodes.map((node) => node.port);
    balancer = owned.use(await startBalancer(kind, port, ports));
  });
  after(() => owned.disposeAsync());

  it('take a push and give it back, with a password that one of them made', async () => {
    const password = await passwordOf(balancer.url, ROOT);
    const image = randomImage([3000, 24 * MIB]);
    assert.equal((await pushImageAs(password, balancer.url, 'team/app', image)).status, 201);
    const { repositories } = await ecrAs(balancer.url, ROOT).describeRepositories({});
    assert.deepEqual(
      repositories?.map(({ repositoryUri }) => repositoryUri),
      [`${balancer.host}/team/app`],
    );
    for (const { digest, bytes } of [image.config, ...image.layers]) {
      const { body } = await http(`${balancer.url}/v2/team/app/blobs/${digest}`, { headers: basic(password) });
      assert.ok(body.equals(bytes));
    }
    const credentials = ['--src-creds', `AWS:${password}`, '--dest-creds', `AWS:${password}`];
    const plain = ['--src-tls-verify=false', '--dest-tls-verify=false'];
    const [from, to] = ['team/app', 'team/other'].map((name) => `docker://${balancer.host}/${name}:latest`);
    await run([findProgram('skopeo')!, 'copy', '--preserve-digests', ...plain, ...credentials, from!, to!]);
    const copy = await http(`${balancer.url}/v2/team/other/manifests/latest`, { headers: basic(password) });
    assert.equal(copy.text(), image.manifest.bytes.toString());
  });

  it('each do their share', async () => {
    for (const { url } of nodes) {
      const { body } = await http(`${url}/metrics`);
      assert.match(body.toString(), /gantry_http_requests_total\{[^}]*face="oci"[^}]*\} [1-9]/);
    }
  });

  it('send clients back to the balancer, and keep what is for operators from them', async () => {
    const password = await passwordOf(balancer.url, ROOT);
    const uploads = `${balancer.url}/v2/team/app/blobs/uploads/`;
    const begun = await http(uploads, { method: 'POST', headers: basic(password) });
    assert.equal(new URL(String(begun.headers.location), balancer.url).host, balancer.host);
    const stranger = await http(`${balancer.url}/v2/`);
    assert.match(String(stranger.headers['www-authenticate']), new RegExp(`realm="${balancer.url}/`));
    for (const path of ['metrics', 'healthz', 'readyz']) {
      assert.equal((await http(`${balancer.url}/${path}`)).status, 403, path);
    }
  });

  it('see a body as it comes: a stranger is refused before theirs has ended', async () => {
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
    const path = '/v2/team/app/blobs/uploads/00000000-0000-4000-8000-000000000000';
    const headers = { 'Content-Length': 1024 * MIB };
    const request = httpRequest(balancer.url + path, { method: 'PATCH', headers, agent: false });
    request.on('response', ({ statusCode }) => resolve(statusCode)).on('error', reject);
    request.write(Buffer.alloc(64 * 1024));
    assert.equal(await promise, 401);
    request.destroy();
  });

  it('are as many as live: each request is answered while one of them is gone', async () => {
    const password = await passwordOf(balancer.url, ROOT);
    await nodes[1]!.kill();
    for (let times = 0; times < 30; times++) {
      const answer = await http(`${balancer.url}/v2/team/app/manifests/latest`, { headers: basic(password) });
      assert.equal(answer.status, 200, answer.text());
    }
  });
}
