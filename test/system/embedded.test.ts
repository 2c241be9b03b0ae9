import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { awsCall } from '../support/aws-call.ts';
import { http } from '../support/http.ts';
import { pushImage, randomImage } from '../support/images.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** By its own name, as those who install the package import it; the types of that name come with a build only. */
const packageName: string = 'gantry';
const { startRegistry } = (await import(packageName)) as typeof import('../../src/index.ts');

describe('startRegistry', () => {
  it('serves both faces in this process until it is disposed of', async () => {
    let url: string;
    {
      await using registry = await startRegistry({ port: 0, ephemeral: true });
      ({ url } = registry);
      assert.equal(url, `http://127.0.0.1:${registry.port}`);
      assert.equal(registry.registryHost, `localhost:${registry.port}`);
      const image = randomImage();
      await pushImage(url, 'embedded/image', 'latest', image);
      const described = await awsCall(url, 'DescribeImages', { repositoryName: 'embedded/image' });
      assert.equal(described.json().imageDetails[0].imageDigest, image.manifest.digest);
    }
    await assert.rejects(http(`${url}/v2/`), { code: 'ECONNREFUSED' });
  });

  it('runs several at once, each with a registry of its own', async () => {
    await using one = await startRegistry({ port: 0, ephemeral: true, accountId: '123456789012', region: 'eu-west-1' });
    await using two = await startRegistry({ port: 0, ephemeral: true });
    await pushImage(one.url, 'only/here', 'latest', randomImage());
    assert.deepEqual((await http(`${one.url}/v2/_catalog`)).json(), { repositories: ['only/here'] });
    assert.deepEqual((await http(`${two.url}/v2/_catalog`)).json(), { repositories: [] });
    const { repositories } = (await awsCall(one.url, 'DescribeRepositories', {}, { region: 'eu-west-1' })).json();
    assert.equal(repositories[0].repositoryArn, 'arn:aws:ecr:eu-west-1:123456789012:repository/only/here');
  });

  it('keeps what it has in a folder, and gives the folder back', async () => {
    await using folder = await temporaryFolder();
    const data = join(folder.path, 'data');
    for (const expected of [[], ['kept/here']]) {
      await using registry = await startRegistry({ port: 0, data });
      assert.deepEqual((await http(`${registry.url}/v2/_catalog`)).json().repositories, expected);
      await assert.rejects(startRegistry({ port: 0, data }), { name: 'FolderLockedError' });
      await pushImage(registry.url, 'kept/here', 'latest', randomImage());
      await registry.stop();
    }
    assert.ok(existsSync(join(data, 'gantry.db')));
  });

  it('refuses what makes no sense', async () => {
    await assert.rejects(startRegistry({ port: 0, ephemeral: true, accountId: '1' }), /twelve digits/);
    await assert.rejects(startRegistry({ port: 0, ephemeral: true, data: 'x' }), /give one of them/);
    await assert.rejects(startRegistry({ port: 0, ephemeral: true, host: '0.0.0.0' }), /Every caller is admitted/);
  });
});
