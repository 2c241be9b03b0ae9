import { randomUUID } from 'node:crypto';
import { type Credentials, ecrSigned } from '../../test/support/access.ts';
import { Connection } from './connection.ts';
import { expect } from './requests.ts';

export interface CallSigned {
  readonly kind: 'call-signed';
  readonly port: number;
  readonly operation: string;
  readonly input: object;
  readonly credentials: Credentials;
  readonly connections: number;
  readonly seconds: number;
}

/** Signed beforehand, so that the load costs little; each differs from the others as those of an SDK do. */
const requestsSigned = 5000;

/** One operation of the ECR API over and over, one request under way per connection. */
export async function callSigned({ port, operation, input, credentials, connections, seconds }: CallSigned) {
  const requests: Buffer[] = [];
  for (let serial = 0; serial < requestsSigned; serial++) {
    requests.push(await signedRequest(`http://127.0.0.1:${port}`, operation, input, credentials));
  }
  const open = await Promise.all(Array.from({ length: connections }, () => Connection.open(port)));
  let operations = 0;
  const start = performance.now();
  const end = start + seconds * 1000;
  const work = open.map(async (connection) => {
    while (performance.now() < end) {
      const request = requests[operations++ % requestsSigned]!;
      expect(await connection.request(request, [], { keepsBody: false }), 200);
    }
    connection.close();
  });
  await Promise.all(work);
  return { seconds: (performance.now() - start) / 1000, bytes: 0, operations };
}

/** As AWS's SDK for JavaScript signs it: these headers and the invocation's id are signed too. */
async function signedRequest(url: string, operation: string, input: object, credentials: Credentials): Promise<Buffer> {
  const body = JSON.stringify(input);
  const headers = await ecrSigned(url, operation, body, credentials, {
    'content-length': String(Buffer.byteLength(body)),
    'amz-sdk-invocation-id': randomUUID(),
    'amz-sdk-request': 'attempt=1; max=1',
    'x-amz-user-agent': 'aws-sdk-js/3.1169.0 ua/2.1 os/linux lang/js md/nodejs api/ecr',
  });
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`POST / HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
}
