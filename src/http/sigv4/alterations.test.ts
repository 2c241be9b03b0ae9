import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { awsSigner } from './aws-signer.ts';
import { startVerifyingServer, type VerifyingServer } from './verifying-server.ts';

const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret', sessionToken: 'session-token' };
const signedAt = new Date('2026-01-02T03:04:05Z');

let server: VerifyingServer;
before(async () => {
  server = await startVerifyingServer({ AKIDEXAMPLE: 'secret' }, { now: () => signedAt });
});
after(() => server[Symbol.asyncDispose]());

/** A request as it goes over the wire, cut so that the odd pieces are signed and the even ones are not. */
type Pieces = readonly string[];

/** @param form of the signature; `bare` is a header signature without a declared hash of the body */
async function signedPieces(form: 'header' | 'query' | 'bare'): Promise<Pieces> {
  const body = '{"repositoryName":"team/app"}';
  const asked = {
    method: 'POST',
    protocol: 'http:',
    hostname: 'localhost',
    path: '/some/path%20here',
    query: { Action: 'A b', 'name+': '/x' },
    headers: {
      host: 'localhost:1',
      'content-type': 'application/x-amz-json-1.1',
      'content-length': String(body.length),
      'x-amz-target': 'AmazonEC2ContainerRegistry_V20150921.DescribeRepositories',
    },
    body,
  };
  const signer = awsSigner(credentials, { declareHash: form === 'header' });
  const signed =
    form === 'query'
      ? await signer.presign(asked, { signingDate: signedAt })
      : await signer.sign(asked, { signingDate: signedAt });
  const pairs = Object.entries(signed.query as Record<string, string>).map(
    ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
  );
  const { authorization, ...rest } = signed.headers;
  const headers = Object.entries(rest).flatMap(([name, value]) => [`\r\n${name}: `, value]);
  const end = authorization === undefined ? '' : `\r\nauthorization: ${authorization}`;
  return [
    '',
    'POST',
    ' ',
    `${signed.path}?${pairs.join('&')}`,
    ' HTTP/1.1',
    '',
    ...headers,
    `${end}\r\nconnection: close\r\n\r\n`,
    body,
  ];
}

async function statusOf(message: string): Promise<number | undefined> {
  const socket = connect(server.port, '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  // Refused before it is read to the end, a message may be answered by a reset as well.
  socket.on('error', () => {});
  socket.end(Buffer.from(message, 'latin1'));
  await once(socket, 'close');
  const status = /^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1];
  return status === undefined ? undefined : Number(status);
}

/** Escapes of either case say the same, and blanks at a header's ends are no part of its value (RFC 9110, 5.5). */
const meaning = (piece: string) => piece.replace(/%[0-9a-f]{2}/gi, (digits) => digits.toUpperCase()).trim();

describe('a signed request of which one byte was changed', () => {
  for (const form of ['header', 'query', 'bare'] as const) {
    it(`is refused, wherever the byte is: ${form}`, async () => {
      const pieces = await signedPieces(form);
      assert.equal(await statusOf(pieces.join('')), 200);
      let tried = 0;
      for (let piece = 1; piece < pieces.length; piece += 2) {
        const text = pieces[piece]!;
        for (let at = 0; at < text.length; at += 1) {
          const code = text.charCodeAt(at);
          for (const other of [code ^ 0x01, code ^ 0x20, code ^ 0x80, 0x2f, 0x20]) {
            const changed = text.slice(0, at) + String.fromCharCode(other) + text.slice(at + 1);
            if (meaning(changed) === meaning(text)) continue;
            const status = await statusOf(pieces.with(piece, changed).join(''));
            assert.notEqual(status, 200, `${JSON.stringify(text)} changed to ${JSON.stringify(changed)}`);
            tried += 1;
          }
        }
      }
      assert.ok(tried > 900, `${tried} changes tried`);
    });
  }

  it('is refused with one more of a signed header', async () => {
    const pieces = await signedPieces('header');
    for (const header of ['x-amz-target: A.B', 'content-type: text/plain', 'x-amz-security-token: other']) {
      const message = pieces.join('').replace('\r\nconnection', `\r\n${header}\r\nconnection`);
      assert.equal(await statusOf(message), 400, header);
    }
  });
});
