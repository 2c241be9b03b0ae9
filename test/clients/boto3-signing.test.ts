import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { awsCall } from '../support/aws-call.ts';
import { describeClient } from '../support/client.ts';
import { pushImage, randomImage } from '../support/images.ts';
import { runAny } from '../support/programs.ts';
import { pythonWithBoto3 } from '../support/python.ts';
import { checkout, pinnedNode } from '../support/server.ts';

const script = join(import.meta.dirname, 'boto3-signing.py');
const python = await pythonWithBoto3();
const unless = async () => {
  if (python === undefined) return 'no python3 has boto3';
  const knows = "import boto3; boto3.client('ecr', region_name='us-east-1').put_signing_configuration";
  const { code } = await runAny([python, '-c', knows]);
  return code === 0 ? undefined : 'this boto3 is older than the signing of images';
};

await describeClient('boto3 and signing', { programs: ['python3'], unless }, (client) => {
  it('has images signed, follows that, and ends it', async () => {
    const { url, data } = client.server;
    const create = ['signer', 'create', 'boto3', '--json', '--data', data];
    const { arn } = JSON.parse(await client.run([pinnedNode, join(checkout, 'bin', 'gantry.js'), ...create]));
    const ask = async (...words: string[]) => JSON.parse(await client.run([python ?? '', script, url, ...words]));

    const repositoryFilters = [{ filter: 'boto3/*', filterType: 'WILDCARD_MATCH' }];
    const rules = [{ signingProfileArn: arn, repositoryFilters }];
    assert.deepEqual(await ask('configure', arn, 'boto3/*'), {
      before: 'SigningConfigurationNotFoundException',
      refused: 'ValidationException',
      registry: '000000000000',
      rules,
    });

    await awsCall(url, 'CreateRepository', { repositoryName: 'boto3/signed' });
    const image = randomImage([100]);
    await pushImage(url, 'boto3/signed', 'v1', image);
    assert.deepEqual(await ask('await', 'boto3/signed', 'v1'), {
      status: { signingProfileArn: arn, status: 'COMPLETE' },
      image: { imageDigest: image.manifest.digest, imageTag: 'v1' },
      signatures: 1,
    });
    assert.deepEqual(await ask('remove'), { rules, after: 'SigningConfigurationNotFoundException' });
  });
});
