import { type Answer, type Connection, headerOf } from './connection.ts';

// Real clients send credentials; the peer, which asks for none, reads over them.
const credentials = `Basic ${Buffer.from('AWS:benchmark').toString('base64')}`;
const credentialScope = 'AKIDEXAMPLE/20260101/us-east-1/ecr/aws4_request';
const awsAuthorization = `AWS4-HMAC-SHA256 Credential=${credentialScope}, SignedHeaders=host;x-amz-date;x-amz-target, Signature=${'0'.repeat(64)}`;

/** The head of a registry request, ready to send. */
export function head(
  method: string,
  path: string,
  port: number,
  headers: Record<string, string | number> = {},
): string {
  const all = { Host: `127.0.0.1:${port}`, 'User-Agent': 'gantry-bench', Authorization: credentials, ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

/** The head of an ECR operation whose body has `bodyBytes` bytes. */
export function awsHead(operation: string, port: number, bodyBytes: number): string {
  return head('POST', '/', port, {
    Authorization: awsAuthorization,
    'X-Amz-Date': '20260101T000000Z',
    'X-Amz-Target': `AmazonEC2ContainerRegistry_V20150921.${operation}`,
    'Content-Type': 'application/x-amz-json-1.1',
    'Content-Length': bodyBytes,
  });
}

/** One ECR operation with a small body. */
export async function awsRequest(connection: Connection, port: number, operation: string, input: object) {
  const body = Buffer.from(JSON.stringify(input));
  return JSON.parse(
    expect(await connection.request(awsHead(operation, port, body.length), [body]), 200).body.toString(),
  );
}

/** @throws Error with the server's words when the status is another */
export function expect(answer: Answer, status: number): Answer {
  if (answer.status === status) return answer;
  throw new Error(`expected ${status}, was answered:\n${answer.head}\n\n${answer.body.toString().slice(0, 1000)}`);
}

/** Path and query of the Location of an upload, which may be absolute or not, with a parameter added when given. */
export function uploadPath(answer: Answer, digest?: string): string {
  const { pathname, search } = new URL(headerOf(answer.head, 'location') ?? '', 'http://127.0.0.1');
  if (digest === undefined) return pathname + search;
  return `${pathname}${search === '' ? '?' : `${search}&`}digest=${digest}`;
}
