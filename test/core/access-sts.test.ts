import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { awsSigner } from '../../src/http/sigv4/aws-signer.ts';
import { type HttpAnswer, http } from '../support/http.ts';
import { startWebIdentityIssuer, type WebIdentityIssuer } from '../support/web-identity-issuer.ts';
import { type AwsUnderTest, awsUnderTest, type Credentials, policy } from './aws-under-test.ts';

const ACCOUNT = '111122223333';
const ROLE = `arn:aws:iam::${ACCOUNT}:role/builder`;
const FORM = 'application/x-www-form-urlencoded; charset=utf-8';
const NAMESPACE = 'xmlns="https://sts.amazonaws.com/doc/2011-06-15/"';

let aws: AwsUnderTest;
before(async () => {
  aws = await awsUnderTest();
});
beforeEach(() => aws.audited.splice(0));
after(() => aws[Symbol.asyncDispose]());

/** A signed query; `change` may alter the body after that. */
async function ask(
  credentials: Credentials,
  parameters: Record<string, string>,
  { service = 'sts', change = (body: string) => body, server = aws } = {},
): Promise<HttpAnswer> {
  const body = String(new URLSearchParams({ Version: '2011-06-15', ...parameters }));
  const headers = { host: `127.0.0.1:${server.port}`, 'content-type': FORM };
  const request = { method: 'POST', protocol: 'http:', hostname: '127.0.0.1', path: '/', headers, body };
  const signed = await awsSigner(credentials, { service, declareHash: false }).sign(request, {
    signingDate: server.now(),
  });
  return http(`${server.url}/`, { method: 'POST', headers: signed.headers, body: change(body) });
}

function compact(answer: HttpAnswer): string {
  assert.equal(answer.headers['content-type'], 'text/xml');
  return answer
    .text()
    .replace(/>\s+</g, '><')
    .replace(/<RequestId>[0-9a-f-]{36}</, '<RequestId>ID<')
    .trim();
}

function assertRefused(
  answer: HttpAnswer,
  status: number,
  code: string,
  message: string | RegExp = /\S/,
  { audited } = aws,
): void {
  const [, type, found, text = ''] =
    /^<ErrorResponse .*<Type>(.*)<\/Type><Code>(.*)<\/Code><Message>(.*)<\/Message><\/Error><RequestId>ID<\/RequestId><\/ErrorResponse>$/.exec(
      compact(answer),
    ) ?? [];
  assert.deepEqual([answer.status, type, found], [status, 'Sender', code], answer.text());
  const plain = text.replaceAll('&apos;', "'").replaceAll('&quot;', '"').replaceAll('&amp;', '&');
  if (typeof message === 'string') assert.equal(plain, message);
  else assert.match(plain, message);
  assert.equal(audited.at(-1)?.error?.code, code);
}

function credentialsIn(answer: HttpAnswer): Credentials {
  const value = (name: string) => new RegExp(`<${name}>(.*)</${name}>`).exec(answer.text())?.[1] ?? '';
  return {
    accessKeyId: value('AccessKeyId'),
    secretAccessKey: value('SecretAccessKey'),
    sessionToken: value('SessionToken'),
  };
}

async function makeRole(name: string, trust: object): Promise<void> {
  const { identities, directory } = aws.access;
  await identities.createRole(ACCOUNT, name, policy(trust), 7200);
  const document = policy({ Effect: 'Allow', Action: 'ecr:DescribeRepositories', Resource: '*' });
  await identities.attachPolicy({ accountId: ACCOUNT, kind: 'role', name }, { name: 'own', document });
  await directory.refresh();
}

