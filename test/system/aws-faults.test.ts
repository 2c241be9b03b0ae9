import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { awsCall } from '../support/aws-call.ts';
import { needsFolder } from '../support/cluster-mode.ts';
import { randomImage } from '../support/images.ts';
import { startServer } from '../support/server.ts';
import { assertAwsError, ecrClient, refused, uploadLayer } from './aws-client.ts';

describe('limits and faults of the ECR API', () => {
  it('refuses the thousand and first tag of an image', async () => {
    await using server = await startServer();
    const ecr = ecrClient(server.url);
    const repositoryName = 'many/tags';
    const image = randomImage([10]);
    await ecr.createRepository({ repositoryName });
    for (const blob of [image.config, ...image.layers]) await uploadLayer(ecr, repositoryName, blob);
    const imageManifest = image.manifest.bytes.toString();
    const put = (imageTag: string) => awsCall(server.url, 'PutImage', { repositoryName, imageManifest, imageTag });
    for (let first = 0; first < 1000; first += 20) {
      const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => put(`t${first + index}`)));
      for (const answer of answers) assert.equal(answer.status, 200, answer.text());
    }
    assertAwsError(await put('one-more'), 'LimitExceededException', /1000/);
    const digest = { imageDigest: image.manifest.digest };
    const { imageDetails } = await ecr.describeImages({ repositoryName, imageIds: [digest] });
    assert.equal(imageDetails?.[0]?.imageTags?.length, 1000);
    const call = ecr.describeImages({ repositoryName, imageIds: [{ imageTag: 'one-more' }] });
    await refused(call, 'ImageNotFoundException');
  });

  const skip = needsFolder('takes a folder away under the server');
  it('answers a fault of its own with ServerException and the id that the log has', { skip }, async () => {
    await using server = await startServer();
    await awsCall(server.url, 'CreateRepository', { repositoryName: 'fault' });
    const { uploadId } = (await awsCall(server.url, 'InitiateLayerUpload', { repositoryName: 'fault' })).json();
    await rm(join(server.data, 'uploads'), { recursive: true });
    const part = { partFirstByte: 0, partLastByte: 2, layerPartBlob: 'QUJD' };
    const answer = await awsCall(server.url, 'UploadLayerPart', { repositoryName: 'fault', uploadId, ...part });
    const requestId = String(answer.headers['x-amzn-requestid']);
    assertAwsError(
      answer,
      'ServerException',
      `The server failed. It logged the reason under request id ${requestId}`,
      500,
    );
    // The client has its answer before the log has its line.
    for (let tries = 0; !server.output().includes(requestId); tries += 1) {
      assert.ok(tries < 200, server.output());
      assert.equal((await awsCall(server.url, 'DescribeRepositories')).status, 200);
    }
  });
});
