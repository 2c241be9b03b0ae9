import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { http } from '../../../test/support/http.ts';
import { awsSigner } from './aws-signer.ts';
import type { SignedRequest } from './signed-request.ts';
import { verifyBodyHash } from './verify.ts';
import { startVerifyingServer, type VerifyingServer } from './verifying-server.ts';

const keys = { AKIDEXAMPLE: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY', OTHER: 'other' };
const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: keys.AKIDEXAMPLE };
const hour = '2015-08-30T12:';
const signedAt = new Date(`${hour}36:00Z`);

let now = signedAt;
let server: VerifyingServer;
before(async () => {
  server = await startVerifyingServer(keys, { now: () => now });
});
after(() => server[Symbol.asyncDispose]());

type Query = Record<string, string | string[]>;
interface Asked {
  method?: string;
  path?: string;
  query?: Query;
  headers?: Record<string, string>;
  body?: string;
}

const host = () => `127.0.0.1:${server.port}`;
const requestOf = ({ method = 'POST', path = '/', query = {}, headers = {}, body = '{}' }: Asked) => ({
  method,
  protocol: 'http:',
  hostname: '127.0.0.1',
  port: server.port,
  path,
  query,
  headers: { host: host(), ...headers },
  body,
});

/** A query as browsers and SDKs write it. */
function written(query: Query): string {
  const escaped = (text: string) =>
    encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16)}`);
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    [value].flat().map((one) => `${escaped(name)}=${escaped(one)}`),
  );
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly query?: Query;
  readonly headers: Record<string, string>;
  readonly body?: string | Buffer;
}

const send = async ({ method, path, query = {}, headers, body }: Sent) => {
  const url = `http://${host()}${path}${written(query)}`;
  const { status, json } = await http(url, { method, headers, body });
  return { status, ...json() } as { status: number; __type?: string; message?: string };
};
const signed = async (asked: Asked, options = {}) =>
  (await awsSigner(credentials, options).sign(requestOf(asked), { signingDate: signedAt })) as Sent;
const refusal = (answer: { status: number; __type?: string; message?: string }) =>
  [answer.status, answer.__type, answer.message] as const;

const mismatch =
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.';

describe('a signature', () => {
  it('is the one of the example in the IAM user guide', async () => {
    const { status } = await send({
      method: 'GET',
      path: '/',
      query: { Action: 'ListUsers', Version: '2010-05-08' },
      headers: {
        Host: 'iam.amazonaws.com',
        'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8',
        'X-Amz-Date': '20150830T123600Z',
        Authorization:
          'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
      },
    });
    assert.equal(status, 200);
  });

  it('is the one of the oldest test suite of AWS, which signs a date of HTTP', async () => {
    now = new Date('2011-09-09T23:36:00Z');
    const headers = {
      Host: 'host.foo.com',
      Date: 'Mon, 09 Sep 2011 23:36:00 GMT',
      Authorization:
        'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20110909/us-east-1/host/aws4_request, SignedHeaders=date;host, Signature=b27ccfbfa7df52a200ff74193ca6e32d4b48b8856fab7ebf1c595d0670a7e470',
    };
    const answer = await send({ method: 'GET', path: '/', headers });
    now = signedAt;
    assert.deepEqual(answer, { status: 200 });
  });

  const asked: Record<string, Asked> = {
    'no body': { method: 'GET', body: '' },
    'a target': { headers: { 'x-amz-target': 'A.B', 'content-type': 'application/x-amz-json-1.1' } },
    'repeated blanks in a header': { headers: { 'x-amz-a': '  a   b \t c  ', 'x-b': '"a   b"' } },
    'an empty header': { headers: { 'x-a': '' } },
    'a path of escapes': { path: "/a%20b/%C3%A9/%2F/c+d/e!f*'()/~._-:@" },
    'a path of dots and slashes': { path: '/a//b/./c/../d/' },
    'a path of nothing but slashes': { path: '//' },
    'odd characters in the query': {
      query: { 'a b': 'c d', '+': '+', é: '€', '%': '%zz', "!'()*": "!'()*", '': 'x', '/?': '/?', '~-_.': '~-_.' },
    },
    'parameters of one name': { query: { a: ['b', 'A', '1', ''], A: 'x', 'a-': '1', aa: '2' } },
    'a parameter without a value': { query: { acl: '' } },
    'a header that only some clients sign': { headers: { 'x-forwarded-for': '1.2.3.4', 'accept-encoding': 'gzip' } },
    'a body of many bytes': { body: 'ä'.repeat(300_000) },
  };
  for (const [what, one] of Object.entries(asked)) {
    it(`is as AWS's own signer makes it, with ${what}`, async () => {
      assert.deepEqual(await send(await signed(one)), { status: 200 });
      assert.deepEqual(await send(await signed(one, { declareHash: false })), { status: 200 });
      const link = await awsSigner(credentials).presign(requestOf(one), { signingDate: signedAt, expiresIn: 60 });
      assert.deepEqual(await send(link as Sent), { status: 200 });
    });
  }

  it('may cover a session token, which is told', async () => {
    const signer = awsSigner({ ...credentials, sessionToken: 'token/+=' });
    const plain = (await signer.sign(requestOf({}), { signingDate: signedAt })) as Sent;
    const link = (await signer.presign(requestOf({}), { signingDate: signedAt })) as Sent;
    for (const request of [plain, link]) {
      assert.deepEqual(await send(request), { status: 200 });
      assert.equal(server.admitted.at(-1)?.sessionToken, 'token/+=');
    }
  });

  it('covers a header as the bytes that were sent', async () => {
    for (const value of ['é€', 'à', 'à  à']) {
      const request = await signed({ headers: { 'x-amz-a': value } });
      const sent = Buffer.from(value).toString('latin1');
      const headers = { ...request.headers, 'x-amz-a': sent };
      // Node writes the head of a message in the encoding of a body that is text.
      assert.deepEqual(await send({ ...request, headers, body: Buffer.from('{}') }), { status: 200 }, value);
    }
  });

  it('of another secret is refused in the words of AWS, without the canonical request', async () => {
    const signer = awsSigner({ ...credentials, secretAccessKey: 'wrong' });
    const request = (await signer.sign(requestOf({}), { signingDate: signedAt })) as Sent;
    assert.deepEqual(refusal(await send(request)), [400, 'InvalidSignatureException', mismatch]);
  });

  it('of a key whose secret was replaced is refused, and the new one is taken', async () => {
    const secrets: Record<string, string> = { AKIDEXAMPLE: keys.AKIDEXAMPLE };
    await using rotating = await startVerifyingServer(secrets, { now: () => signedAt });
    const attempt = async (secretAccessKey: string) => {
      const request = { ...requestOf({}), port: rotating.port, headers: { host: `127.0.0.1:${rotating.port}` } };
      const { headers } = await awsSigner({ ...credentials, secretAccessKey }).sign(request, {
        signingDate: signedAt,
      });
      const url = `http://127.0.0.1:${rotating.port}/`;
      return (await http(url, { method: 'POST', headers, body: '{}' })).status;
    };
    assert.equal(await attempt(keys.AKIDEXAMPLE), 200);
    secrets.AKIDEXAMPLE = 'new';
    assert.deepEqual([await attempt(keys.AKIDEXAMPLE), await attempt('new')], [400, 200]);
  });

  it('does not carry a body that is not signed', async () => {
    const request = await signed({ headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } });
    assert.deepEqual(refusal(await send(request)), [
      400,
      'InvalidSignatureException',
      'The request body must be signed.',
    ]);
  });

  it('may be verified before the body is there, which then has to be the one declared', async () => {
    const hash = createHash('sha256').update('{}').digest('hex');
    const declared = { payloadHash: hash } as SignedRequest;
    verifyBodyHash(declared, hash);
    verifyBodyHash({ payloadHash: undefined } as SignedRequest, 'any');
    assert.throws(() => verifyBodyHash(declared, hash.replace(/^./, 'x')), { message: mismatch });
  });

  it('covers a parameter by whatever name', async () => {
    const request = await signed({ method: 'GET', body: '' });
    for (const name of ['__proto__', 'constructor', 'x-amz-signature']) {
      assert.equal(refusal(await send({ ...request, path: `/?${name}=1` }))[2], mismatch, name);
    }
  });
});

