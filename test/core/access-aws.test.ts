import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import { http } from '../support/http.ts';
import { type AwsUnderTest, awsUnderTest, type Credentials, policy, refused, signedCall } from './aws-under-test.ts';

const MISMATCH =
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.';
const UNKNOWN_KEY = 'The security token included in the request is invalid.';

describe('a request to the ECR API where access is enforced', () => {
  let aws: AwsUnderTest;
  let root: Credentials;
  before(async () => {
    aws = await awsUnderTest();
    root = await aws.root();
  });
  beforeEach(() => aws.audited.splice(0));
  after(() => aws[Symbol.asyncDispose]());

  const send = async (sent: { method: string; headers: Record<string, string>; body: string }) => {
    const { headers, ...rest } = sent;
    const answer = await http(`${aws.url}/`, { ...rest, headers });
    const { __type, message } = answer.json();
    return { status: answer.status, __type, message };
  };

  it('is served when the SDK signed it, and is in the audit trail with what decided', async () => {
    const { repositories } = await aws.ecr(root).describeRepositories({ repositoryNames: ['one'] });
    assert.equal(repositories?.[0]?.repositoryName, 'one');
    const [entry] = aws.audited;
    assert.equal(entry?.eventName, 'DescribeRepositories');
    assert.equal(entry?.caller?.arn, 'arn:aws:iam::111122223333:root');
    assert.deepEqual(entry?.registry, { accountId: '111122223333', region: 'us-east-1' });
    assert.deepEqual(entry?.resources, ['arn:aws:ecr:us-east-1:111122223333:repository/one']);
    assert.deepEqual(entry?.requestParameters, { repositoryNames: ['one'] });
    assert.match(String(entry?.decision), /allow/);
    assert.equal(entry?.sourceIp, '127.0.0.1');
    assert.match(String(entry?.userAgent), /aws-sdk-js/);
    assert.equal(entry?.error, undefined);
    assert.equal(aws.audited.length, 1);
  });

  it('is served without a declared hash, and with a body of many megabytes', async () => {
    assert.equal((await send(await signedCall(aws, root, 'DescribeRepositories', { declareHash: false }))).status, 200);
    const ecr = aws.ecr(root);
    const { uploadId } = await ecr.initiateLayerUpload({ repositoryName: 'one' });
    const layerPartBlob = Buffer.alloc(20 * 1024 * 1024, 'gantry');
    const part = { repositoryName: 'one', uploadId, partFirstByte: 0, partLastByte: layerPartBlob.length - 1 };
    const { lastByteReceived } = await ecr.uploadLayerPart({ ...part, layerPartBlob });
    assert.equal(lastByteReceived, layerPartBlob.length - 1);
    assert.deepEqual(Object.keys(aws.audited.at(-1)?.requestParameters ?? {}).toSorted(), Object.keys(part).toSorted());
  });

  it('counts for the region and the account that signed', async () => {
    const other = await aws.root('444455556666');
    await aws.ecr(other, { region: 'eu-west-1' }).createRepository({ repositoryName: 'far' });
    const { repositories } = await aws.ecr(other, { region: 'eu-west-1' }).describeRepositories({});
    assert.deepEqual(
      repositories?.map(({ repositoryArn }) => repositoryArn),
      ['arn:aws:ecr:eu-west-1:444455556666:repository/far'],
    );
    assert.deepEqual((await aws.ecr(other).describeRepositories({})).repositories, []);
  });

  it('is refused without a signature, whatever it asks for', async () => {
    for (const operation of ['DescribeRepositories', 'PutSigningConfiguration']) {
      const { headers, ...unsigned } = await signedCall(aws, root, operation);
      const { authorization: _, ...rest } = headers;
      assert.deepEqual(await send({ ...unsigned, headers: rest }), {
        status: 400,
        __type: 'MissingAuthenticationTokenException',
        message: 'Missing Authentication Token',
      });
      assert.equal(aws.audited.at(-1)?.eventName, operation);
      assert.equal(aws.audited.at(-1)?.caller, undefined);
      assert.equal(aws.audited.at(-1)?.error?.code, 'MissingAuthenticationTokenException');
    }
  });

  it('is refused when the signature is none', async () => {
    const sent = await signedCall(aws, root, 'DescribeRepositories');
    for (const authorization of ['Basic QVdTOng=', 'AWS4-HMAC-SHA256 Credential=x', '']) {
      const { __type } = await send({ ...sent, headers: { ...sent.headers, authorization } });
      assert.equal(__type, 'IncompleteSignatureException', authorization);
    }
  });

  it('is refused by a key that nobody has, that was switched off, or whose user is gone', async () => {
    const stranger = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'secret' };
    await refused(aws.ecr(stranger).describeRepositories({}), 'UnrecognizedClientException', UNKNOWN_KEY);
    const everything = { Effect: 'Allow', Action: '*', Resource: '*' };
    const [bob, carol] = [await aws.user('bob', [everything]), await aws.user('carol', [everything])];
    for (const user of [bob, carol]) await aws.ecr(user).describeRepositories({});
    await aws.access.identities.setAccessKeyActive(bob.accessKeyId, false);
    await aws.access.identities.deleteUser('111122223333', 'carol');
    await aws.access.directory.refresh();
    for (const user of [bob, carol]) {
      await refused(aws.ecr(user).describeRepositories({}), 'UnrecognizedClientException', UNKNOWN_KEY);
    }
  });

  it('is refused when anything of it was changed after it was signed', async () => {
    for (const declareHash of [true, false]) {
      const sent = await signedCall(aws, root, 'ListImages', { input: { repositoryName: 'one' }, declareHash });
      assert.equal((await send(sent)).status, 200);
      const { headers } = sent;
      const scope = /\/us-east-1\//;
      const changed = [
        { body: sent.body.replace('one', 'two') },
        {
          headers: {
            ...headers,
            'x-amz-target': headers['x-amz-target']?.replace('ListImages', 'DescribeImages') ?? '',
          },
        },
        { headers: { ...headers, host: 'api.ecr.us-east-1.amazonaws.com' } },
        { headers: { ...headers, authorization: headers.authorization?.replace(scope, '/eu-west-1/') ?? '' } },
        { headers: { ...headers, authorization: `${headers.authorization?.slice(0, -4)}0000` } },
      ];
      for (const change of changed) {
        const answer = await send({ ...sent, ...change });
        assert.deepEqual(answer, { status: 400, __type: 'InvalidSignatureException', message: MISMATCH });
      }
    }
  });

  it('is refused by a secret that is not its key’s, and shows neither', async () => {
    const forged = { ...root, secretAccessKey: 'not the secret' };
    await refused(aws.ecr(forged).describeRepositories({}), 'InvalidSignatureException', MISMATCH);
    assert.equal(JSON.stringify(aws.audited).includes(root.secretAccessKey), false);
    assert.equal(aws.audited.at(-1)?.caller, undefined);
  });

  it('is refused when it was signed more than five minutes ago or ahead, or is sent again later', async () => {
    await aws.ecr(root, { skewSeconds: -290 }).describeRepositories({});
    await aws.ecr(root, { skewSeconds: 290 }).describeRepositories({});
    const past = aws.ecr(root, { skewSeconds: -310 }).describeRepositories({});
    await refused(
      past,
      'InvalidSignatureException',
      /^Signature expired: \d{8}T\d{6}Z is now earlier than .* - 5 min\.\)$/,
    );
    const ahead = aws.ecr(root, { skewSeconds: 310 }).describeRepositories({});
    await refused(ahead, 'InvalidSignatureException', /^Signature not yet current: .* \+ 5 min\.\)$/);
    const sent = await signedCall(aws, root, 'DescribeRepositories');
    aws.pass(301);
    assert.equal((await send(sent)).__type, 'InvalidSignatureException');
  });

  it('is refused when it was signed for another service, or for another region than its host’s', async () => {
    const foreign = await send(await signedCall(aws, root, 'DescribeRepositories', { service: 's3' }));
    assert.equal(foreign.message, "Credential should be scoped to correct service: 'ecr'.");
    for (const [region, status] of [
      ['us-east-1', 200],
      ['eu-west-1', 400],
    ] as const) {
      const host = `api.ecr.${region}.amazonaws.com`;
      const answer = await send(await signedCall(aws, root, 'DescribeRepositories', { host }));
      assert.equal(answer.status, status);
      if (status === 400) assert.match(answer.message, /scoped to a valid region, not 'us-east-1'\.$/);
    }
    const far = aws.ecr(root, { region: 'x'.repeat(30) }).createRepository({ repositoryName: 'far' });
    await refused(far, 'InvalidSignatureException', /scoped to a valid region/);
  });

  it('is good for the host that a trusted proxy was asked for, and its links lead there', async () => {
    const host = 'registry.example.com';
    const sent = await signedCall(aws, root, 'DescribeRepositories', { host });
    const behind = { ...sent, headers: { ...sent.headers, host: 'backend:4510', 'x-forwarded-host': host } };
    assert.equal((await send(behind)).status, 200);
    assert.equal((await send({ ...behind, headers: { ...behind.headers, 'x-forwarded-host': 'else' } })).status, 400);
  });

  it('is refused before its body is read when its head says enough', async () => {
    const sent = await signedCall(aws, root, 'UploadLayerPart');
    const stranger = await signedCall(aws, { ...root, accessKeyId: 'AKIAIOSFODNN7EXAMPLE' }, 'UploadLayerPart');
    const forged = await signedCall(aws, { ...root, secretAccessKey: 'wrong' }, 'UploadLayerPart');
    const late = { ...sent.headers, 'x-amz-date': '20200101T000000Z' };
    assert.match(await answerToHead(sent.headers), /^HTTP\/1\.1 100 /);
    assert.match(await answerToHead(stranger.headers), /^HTTP\/1\.1 400 .*UnrecognizedClientException/s);
    assert.match(await answerToHead(forged.headers), /^HTTP\/1\.1 400 .*InvalidSignatureException/s);
    assert.match(await answerToHead(late), /^HTTP\/1\.1 400 .*InvalidSignatureException/s);
  });

  /** What comes back when nothing of an announced body is sent. */
  async function answerToHead(headers: Record<string, string>): Promise<string> {
    const socket = connect(aws.port, '127.0.0.1');
    const lines = Object.entries({ ...headers, 'content-length': '1000', expect: '100-continue' });
    socket.write(`POST / HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`);
    try {
      const [bytes] = await once(socket, 'data');
      return String(bytes);
    } finally {
      socket.destroy();
    }
  }

  it('is let go when its principal asks too fast', async () => {
    const asked: string[] = [];
    const take = (arn: string, operation: string) => asked.push(`${arn} ${operation}`) < 2;
    await using slow = await awsUnderTest({ throttle: { take } });
    const ecr = slow.ecr(await slow.root());
    const forged = slow.ecr({ ...(await slow.root()), secretAccessKey: 'wrong' });
    await assert.rejects(forged.describeRegistry({}), { name: 'InvalidSignatureException' });
    assert.deepEqual(asked, [], 'who is not proved uses nothing up');
    await ecr.describeRepositories({});
    await refused(ecr.describeRepositories({}), 'ThrottlingException', 'Rate exceeded');
    assert.deepEqual(asked, Array(2).fill('arn:aws:iam::111122223333:root DescribeRepositories'));
  });
});

