import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { http } from '../support/http.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { ecrClient, refused } from './aws-client.ts';

describe('who is asking', () => {
  let server: RunningServer;

  before(async () => {
    server = await startServer();
  });
  after(() => server[Symbol.asyncDispose]());

  it('gets a password for user AWS that is good for twelve hours, and the address to log in to', async () => {
    const { authorizationData } = await ecrClient(server.url).getAuthorizationToken({});
    const [data] = authorizationData ?? [];
    const [user, password] = Buffer.from(String(data?.authorizationToken), 'base64').toString().split(/:(.*)/s);
    assert.equal(user, 'AWS');
    assert.ok(Number(password?.length) > 20);
    assert.ok(Math.abs(Number(data?.expiresAt) - (Date.now() + 12 * 3600 * 1000)) < 60_000);
    assert.equal(data?.proxyEndpoint, `http://localhost:${server.port}`);
    assert.equal(authorizationData?.length, 1);
    const headers = { Authorization: `Basic ${data?.authorizationToken}` };
    assert.equal((await http(`${server.url}/v2/`, { headers })).status, 200);
  });

  it('gets one token for each registry asked for, in that order, and each opens its own', async () => {
    const ecr = ecrClient(server.url, { accessKeyId: '123456789012', region: 'eu-west-1' });
    await ecr.createRepository({ repositoryName: 'mine' });
    const { authorizationData } = await ecr.getAuthorizationToken({ registryIds: ['333333333333', '123456789012'] });
    assert.deepEqual(
      authorizationData?.map(({ proxyEndpoint }) => proxyEndpoint),
      ['333333333333', '123456789012'].map((id) => `http://${id}.dkr.ecr.eu-west-1.localhost:${server.port}`),
    );
    const catalogs = authorizationData?.map(async ({ authorizationToken }) => {
      const answer = await http(`${server.url}/v2/_catalog`, {
        headers: { Authorization: `Basic ${authorizationToken}` },
      });
      return answer.json().repositories;
    });
    assert.deepEqual(await Promise.all(catalogs ?? []), [[], ['mine']]);
  });

  it('cannot ask for registries that cannot be, or for more than ten', async () => {
    const ecr = ecrClient(server.url);
    const message =
      "Invalid parameter at 'registryIds' failed to satisfy constraint: 'Member must satisfy constraint: [Member must satisfy regular expression pattern: [0-9]{12}]'";
    await refused(ecr.getAuthorizationToken({ registryIds: ['12'] }), 'InvalidParameterException', message);
    const registryIds = Array(11).fill('123456789012');
    await refused(ecr.getAuthorizationToken({ registryIds }), 'InvalidParameterException', /less than or equal to 10/);
  });

  const sts = (body: string, accessKeyId = 'AKIDEXAMPLE', region = 'us-east-1') =>
    http(`${server.url}/`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8',
        Authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20261122/${region}/sts/aws4_request, SignedHeaders=host, Signature=0`,
      },
      body,
    });
  const identity = 'Action=GetCallerIdentity&Version=2011-06-15';

  it('is told by STS who it is, as the Query protocol writes it', async () => {
    const answer = await sts(identity, '123456789012', 'us-gov-west-1');
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-type'], 'text/xml');
    const text = answer.text().replace(/>\s+</g, '><').trim();
    const [, requestId] = /<RequestId>([0-9a-f-]{36})<\/RequestId>/.exec(text) ?? [];
    assert.equal(
      text,
      '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>' +
        '<Arn>arn:aws-us-gov:iam::123456789012:user/open</Arn><UserId>123456789012</UserId><Account>123456789012</Account>' +
        `</GetCallerIdentityResult><ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata>` +
        '</GetCallerIdentityResponse>',
    );
    assert.match((await sts(identity)).text(), /<Account>000000000000<\/Account>/);
  });

  it('may ask STS by the URL alone', async () => {
    assert.match((await http(`${server.url}/?${identity}`)).text(), /<Account>000000000000<\/Account>/);
  });

  it('is told by STS in its own form what it does not do', async () => {
    const answer = await sts('Action=AssumeRole%3C%26&Version=2011-06-15');
    assert.equal(answer.status, 400);
    assert.equal(answer.headers['content-type'], 'text/xml');
    assert.match(answer.text(), /<ErrorResponse .*<Type>Sender<\/Type>\s*<Code>InvalidAction<\/Code>/s);
    assert.match(answer.text(), /Could not find operation AssumeRole&lt;&amp; for version 2011-06-15/);
    assert.equal((await sts('x'.repeat(70_000))).status, 413);
  });
});
