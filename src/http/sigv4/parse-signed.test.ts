import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { http } from '../../../test/support/http.ts';
import { startVerifyingServer, type VerifyingServer } from './verifying-server.ts';

let server: VerifyingServer;
before(async () => {
  server = await startVerifyingServer({});
});
after(() => server[Symbol.asyncDispose]());

const credential = 'Credential=AKID/20150830/us-east-1/ecr/aws4_request';
const whole = `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=host, Signature=00`;
const date = { 'X-Amz-Date': '20150830T123600Z' };
const link = {
  'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
  'X-Amz-Credential': 'AKID/20150830/us-east-1/ecr/aws4_request',
  'X-Amz-Date': '20150830T123600Z',
  'X-Amz-Expires': '60',
  'X-Amz-SignedHeaders': 'host',
  'X-Amz-Signature': '00',
};

async function refusalOf(headers: Record<string, string | string[]>, query = ''): Promise<[string, string]> {
  const answer = await http(`http://127.0.0.1:${server.port}/${query}`, { method: 'POST', headers });
  assert.equal(answer.status, 400);
  const { __type, message } = answer.json();
  return [__type, message];
}

describe('a request', () => {
  it('without a signature is told so', async () => {
    assert.deepEqual(await refusalOf({}), ['MissingAuthenticationTokenException', 'Missing Authentication Token']);
    assert.equal((await refusalOf({}, '?a=X-Amz-Signature'))[0], 'MissingAuthenticationTokenException');
  });

  const broken: Record<string, [authorization: string, says: RegExp]> = {
    'another scheme': ['Basic QVdTOng', /missing equal-sign.*hashed with SHA-256/],
    'another algorithm': [whole.replace('SHA256', 'SHA512'), /algorithm/],
    'nothing after the algorithm': ['AWS4-HMAC-SHA256', /missing equal-sign/],
    'no credential': [whole.replace(`${credential}, `, ''), /^Authorization header requires 'Credential' parameter\. /],
    'no signature': [whole.replace(', Signature=00', ''), /^Authorization header requires 'Signature' parameter\. /],
    'no list of headers': [whole.replace(', SignedHeaders=host', ''), /requires 'SignedHeaders' parameter\. /],
    'two signatures': [`${whole}, Signature=01`, /two 'Signature' parameters/],
    'four words in its credential': [whole.replace('/us-east-1', ''), /exactly 5 slash-delimited elements/],
    'six words in its credential': [whole.replace('/us-east-1', '/a/b'), /exactly 5 slash-delimited elements/],
    'a key id that is none': [whole.replace('AKID', 'AK<ID'), /exactly 5 slash-delimited elements/],
    'a region that is none': [whole.replace('us-east-1', 'US_EAST'), /valid region/],
    'another terminator': [whole.replace('aws4_request', 'aws5_request'), /valid terminator/],
    'a header name with a blank': [whole.replace('=host', '=host;a b'), /distinct header names/],
    'a header name in capitals': [whole.replace('=host', '=Host'), /distinct header names/],
    'a header name twice': [whole.replace('=host', '=host;host'), /distinct header names/],
  };
  for (const [what, [authorization, says]] of Object.entries(broken)) {
    it(`is refused with ${what}`, async () => {
      const [code, message] = await refusalOf({ ...date, Authorization: authorization });
      assert.match(message, says);
      assert.match(code, /^(?:IncompleteSignature|InvalidSignature)Exception$/);
      assert.doesNotMatch(message, /QVdTOng|AK<ID/);
    });
  }

  it('is refused without a date, with a broken one and with two', async () => {
    assert.match(
      (await refusalOf({ Authorization: whole }))[1],
      /existence of either a 'X-Amz-Date' or a 'Date' header/,
    );
    for (const value of ['2015-08-30', '20151330T123600Z', '', ['20150830T123600Z', '20150830T123600Z']]) {
      assert.match((await refusalOf({ Authorization: whole, 'X-Amz-Date': value }))[1], /ISO-8601 'basic format'/);
    }
  });

  it('is refused with a hash that is none', async () => {
    const headers = { ...date, Authorization: whole, 'X-Amz-Content-Sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD' };
    assert.match((await refusalOf(headers))[1], /x-amz-content-sha256/);
  });

  it('is refused when it is signed in both ways', async () => {
    const query = `?${new URLSearchParams(link)}`;
    assert.match((await refusalOf({ ...date, Authorization: whole }, query))[1], /Use one of them/);
  });
});

describe('a link', () => {
  for (const name of Object.keys(link).filter((one) => one !== 'X-Amz-Expires')) {
    it(`is refused without ${name}, and with two`, async () => {
      const parameters = new URLSearchParams(link);
      parameters.append(name, 'x');
      assert.match((await refusalOf({}, `?${parameters}`))[1], new RegExp(`must include '${name}' once`));
      parameters.delete(name);
      assert.match((await refusalOf({}, `?${parameters}`))[1], new RegExp(`must include '${name}'\\.`));
    });
  }

  it('is refused when it would last for more than a week, or no time', async () => {
    for (const seconds of ['0', '-1', '604801', '1e3', '']) {
      const query = `?${new URLSearchParams({ ...link, 'X-Amz-Expires': seconds })}`;
      assert.match((await refusalOf({}, query))[1], /X-Amz-Expires/, seconds);
    }
  });
});