describe('GetCallerIdentity where access is enforced', () => {
  const Action = 'GetCallerIdentity';
  const answered = (arn: string, userId: string) =>
    `<GetCallerIdentityResponse ${NAMESPACE}><GetCallerIdentityResult><Arn>${arn}</Arn><UserId>${userId}</UserId>` +
    `<Account>${ACCOUNT}</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>ID</RequestId></ResponseMetadata></GetCallerIdentityResponse>`;

  it('tells root and users who they are, whatever their policies say', async () => {
    const arn = `arn:aws:iam::${ACCOUNT}:root`;
    assert.equal(compact(await ask(await aws.root(), { Action })), answered(arn, ACCOUNT));
    const denied = await aws.user('denied', [{ Effect: 'Deny', Action: '*', Resource: '*' }]);
    const { userId = '' } = (await aws.access.directory.user(ACCOUNT, 'denied')) ?? {};
    assert.equal(compact(await ask(denied, { Action })), answered(`arn:aws:iam::${ACCOUNT}:user/denied`, userId));
    const [entry] = aws.audited;
    assert.deepEqual(
      [entry?.eventName, entry?.eventSource, entry?.caller?.arn, entry?.requestParameters],
      [Action, 'sts.amazonaws.com', arn, {}],
    );
  });

  it('takes a presigned link, as EKS clients send it', async () => {
    const user = await aws.user('linked', []);
    const headers = { host: `127.0.0.1:${aws.port}`, 'x-k8s-aws-id': 'cluster' };
    const query = { Action, Version: '2011-06-15' };
    const request = { method: 'GET', protocol: 'http:', hostname: '127.0.0.1', path: '/', query, headers };
    const options = { signingDate: aws.now(), expiresIn: 60, unhoistableHeaders: new Set(['x-k8s-aws-id']) };
    const signed = await awsSigner(user, { service: 'sts' }).presign(request, options);
    const link = `${aws.url}/?${new URLSearchParams(signed.query as Record<string, string>)}`;
    const get = (url: string, cluster: string) => http(url, { headers: { ...headers, 'x-k8s-aws-id': cluster } });
    assert.match(compact(await get(link, 'cluster')), /:user\/linked</);
    assertRefused(await get(link, 'else'), 403, 'SignatureDoesNotMatch');
    assertRefused(await get(`${link}&a=b`, 'cluster'), 403, 'SignatureDoesNotMatch');
    assert.equal(JSON.stringify(aws.audited).includes(String(signed.query?.['X-Amz-Signature'])), false);
  });

  it('is refused in the words of STS', async () => {
    const user = await aws.user('carol', []);
    const stranger = { ...user, accessKeyId: 'AKIAIOSFODNN7EXAMPLE' };
    assertRefused(
      await ask(stranger, { Action }),
      403,
      'InvalidClientTokenId',
      'The security token included in the request is invalid.',
    );
    assertRefused(await ask({ ...user, secretAccessKey: 'wrong' }, { Action }), 403, 'SignatureDoesNotMatch');
    assertRefused(await ask(user, { Action }, { change: (body) => `${body}&a=b` }), 403, 'SignatureDoesNotMatch');
    assertRefused(
      await ask(user, { Action }, { service: 'ecr' }),
      403,
      'SignatureDoesNotMatch',
      /correct service: 'sts'/,
    );
    const unsigned = await http(`${aws.url}/?Action=GetCallerIdentity&Version=2011-06-15`);
    assertRefused(unsigned, 403, 'MissingAuthenticationToken', 'Request is missing Authentication Token');
    const headers = { 'content-type': FORM, authorization: 'AWS4-HMAC-SHA256 Credential=x' };
    const broken = await http(`${aws.url}/`, { method: 'POST', headers, body: `Action=${Action}` });
    assertRefused(broken, 400, 'IncompleteSignature');
    assertRefused(await ask(user, { Action: 'GetSessionToken' }), 400, 'InvalidAction');
  });
});

describe('STS', () => {
  it('lets a principal go that asks too fast', async () => {
    const take = (arn: string, operation: string) =>
      `${arn} ${operation}` !== `arn:aws:iam::${ACCOUNT}:root GetCallerIdentity`;
    await using slow = await awsUnderTest({ throttle: { take } });
    const answer = await ask(await slow.root(), { Action: 'GetCallerIdentity' }, { server: slow });
    assertRefused(answer, 400, 'Throttling', 'Rate exceeded', slow);
  });
});

