import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { awsCall } from '../support/aws-call.ts';
import { describeClient } from '../support/client.ts';

const signature = 'application/vnd.example.signature.v1';

await describeClient('oras', { programs: ['oras'] }, (client) => {
  const folder = () => {
    const path = join(client.home, randomUUID());
    mkdirSync(path);
    return path;
  };
  const oras = async (cwd: string, ...words: string[]) => (await client.run(['oras', ...words], { cwd })).trim();
  const plain = '--plain-http';

  async function pushed() {
    const cwd = folder();
    const bytes = randomBytes(20_000);
    writeFileSync(join(cwd, 'model.bin'), bytes);
    const name = `oras/${randomUUID()}`;
    const repository = `${client.server.host}/${name}`;
    const type = ['--artifact-type', 'application/vnd.example.model.v1'];
    await oras(cwd, 'push', plain, ...type, `${repository}:v1`, 'model.bin:application/octet-stream');
    const digest = await oras(cwd, 'resolve', plain, `${repository}:v1`);
    return { cwd, bytes, name, repository, digest };
  }

  async function signed() {
    const artifact = await pushed();
    writeFileSync(join(artifact.cwd, 'signature'), randomUUID());
    await oras(
      artifact.cwd,
      'attach',
      plain,
      '--artifact-type',
      signature,
      `${artifact.repository}:v1`,
      'signature:text/plain',
    );
    return artifact;
  }

  it('pushes and pulls an artifact of any type', async () => {
    const { repository, bytes } = await pushed();
    const cwd = folder();
    await oras(cwd, 'pull', plain, `${repository}:v1`);
    assert.deepEqual(readFileSync(join(cwd, 'model.bin')), bytes);
  });

  it('attaches a signature and discovers it through the referrers API', async () => {
    const { cwd, repository } = await signed();
    const discovered = JSON.parse(
      await oras(
        cwd,
        'discover',
        plain,
        '--format',
        'json',
        '--distribution-spec',
        'v1.1-referrers-api',
        `${repository}:v1`,
      ),
    );
    const referrers = discovered.referrers ?? discovered.manifests;
    assert.deepEqual(
      referrers.map(({ artifactType }: { artifactType: string }) => artifactType),
      [signature],
    );
    const other = ['--artifact-type', 'application/vnd.example.other'];
    const none = JSON.parse(await oras(cwd, 'discover', plain, ...other, '--format', 'json', `${repository}:v1`));
    assert.deepEqual(none.referrers ?? none.manifests ?? [], []);
  });

  it('attaches what the AWS API lists as a referrer', async () => {
    const { name, digest } = await signed();
    const input = { repositoryName: name, subjectId: { imageDigest: digest } };
    const { referrers } = (await awsCall(client.server.url, 'ListImageReferrers', input)).json();
    assert.deepEqual(
      referrers.map(({ artifactType }: { artifactType: string }) => artifactType),
      [signature],
    );
  });

  it('copies an artifact with what is attached to it', async () => {
    const { cwd, repository } = await signed();
    const copy = `${repository}-copy:v1`;
    await oras(cwd, 'cp', '--recursive', '--from-plain-http', '--to-plain-http', `${repository}:v1`, copy);
    const discovered = JSON.parse(await oras(cwd, 'discover', plain, '--format', 'json', copy));
    assert.equal((discovered.referrers ?? discovered.manifests).length, 1);
  });

  it('lists tags, reads and deletes a manifest', async () => {
    const { cwd, repository, digest } = await pushed();
    await oras(cwd, 'tag', plain, `${repository}:v1`, 'latest');
    assert.equal(await oras(cwd, 'repo', 'tags', plain, repository), 'latest\nv1');
    const manifest = JSON.parse(await oras(cwd, 'manifest', 'fetch', plain, `${repository}:latest`));
    assert.equal(manifest.artifactType, 'application/vnd.example.model.v1');
    await oras(cwd, 'manifest', 'delete', plain, '--force', `${repository}@${digest}`);
    const { code } = await client.runAny(['oras', 'manifest', 'fetch', plain, `${repository}:v1`]);
    assert.notEqual(code, 0);
  });

  it('pushes, reads and deletes a lone blob', async () => {
    const { cwd, repository } = await pushed();
    writeFileSync(join(cwd, 'blob'), randomBytes(3000));
    const digest = (await client.run(['sha256sum', join(cwd, 'blob')])).slice(0, 64);
    await oras(cwd, 'blob', 'push', plain, `${repository}@sha256:${digest}`, 'blob');
    await oras(cwd, 'blob', 'fetch', plain, '--output', 'copy', `${repository}@sha256:${digest}`);
    assert.deepEqual(readFileSync(join(cwd, 'copy')), readFileSync(join(cwd, 'blob')));
    await oras(cwd, 'blob', 'delete', plain, '--force', `${repository}@sha256:${digest}`);
  });
});
