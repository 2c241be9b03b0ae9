import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { awsCall } from '../support/aws-call.ts';
import { http } from '../support/http.ts';
import { blobOf, digestOf } from '../support/images.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { assertAwsError, ecrClient } from './aws-client.ts';

const MIB = 1024 * 1024;
const target = (operation: string) => ({ 'X-Amz-Target': `AmazonEC2ContainerRegistry_V20150921.${operation}` });

describe('AWS JSON 1.1', () => {
  let server: RunningServer;
  const post = (body: string | Buffer, operation = 'DescribeRepositories', headers: Record<string, string> = {}) =>
    http(`${server.url}/`, {
      method: 'POST',
      headers: { ...target(operation), 'Content-Length': String(Buffer.byteLength(body)), ...headers },
      body,
    });

  before(async () => {
    server = await startServer();
    await awsCall(server.url, 'CreateRepository', { repositoryName: 'wire', tags: [{ Key: 'k', Value: 'v' }] });
  });
  after(() => server[Symbol.asyncDispose]());

  it('answers with its content type, a request id of its own, and times as seconds', async () => {
    const ids = new Set<unknown>();
    for (let round = 0; round < 2; round += 1) {
      const answer = await awsCall(server.url, 'DescribeRepositories');
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['content-type'], 'application/x-amz-json-1.1');
      assert.match(String(answer.headers['x-amzn-requestid']), /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      ids.add(answer.headers['x-amzn-requestid']);
      const { createdAt } = answer.json().repositories[0];
      assert.ok(Math.abs(createdAt - Date.now() / 1000) < 60, `${createdAt}`);
      assert.equal('nextToken' in answer.json(), false);
    }
    assert.equal(ids.size, 2);
  });

  it('answers an operation without output with an empty object, and writes Key and Value of a tag with capitals', async () => {
    const resourceArn = 'arn:aws:ecr:us-east-1:000000000000:repository/wire';
    const tagged = await awsCall(server.url, 'TagResource', { resourceArn, tags: [{ Key: 'k', Value: 'w' }] });
    assert.equal(tagged.text(), '{}');
    const { tags } = (await awsCall(server.url, 'ListTagsForResource', { resourceArn })).json();
    assert.deepEqual(tags, [{ Key: 'k', Value: 'w' }]);
    const lower = await awsCall(server.url, 'TagResource', { resourceArn, tags: [{ key: 'k', value: 'v' }] });
    const words = "Invalid parameter at 'tags.1.member.key' failed to satisfy constraint: 'Member must not be null'";
    assertAwsError(lower, 'InvalidParameterException', words);
  });

  it('writes an error as its type and a lower-case message, nothing else', async () => {
    const answer = await awsCall(server.url, 'DescribeImages', { repositoryName: 'nobody/made' });
    assertAwsError(answer, 'RepositoryNotFoundException');
    assert.deepEqual(Object.keys(answer.json()).toSorted(), ['__type', 'message']);
  });

  it('takes an empty body for an empty object, and null for absent', async () => {
    assert.equal((await post('')).status, 200);
    assert.equal((await post('{"nextToken":null,"maxResults":null}')).status, 200);
    assertAwsError(
      await post('{"repositoryName":null}', 'ListImages'),
      'InvalidParameterException',
      /must not be null/,
    );
  });

  it('passes over members it does not know, whatever they are called', async () => {
    assert.equal((await post('{"surprise":{"deep":[1]},"__proto__":{"maxResults":-1},"constructor":1}')).status, 200);
  });

  it('needs no credentials while it is open, nor well-formed ones', async () => {
    for (const Authorization of ['nonsense', 'AWS4-HMAC-SHA256 Credential=a/b/c', 'Basic QVdTOng=']) {
      const { repositories } = (await post('{}', 'DescribeRepositories', { Authorization })).json();
      assert.equal(repositories[0].registryId, '000000000000');
    }
  });

  it('reads the region of a caller without credentials from the Host', async () => {
    const answer = await post('{"repositoryName":"by-host"}', 'CreateRepository', {
      Host: `api.ecr.eu-central-1.localhost:${server.port}`,
    });
    assert.equal(answer.json().repository.repositoryArn, 'arn:aws:ecr:eu-central-1:000000000000:repository/by-host');
  });

  it('says which header is missing, and shows a line that works', async () => {
    for (const request of [{ method: 'POST', body: '' }, { method: 'POST', body: '{}' }, { method: 'GET' }]) {
      const answer = await http(`${server.url}/`, request);
      assertAwsError(answer, 'UnknownOperationException', /header X-Amz-Target/);
      const { message } = answer.json();
      const [, url = ''] = /curl -X POST (\S+)/.exec(message) ?? [];
      const headers = Object.fromEntries(
        [...message.matchAll(/-H '([^:]+): ([^']+)'/g)].map(([, name, value]) => [name, value]),
      );
      const body = /-d '([^']*)'/.exec(message)?.[1] ?? '';
      assert.equal((await http(url, { method: 'POST', headers, body })).status, 200, message);
    }
  });

  it("says so in the same form to curl's form of a body", async () => {
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const answer = await http(`${server.url}/`, { method: 'POST', headers, body: '{}' });
    assertAwsError(answer, 'UnknownOperationException', /header X-Amz-Target/);
    assert.equal((await post('{}', 'DescribeRepositories', headers)).status, 200);
  });

  it('knows no operations but those of the ECR API', async () => {
    for (const name of ['Nothing', '', 'constructor', 'describeRepositories', 'DescribeRepositories, DescribeImages']) {
      assertAwsError(await post('{}', name), 'UnknownOperationException', /X-Amz-Target names no operation/);
    }
    const other = await http(`${server.url}/`, {
      method: 'POST',
      headers: { 'X-Amz-Target': 'DynamoDB_20120810.ListTables' },
    });
    assertAwsError(other, 'UnknownOperationException', /DynamoDB_20120810\.ListTables/);
  });

  it('refuses bodies that are not one JSON object', async () => {
    const bodies = ['{', '[]', '"x"', 'null', '1', '{"a":1}}', `{"a":"${'\u0000'}"}`, Buffer.from([0x7b, 0xff, 0x7d])];
    for (const body of bodies) assertAwsError(await post(body), 'SerializationException');
  });

  it('refuses values of another type, and says where', async () => {
    const cases: [operation: string, body: string, where: RegExp][] = [
      ['DescribeRepositories', '{"maxResults":"5"}', /'maxResults' must be an integer/],
      ['DescribeRepositories', '{"maxResults":1.5}', /'maxResults' must be an integer/],
      ['DescribeRepositories', '{"repositoryNames":"x"}', /'repositoryNames' must be a list/],
      ['DescribeRepositories', '{"repositoryNames":[1]}', /'repositoryNames\.1\.member' must be a string/],
      ['DeleteRepository', '{"repositoryName":"wire","force":"true"}', /'force' must be a boolean/],
      ['CreateRepository', '{"repositoryName":{"x":1}}', /'repositoryName' must be a string/],
      ['ListImages', '{"repositoryName":"wire","filter":[]}', /'filter' must be a structure/],
    ];
    for (const [operation, body, where] of cases) {
      assertAwsError(await post(body, operation), 'SerializationException', where);
    }
  });

  it('refuses text that is not UTF-8 instead of mending it', async () => {
    const body = Buffer.from('{"repositoryName":"wire","imageManifest":"?"}');
    body[body.indexOf('?')] = 0xff;
    assertAwsError(await post(body, 'PutImage'), 'SerializationException', /UTF-8/);
  });

  it('refuses bodies that are too large for their operation, announced or not, and goes on', async () => {
    const large = Buffer.alloc(MIB + 1, ' ');
    const code = 'RequestEntityTooLargeException';
    assertAwsError(await post(large), code, /1048576 bytes/, 413);
    assertAwsError(await post(Buffer.alloc(26 * MIB + 1, ' '), 'PutImage'), code, /\S/, 413);
    assertAwsError(await post(Buffer.alloc(32 * MIB + 1, ' '), 'UploadLayerPart'), code, /\S/, 413);
    const chunked = await http(`${server.url}/`, {
      method: 'POST',
      headers: { ...target('DescribeRepositories'), 'Transfer-Encoding': 'chunked' },
      body: large,
    });
    assertAwsError(chunked, code, /\S/, 413);
    assertAwsError(await post(Buffer.alloc(26 * MIB, ' '), 'Nothing'), 'UnknownOperationException');
    assert.equal((await post('{}')).status, 200);
  });

  it('takes bodies in chunks', async () => {
    const headers = { ...target('DescribeRepositories'), 'Transfer-Encoding': 'chunked' };
    assert.equal((await http(`${server.url}/`, { method: 'POST', headers, body: '{"maxResults":1}' })).status, 200);
  });

  it('serves several requests on one connection, also after errors', async () => {
    const socket = connect(server.port, '127.0.0.1');
    const head = (operation: string, body: string, more = '') =>
      `POST / HTTP/1.1\r\nHost: ${server.host}\r\nX-Amz-Target: ${target(operation)['X-Amz-Target']}\r\nContent-Length: ${body.length}\r\n${more}\r\n${body}`;
    socket.write(
      head('Nothing', '{"a":1}') +
        head('ListImages', '{') +
        head('DescribeRepositories', '{}', 'Connection: close\r\n'),
    );
    const statuses = (await buffer(socket)).toString().match(/HTTP\/1\.1 \d+/g);
    assert.deepEqual(statuses, ['HTTP/1.1 400', 'HTTP/1.1 400', 'HTTP/1.1 200']);
  });

  it('takes a layer part with its members in any order, unknown ones, and base64 as PHP escapes it', async () => {
    const layer = blobOf(Buffer.alloc(3000, 0xff));
    const { uploadId } = (await awsCall(server.url, 'InitiateLayerUpload', { repositoryName: 'wire' })).json();
    const base64 = layer.bytes.toString('base64').replaceAll('/', '\\/');
    const trap = '"note":"\\"layerPartBlob\\":\\"AAAA\\"","deep":{"layerPartBlob":"AAAA"}';
    const body = `{ ${trap}, "layerPartBlob" : "${base64}" ,"partLastByte":2999,"uploadId":"${uploadId}","partFirstByte":0,"repositoryName":"wire"}`;
    const part = await post(body, 'UploadLayerPart');
    assert.equal(part.json().lastByteReceived, 2999, part.text());
    const input = { repositoryName: 'wire', uploadId, layerDigests: [layer.digest] };
    assert.equal((await awsCall(server.url, 'CompleteLayerUpload', input)).json().layerDigest, layer.digest);
  });

  it('refuses layer parts that are missing, twice there, or not base64', async () => {
    const { uploadId } = (await awsCall(server.url, 'InitiateLayerUpload', { repositoryName: 'wire' })).json();
    const body = (blob: string) =>
      `{"repositoryName":"wire","uploadId":"${uploadId}","partFirstByte":0,"partLastByte":2${blob}}`;
    const cases: [blob: string, code: string][] = [
      ['', 'InvalidParameterException'],
      [',"layerPartBlob":null', 'InvalidParameterException'],
      [',"layerPartBlob":5', 'SerializationException'],
      [',"layerPartBlob":"QUJ"', 'SerializationException'],
      [',"layerPartBlob":"QU-_"', 'SerializationException'],
      [',"layerPartBlob":"QUJD","layerPartBlob":"QUJD"', 'SerializationException'],
      [',"layerPartBlob":"QUJD', 'SerializationException'],
    ];
    for (const [blob, code] of cases)
      assertAwsError(await post(body(blob), 'UploadLayerPart'), code, /layerPartBlob|JSON/);
    assert.equal((await post(body(',"layerPartBlob":"QUJD"'), 'UploadLayerPart')).status, 200);
  });

  it('checks constraints before it looks for anything', async () => {
    const input = { repositoryName: 'nobody/made', uploadId: 'not-a-uuid', layerDigests: [digestOf('x')] };
    assertAwsError(await awsCall(server.url, 'CompleteLayerUpload', input), 'InvalidParameterException', /'uploadId'/);
  });

  it('keeps serving when clients leave in the middle of a body', async () => {
    for (let round = 0; round < 20; round += 1) {
      const socket = connect(server.port, '127.0.0.1');
      const head = `POST / HTTP/1.1\r\nHost: ${server.host}\r\nX-Amz-Target: ${target('UploadLayerPart')['X-Amz-Target']}\r\nContent-Length: 30000000\r\n\r\n{`;
      await new Promise((resolve) => socket.write(head, resolve));
      socket.destroy();
    }
    // Had their shares of the byte budget leaked, this one would wait for ever.
    const ecr = ecrClient(server.url);
    const { uploadId } = await ecr.initiateLayerUpload({ repositoryName: 'wire' });
    const layerPartBlob = Buffer.alloc(10 * MIB);
    const part = { uploadId, partFirstByte: 0, partLastByte: layerPartBlob.length - 1, layerPartBlob };
    await ecr.uploadLayerPart({ repositoryName: 'wire', ...part });
  });
});