describe('AssumeRole', () => {
  const Action = 'AssumeRole';
  const asked = { Action, RoleArn: ROLE, RoleSessionName: 'build-7' };
  let alice: Credentials;
  before(async () => {
    const may = { Effect: 'Allow', Action: 'sts:AssumeRole', Resource: '*' };
    alice = await aws.user('alice', [may]);
    await makeRole('builder', { Effect: 'Allow', Principal: { AWS: ACCOUNT }, Action: 'sts:AssumeRole' });
  });

  it('gives a session in the form of AWS, which can sign', async () => {
    const answer = await ask(alice, { ...asked, DurationSeconds: '900' });
    const { roleId } = (await aws.access.directory.role(ACCOUNT, 'builder')) ?? {};
    const arn = `arn:aws:sts::${ACCOUNT}:assumed-role/builder/build-7`;
    const credentials = credentialsIn(answer);
    assert.match(credentials.accessKeyId, /^ASIA[A-Z2-7]{16}$/);
    assert.equal(
      compact(answer),
      `<AssumeRoleResponse ${NAMESPACE}><AssumeRoleResult><AssumedRoleUser><AssumedRoleId>${roleId}:build-7</AssumedRoleId>` +
        `<Arn>${arn}</Arn></AssumedRoleUser><Credentials><AccessKeyId>${credentials.accessKeyId}</AccessKeyId>` +
        `<SecretAccessKey>${credentials.secretAccessKey}</SecretAccessKey><SessionToken>${credentials.sessionToken}</SessionToken>` +
        `<Expiration>${new Date(aws.now().getTime() + 900_000).toISOString()}</Expiration></Credentials></AssumeRoleResult>` +
        '<ResponseMetadata><RequestId>ID</RequestId></ResponseMetadata></AssumeRoleResponse>',
    );
    const [entry] = aws.audited;
    assert.deepEqual(entry?.resources, [ROLE]);
    const { RoleArn: roleArn, RoleSessionName: roleSessionName } = asked;
    assert.deepEqual(entry?.requestParameters, { roleArn, roleSessionName, durationSeconds: '900' });

    await aws.ecr(credentials).describeRepositories({});
    assert.match(compact(await ask(credentials, { Action: 'GetCallerIdentity' })), new RegExp(`<Arn>${arn}</Arn>`));
    await assert.rejects(aws.ecr(credentials).listImages({ repositoryName: 'one' }), { name: 'AccessDeniedException' });
    aws.pass(900);
    assertRefused(await ask(credentials, { Action: 'GetCallerIdentity' }), 403, 'ExpiredToken');
  });

  it('gives a session no more than its own policy allows', async () => {
    const document = policy({ Effect: 'Allow', Action: 'ecr:ListImages', Resource: '*' });
    const credentials = credentialsIn(await ask(alice, { ...asked, Policy: document }));
    await assert.rejects(aws.ecr(credentials).describeRepositories({}), { message: /no session policy allows/ });
  });

  it('is refused to whom the role or their own policies do not let', async () => {
    const denied = (user: string, arn = ROLE) =>
      new RegExp(
        `^User: arn:aws:iam::${ACCOUNT}:user/${user} is not authorized to perform: sts:AssumeRole on resource: ${arn}$`,
      );
    const foreign = await aws.user('bob', [{ Effect: 'Allow', Action: 'sts:*', Resource: '*' }], '444455556666');
    assertRefused(await ask(foreign, asked), 403, 'AccessDenied', /user\/bob is not authorized/);
    const none = ROLE.replace('builder', 'none');
    assertRefused(await ask(alice, { ...asked, RoleArn: none }), 403, 'AccessDenied', denied('alice', none));
    assertRefused(await ask({ ...alice, secretAccessKey: 'wrong' }, asked), 403, 'SignatureDoesNotMatch');
  });

  it('says which parameter is wrong', async () => {
    const without = (name: string) => Object.fromEntries(Object.entries(asked).filter(([key]) => key !== name));
    const invalid = async (parameters: Record<string, string>, message: string | RegExp, code = 'ValidationError') =>
      assertRefused(await ask(alice, parameters), 400, code, message);
    const detected = '1 validation error detected: Value';
    await invalid(
      without('RoleArn'),
      `${detected} null at 'roleArn' failed to satisfy constraint: Member must not be null`,
    );
    await invalid(without('RoleSessionName'), /Value null at 'roleSessionName'/);
    await invalid({ ...asked, RoleSessionName: 'a b' }, /at 'roleSessionName' .* regular expression pattern/);
    await invalid({ ...asked, RoleArn: 'x' }, /at 'roleArn' .* greater than or equal to 20$/);
    await invalid({ ...asked, DurationSeconds: '1e3' }, /at 'durationSeconds' .*an integer$/);
    await invalid({ ...asked, DurationSeconds: '7201' }, /DurationSeconds/);
    await invalid({ ...asked, DurationSeconds: '899' }, /DurationSeconds/);
    await invalid({ ...asked, Policy: '{}' }, /\S/, 'MalformedPolicyDocument');
    await invalid({ ...asked, Policy: 'x'.repeat(2049) }, /at 'policy' .* less than or equal to 2048$/);
    await invalid({ ...asked, 'PolicyArns.member.1.arn': 'arn:aws:iam::aws:policy/x' }, /PolicyArns/);
  });
});