describe('a clock', () => {
  const at = async (time: string, make: () => Promise<Sent>) => {
    const request = await make();
    now = new Date(`${hour}${time}Z`);
    try {
      return refusal(await send(request));
    } finally {
      now = signedAt;
    }
  };
  const link = async () =>
    (await awsSigner(credentials).presign(requestOf({}), { signingDate: signedAt, expiresIn: 90 })) as Sent;

  it('may be five minutes off', async () => {
    assert.equal((await at('41:00', () => signed({})))[0], 200);
    assert.equal((await at('31:00', () => signed({})))[0], 200);
  });

  it('may not be more, and a replayed request is refused by it', async () => {
    assert.deepEqual(await at('41:01', () => signed({})), [
      400,
      'InvalidSignatureException',
      'Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)',
    ]);
    assert.deepEqual(await at('30:59', () => signed({})), [
      400,
      'InvalidSignatureException',
      'Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T123059Z + 5 min.)',
    ]);
  });

  it('ends a link when the link says, and not before it was made', async () => {
    assert.equal((await at('37:30', link))[0], 200);
    assert.match(String((await at('37:31', link))[2]), /^Signature expired: .* - 90 sec\.\)$/);
    assert.match(String((await at('30:59', link))[2]), /^Signature not yet current: /);
  });
});

describe('a signature that is not for here', () => {
  it('is refused by the service', async () => {
    const answer = refusal(await send(await signed({}, { service: 's3' })));
    assert.deepEqual(answer.slice(1), [
      'InvalidSignatureException',
      "Credential should be scoped to correct service: 'ecr' or 'sts' or 'iam' or 'host'.",
    ]);
  });

  it('is refused by the day', async () => {
    const request = await signed({});
    const authorization = String(request.headers.authorization).replace('/20150830/', '/20150831/');
    const answer = refusal(await send({ ...request, headers: { ...request.headers, authorization } }));
    assert.equal(
      answer[2],
      "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20150831' != '20150830', from '20150830T123600Z'.",
    );
  });

  it('is refused when it does not cover the host, or the operation', async () => {
    const request = await signed({ headers: { 'x-amz-target': 'A.B' } });
    for (const [name, signedName] of [
      ['host', 'host;'],
      ['x-amz-target', ';x-amz-target'],
    ] as const) {
      const authorization = String(request.headers.authorization).replace(signedName, '');
      const answer = refusal(await send({ ...request, headers: { ...request.headers, authorization } }));
      assert.match(
        String(answer[2]),
        new RegExp(`^'${name}'.* must be a 'SignedHeader' in the AWS Authorization\\.$`, 'i'),
      );
    }
  });
});
