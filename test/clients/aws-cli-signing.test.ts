import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeClient } from '../support/client.ts';
import { pushImage, randomImage } from '../support/images.ts';
import { runAny } from '../support/programs.ts';
import { checkout, pinnedNode } from '../support/server.ts';

const WAIT_SECONDS_MAX = 60;
const credentials = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret', AWS_PAGER: '' };
const env = { ...credentials, AWS_DEFAULT_REGION: 'us-east-1', AWS_EC2_METADATA_DISABLED: 'true' };

/** One that knows the operation asks for what it needs. */
const unless = async () => {
  const { stderr } = await runAny(['aws', 'ecr', 'put-signing-configuration'], { env });
  const isKnown = stderr.includes('--signing-configuration');
  return isKnown ? undefined : 'this AWS CLI is older than the signing of images';
};

await describeClient('AWS CLI and signing', { programs: ['aws'], unless }, (client) => {
  const command = (words: readonly string[]) => ['aws', '--endpoint-url', client.server.url, 'ecr', ...words];
  const ecr = async (...words: string[]) =>
    JSON.parse(await client.run([...command(words), '--output', 'json'], { env }));

  it('has images signed, follows that, and ends it', async () => {
    const { url, data } = client.server;
    const create = ['signer', 'create', 'cli', '--json', '--data', data];
    const { arn } = JSON.parse(await client.run([pinnedNode, join(checkout, 'bin', 'gantry.js'), ...create]));
    const rule = { signingProfileArn: arn, repositoryFilters: [{ filter: 'cli/*', filterType: 'WILDCARD_MATCH' }] };
    const signingConfiguration = { rules: [rule] };
    const given = JSON.stringify(signingConfiguration);
    const put = await ecr('put-signing-configuration', '--signing-configuration', given);
    assert.deepEqual(put.signingConfiguration, signingConfiguration);
    const got = await ecr('get-signing-configuration');
    assert.deepEqual(got, { registryId: '000000000000', signingConfiguration });

    const image = ['--repository-name', 'cli/signed', '--image-id', 'imageTag=v1'];
    await ecr('create-repository', '--repository-name', 'cli/signed');
    await pushImage(url, 'cli/signed', 'v1', randomImage([100]));
    let [status] = [{ status: 'IN_PROGRESS' }];
    for (const end = performance.now() + WAIT_SECONDS_MAX * 1000; status?.status === 'IN_PROGRESS'; await sleep(50)) {
      assert.ok(performance.now() < end);
      [status] = (await ecr('describe-image-signing-status', ...image)).signingStatuses;
    }
    assert.deepEqual(status, { signingProfileArn: arn, status: 'COMPLETE' });

    assert.deepEqual((await ecr('delete-signing-configuration')).signingConfiguration, signingConfiguration);
    const { code, stderr } = await client.runAny(command(['get-signing-configuration']), { env });
    assert.notEqual(code, 0);
    assert.match(
      stderr,
      /\(SigningConfigurationNotFoundException\) when calling the GetSigningConfiguration operation/,
    );
  });
});
