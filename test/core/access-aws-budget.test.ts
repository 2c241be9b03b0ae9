import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { type AwsUnderTest, awsUnderTest } from './aws-under-test.ts';

it('lets nobody stall uploads who only knows the id of an access key', { timeout: 30_000 }, async (t) => {
  await using server = await awsUnderTest();
  const root = await server.root();
  const ecr = server.ecr(root);
  await ecr.createRepository({ repositoryName: 'team/app' });
  const { uploadId } = await ecr.initiateLayerUpload({ repositoryName: 'team/app' });
  const strangers = Array.from({ length: 4 }, () => claimPart(server, root.accessKeyId));
  t.after(() => strangers.forEach((socket) => void socket.destroy()));
  // One of them is let in; the others are in line behind it soon after.
  await Promise.race(strangers.map((socket) => once(socket, 'data')));
  await setTimeout(200);
  const layerPartBlob = Buffer.alloc(100_000, 1);
  const part = { repositoryName: 'team/app', uploadId, partFirstByte: 0, partLastByte: 99_999, layerPartBlob };
  const { lastByteReceived } = await ecr.uploadLayerPart(part);
  assert.equal(lastByteReceived, 99_999);
});

/** Announces a part of 30 MB under a signature of nobody's that covers no body, as Go's and Python's SDKs leave it out. */
function claimPart({ port, now }: AwsUnderTest, accessKeyId: string): Socket {
  const date = `${now()
    .toISOString()
    .replace(/[-:]|\.[0-9]+/g, '')}`;
  const scope = `${accessKeyId}/${date.slice(0, 8)}/us-east-1/ecr/aws4_request`;
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  socket.write(
    [
      'POST / HTTP/1.1',
      `Host: 127.0.0.1:${port}`,
      'Content-Type: application/x-amz-json-1.1',
      'X-Amz-Target: AmazonEC2ContainerRegistry_V20150921.UploadLayerPart',
      `X-Amz-Date: ${date}`,
      `Authorization: AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=${'0'.repeat(64)}`,
      'Content-Length: 30000000',
      'Expect: 100-continue',
      '\r\n',
    ].join('\r\n'),
  );
  return socket;
}
