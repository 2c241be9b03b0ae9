import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import { after, before, beforeEach, describe, it } from 'node:test';
import { exportJWK, type GenerateKeyPairResult, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import type { IdentityProvider } from '../../core/access/identity-records.ts';
import { createOidcVerifier } from './oidc-verifier.ts';

const start = new Date('2026-03-01T12:00:00Z');
const NOT_VALIDATED = 'The web identity token that was passed could not be validated';

interface TestKey extends GenerateKeyPairResult {
  readonly kid: string;
  readonly alg: string;
}

function* endless() {
  for (;;) yield ' '.repeat(10_000);
}

const newKey = async (alg: string, kid: string): Promise<TestKey> => ({ ...(await generateKeyPair(alg)), alg, kid });

describe('a verifier of OpenID Connect tokens', () => {
  let rsa: TestKey;
  let elliptic: TestKey;
  let now = start;
  let published: TestKey[] = [];
  let document: Record<string, unknown> | undefined;
  let keySetText: string | undefined;
  let asked: string[] = [];
  let issuer = '';
  let verifier = createOidcVerifier();

  const server = createServer(async (request, response) => {
    asked.push(request.url ?? '');
    const discovery = document ?? { issuer, jwks_uri: `${issuer}/keys` };
    if (request.url === '/endless') return pipeline(endless(), response, () => {});
    if (request.url === '/away') return response.writeHead(302, { Location: '/keys' }).end();
    if (request.url === '/.well-known/openid-configuration') return response.end(JSON.stringify(discovery));
    const keys = published.map(async ({ publicKey, alg, kid }) => ({ ...(await exportJWK(publicKey)), alg, kid }));
    response.end(keySetText ?? JSON.stringify({ keys: await Promise.all(keys) }));
  });

  const provider = (): IdentityProvider => ({
    accountId: '111122223333',
    issuer,
    audiences: ['sts.amazonaws.com', 'gantry'],
    createdAt: start,
  });
  const seconds = (time: Date) => Math.floor(time.getTime() / 1000);
  const claims = (): JWTPayload => ({
    iss: issuer,
    aud: 'sts.amazonaws.com',
    sub: 'repo:octo/app:ref:refs/heads/main',
    iat: seconds(start),
    nbf: seconds(start),
    exp: seconds(start) + 300,
    repository: 'octo/app',
    roles: ['a', 'b'],
    run: 7,
  });
  const sign = ({ privateKey, alg, kid }: TestKey, payload: JWTPayload = claims()) =>
    new SignJWT(payload).setProtectedHeader({ alg, kid }).sign(privateKey);
  const verify = (token: string) => verifier.verify(token, provider());
  const refused = (token: string | Promise<string>, message: string | RegExp) =>
    assert.rejects(async () => verify(await token), { message });

  before(async () => {
    rsa = await newKey('RS256', 'one');
    elliptic = await newKey('ES256', 'two');
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  beforeEach(() => {
    now = start;
    published = [rsa, elliptic];
    document = undefined;
    keySetText = undefined;
    asked = [];
    verifier = createOidcVerifier({ now: () => now });
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  it('gives subject, audience and all claims that are texts', async () => {
    for (const key of [rsa, elliptic]) {
      const { subject, audience, texts } = await verify(await sign(key));
      assert.equal(subject, 'repo:octo/app:ref:refs/heads/main');
      assert.equal(audience, 'sts.amazonaws.com');
      assert.equal(texts.get('repository'), 'octo/app');
      assert.deepEqual(texts.get('roles'), ['a', 'b']);
      assert.equal(texts.has('run'), false);
    }
    assert.deepEqual(asked, ['/.well-known/openid-configuration', '/keys']);
    assert.equal(verifier.issuerOf(await sign(rsa)), issuer);
  });

  it('finds no issuer in what is no token', () => {
    const numbered = `e30.${Buffer.from('{"iss":1}').toString('base64url')}.x`;
    for (const token of ['', 'x', 'a.b.c', 'a.bnVsbA.c', numbered, `a.${'e'.repeat(30_000)}.c`]) {
      assert.equal(verifier.issuerOf(token), undefined, token.slice(0, 40));
    }
  });

  it('takes any audience of the provider, and no other', async () => {
    assert.equal((await verify(await sign(rsa, { ...claims(), aud: ['else', 'gantry'] }))).audience, 'gantry');
    await refused(sign(rsa, { ...claims(), aud: 'else' }), 'Incorrect token audience');
    await refused(sign(rsa, { ...claims(), aud: [] }), 'Incorrect token audience');
  });

  it('refuses tokens of another issuer, or without subject or end', async () => {
    await refused(
      sign(rsa, { ...claims(), iss: 'https://else.example' }),
      `${NOT_VALIDATED}: its claim 'iss' is missing or wrong`,
    );
    for (const claim of ['sub', 'exp', 'iat'] as const) {
      const { [claim]: _without, ...rest } = claims();
      await refused(sign(rsa, rest), `${NOT_VALIDATED}: its claim '${claim}' is missing or wrong`);
    }
  });

  it('holds tokens to their times, with a minute of leeway', async () => {
    const token = await sign(rsa);
    for (const [offset, isGood] of [
      [359, true],
      [360, false],
      [-60, true],
      [-61, false],
    ] as const) {
      now = new Date(start.getTime() + offset * 1000);
      if (isGood) await verify(token);
      else await refused(token, offset > 0 ? 'The web identity token that was passed is expired' : /claim '(nbf|iat)'/);
    }
  });

  it('refuses a changed token, one signed by a stranger, and one that nobody signed', async () => {
    const [head, payload, signature] = (await sign(rsa)).split('.');
    const changed = Buffer.from(JSON.stringify({ ...claims(), sub: 'root' })).toString('base64url');
    await refused(`${head}.${changed}.${signature}`, `${NOT_VALIDATED}: its signature is wrong`);
    await refused(`${head}.${payload}.`, /could not be validated/);
    await refused(sign(await newKey('RS256', 'one')), `${NOT_VALIDATED}: its signature is wrong`);
    await refused(new UnsecuredJWT(claims()).encode(), /could not be validated/);
  });

  it('does not take a public key for a shared secret', async () => {
    const secret = new TextEncoder().encode(JSON.stringify(await exportJWK(rsa.publicKey)));
    const token = new SignJWT(claims()).setProtectedHeader({ alg: 'HS256', kid: 'one' }).sign(secret);
    await refused(token, `${NOT_VALIDATED}: it is signed with an algorithm that is not taken`);
  });

  it('asks again for a key it does not know, and not more often than every 30 seconds', async () => {
    await verify(await sign(rsa));
    const next = await newKey('ES256', 'three');
    published = [next];
    const token = await sign(next);
    await refused(token, `${NOT_VALIDATED}: its issuer publishes no key of that id`);
    assert.equal(asked.length, 2);
    now = new Date(start.getTime() + 30_000);
    await verify(token);
    assert.equal(asked.length, 4);
    await refused(sign(rsa), `${NOT_VALIDATED}: its issuer publishes no key of that id`);
    assert.equal(asked.length, 4);
  });

  it('forgets keys after an hour', async () => {
    const at = (offset: number) => {
      now = new Date(start.getTime() + offset * 1000);
      return sign(rsa, { ...claims(), exp: seconds(now) + 300 });
    };
    await verify(await at(0));
    published = [elliptic];
    await verify(await at(3599));
    await refused(at(3600), /publishes no key/);
  });

  it('keeps the keys it has while their issuer is down, and asks one that never answered again', async () => {
    document = { issuer: 'https://else.example', jwks_uri: `${issuer}/keys` };
    await refused(sign(rsa), /^Couldn't retrieve verification key from your identity provider .*of another issuer/);
    document = undefined;
    await refused(sign(rsa), /^Couldn't retrieve/);
    now = new Date(start.getTime() + 30_000);
    await verify(await sign(rsa));
    keySetText = 'down';
    now = new Date(start.getTime() + 60_000);
    await refused(sign(await newKey('RS256', 'unknown')), /publishes no key/);
    await verify(await sign(rsa));
  });

  it('asks each address once for many tokens at a time', async () => {
    const token = await sign(rsa);
    await Promise.all(Array.from({ length: 20 }, () => verify(token)));
    assert.equal(asked.length, 2);
  });

  it('says what is wrong with an issuer', async () => {
    const wrong: [RegExp, () => void][] = [
      [/names no https address of keys$/, () => (document = { issuer, jwks_uri: 'http://192.0.2.1/keys' })],
      [/names no https address of keys$/, () => (document = { issuer, jwks_uri: 'file:///etc/passwd' })],
      [/cannot be reached/, () => (document = { issuer, jwks_uri: `${issuer}/away` })],
      [/more than 262144 bytes/, () => (document = { issuer, jwks_uri: `${issuer}/endless` })],
      [/more than 262144 bytes/, () => (keySetText = ' '.repeat(262_145))],
      [/something else than a JSON object/, () => (keySetText = '[]')],
      [/JSON Web Key Set malformed/, () => (keySetText = '{"keys":[1]}')],
    ];
    for (const [message, arrange] of wrong) {
      document = undefined;
      keySetText = undefined;
      arrange();
      verifier = createOidcVerifier({ now: () => now });
      await refused(sign(rsa), message);
    }
    const elsewhere = { ...provider(), issuer: 'http://192.0.2.1' };
    await assert.rejects(verifier.verify(await sign(rsa), elsewhere), { message: /it is no https URL$/ });
  });
});