describe('AssumeRoleWithWebIdentity', () => {
  const Action = 'AssumeRoleWithWebIdentity';
  const subject = 'repo:octo/app:ref:refs/heads/main';
  const NOT_AUTHORIZED = 'Not authorized to perform sts:AssumeRoleWithWebIdentity';
  let provider: WebIdentityIssuer;
  before(async () => {
    provider = await startWebIdentityIssuer();
    const { issuer } = provider;
    const host = issuer.replace('http://', '');
    const audiences = ['sts.amazonaws.com'];
    await aws.metadata.transaction('alone', ({ access }) =>
      access.putIdentityProvider({ accountId: ACCOUNT, issuer, audiences, createdAt: aws.now() }),
    );
    await makeRole('deployer', {
      Effect: 'Allow',
      Principal: { Federated: `arn:aws:iam::${ACCOUNT}:oidc-provider/${host}` },
      Action: 'sts:AssumeRoleWithWebIdentity',
      Condition: {
        StringEquals: { [`${host}:aud`]: 'sts.amazonaws.com' },
        StringLike: { [`${host}:sub`]: 'repo:octo/*' },
      },
    });
  });
  after(() => provider[Symbol.asyncDispose]());

  const withToken = (WebIdentityToken: string, more: Record<string, string> = {}) => {
    const role = { RoleArn: ROLE.replace('builder', 'deployer'), RoleSessionName: 'ci' };
    const parameters = { Action, Version: '2011-06-15', ...role, WebIdentityToken, ...more };
    const headers = { 'content-type': FORM };
    return http(`${aws.url}/`, { method: 'POST', headers, body: String(new URLSearchParams(parameters)) });
  };

  it('gives a session for a token, unsigned, which can sign', async () => {
    const token = await provider.token(aws.now(), { sub: subject });
    const answer = await withToken(token);
    const credentials = credentialsIn(answer);
    assert.equal(
      compact(answer).replace(/<AssumedRoleUser>.*<\/Credentials>/, '…'),
      `<${Action}Response ${NAMESPACE}><${Action}Result><SubjectFromWebIdentityToken>${subject}</SubjectFromWebIdentityToken>` +
        `<Audience>sts.amazonaws.com</Audience>…<Provider>${provider.issuer}</Provider></${Action}Result>` +
        `<ResponseMetadata><RequestId>ID</RequestId></ResponseMetadata></${Action}Response>`,
    );
    assert.match(answer.text(), new RegExp(`<Arn>arn:aws:sts::${ACCOUNT}:assumed-role/deployer/ci</Arn>`));
    await aws.ecr(credentials).describeRepositories({});
    const [entry] = aws.audited;
    assert.equal(entry?.requestParameters.subject, subject);
    const kept = JSON.stringify(aws.audited);
    for (const secret of [token, credentials.secretAccessKey, String(credentials.sessionToken)]) {
      assert.equal(kept.includes(secret), false);
    }
  });

  it('is refused by conditions of the role, and by the token', async () => {
    const foreign = await provider.token(aws.now(), { sub: 'repo:evil/app:ref:refs/heads/main' });
    assertRefused(await withToken(foreign), 403, 'AccessDenied', NOT_AUTHORIZED);
    const good = await provider.token(aws.now(), { sub: subject });
    assertRefused(await withToken(good, { RoleArn: ROLE }), 403, 'AccessDenied', NOT_AUTHORIZED);
    assertRefused(await withToken(good, { RoleArn: `${ROLE}-none` }), 403, 'AccessDenied', NOT_AUTHORIZED);
    const elsewhere = await provider.token(aws.now(), { sub: subject, aud: 'else' });
    assertRefused(await withToken(elsewhere), 400, 'InvalidIdentityToken', 'Incorrect token audience');
    const strange = await provider.token(aws.now(), { sub: subject, iss: 'https://else.example' });
    assertRefused(
      await withToken(strange),
      400,
      'InvalidIdentityToken',
      /^No OpenIDConnect provider found in your account/,
    );
    assertRefused(await withToken('none'), 400, 'InvalidIdentityToken');
    assertRefused(await withToken(`${good}x`), 400, 'InvalidIdentityToken');
    const old = await provider.token(new Date(aws.now().getTime() - 3600_000), { sub: subject });
    assertRefused(await withToken(old), 400, 'InvalidIdentityToken', /expired/);
    assertRefused(await withToken(''), 400, 'ValidationError', /at 'webIdentityToken'/);
  });
});