describe('a session of a role', () => {
  it('signs with its token until it ends, and no longer than its role is there', async () => {
    await using aws = await awsUnderTest();
    const { identities, roleAssumption, credentials, directory } = aws.access;
    const trust = policy({ Effect: 'Allow', Principal: { AWS: '111122223333' }, Action: 'sts:AssumeRole' });
    const allow = policy({ Effect: 'Allow', Action: 'ecr:DescribeRepositories', Resource: '*' });
    const may = [{ Effect: 'Allow', Action: 'sts:AssumeRole', Resource: '*' }];
    const { accessKeyId } = await aws.user('alice', may);
    const { caller } = await credentials.find(accessKeyId, undefined);
    const assume = async (name: string) => {
      const { arn } = await identities.createRole('111122223333', name, trust, 3600);
      const holder = { accountId: '111122223333', kind: 'role', name } as const;
      await identities.attachPolicy(holder, { name: 'own', document: allow });
      await directory.refresh();
      return roleAssumption.assume(caller, { roleArn: arn, sessionName: 'build-7' }, {});
    };
    const session = await assume('builder');
    const call = (with_: Credentials) => aws.ecr(with_).describeRepositories({});

    await call(session);
    assert.equal(aws.audited.at(-1)?.caller?.arn, 'arn:aws:sts::111122223333:assumed-role/builder/build-7');
    const { sessionToken, ...tokenless } = session;
    await assert.rejects(call(tokenless), { name: 'UnrecognizedClientException' });
    await assert.rejects(call({ ...session, sessionToken: `${sessionToken}x` }), {
      name: 'UnrecognizedClientException',
    });
    const other = await assume('other');
    const mixed = { ...session, sessionToken: other.sessionToken };
    await assert.rejects(call(mixed), { name: 'UnrecognizedClientException' });
    await identities.deleteRole('111122223333', 'other');
    await directory.refresh();
    await assert.rejects(call(other), { name: 'UnrecognizedClientException' });
    aws.pass(3600);
    await assert.rejects(call(session), {
      name: 'ExpiredTokenException',
      message: 'The security token included in the request is expired',
    });
  });
});
