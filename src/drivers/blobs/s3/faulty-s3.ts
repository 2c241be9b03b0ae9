import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { S3BlobStoreOptions } from './s3-blob-store.ts';

/** Stands for answers that a healthy store never gives. True when it has answered itself. */
export type Fault = (request: IncomingMessage, response: ServerResponse, body: Buffer | undefined) => boolean;

/** For tests: as much of S3 as single objects need, with faults before it. It checks no signatures. */
export interface FaultyS3 extends AsyncDisposable {
  readonly options: S3BlobStoreOptions;
  fault: Fault;
}

export async function startFaultyS3(): Promise<FaultyS3> {
  const objects = new Map<string, Buffer>();
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    const [path = '', query = ''] = (request.url ?? '').split('?');
    const object = objects.get(path);
    if (faulty.fault(request, response, object)) return;
    if (query.includes('list-type')) return void answer(response, 200, Buffer.from(EMPTY_LIST));
    if (request.method === 'PUT') objects.set(path, body);
    if (request.method === 'DELETE') objects.delete(path);
    if (request.method === 'PUT') return void answer(response, 200, EMPTY, tagOf(body));
    if (request.method === 'DELETE') return void answer(response, 200);
    if (object === undefined) return void answerError(response, 404, 'NoSuchKey');
    const [, first = '0', last = String(object.length - 1)] =
      /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    answer(response, 200, object.subarray(Number(first), Number(last) + 1), tagOf(object));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const faulty: FaultyS3 = {
    options: {
      bucket: 'bucket',
      prefix: '',
      region: 'us-east-1',
      endpoint: `http://127.0.0.1:${port}`,
      publicEndpoint: undefined,
      pathStyle: true,
      credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
      links: false,
    },
    fault: () => false,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return faulty;
}

export function answer(response: ServerResponse, status: number, body: Buffer = EMPTY, tag = '"none"'): boolean {
  response.writeHead(status, { ETag: tag, 'Content-Length': body.length }).end(body);
  return true;
}

function tagOf(object: Buffer): string {
  return `"${createHash('md5').update(object).digest('hex')}"`;
}

export function answerError(response: ServerResponse, status: number, code: string): boolean {
  return answer(response, status, Buffer.from(`<Error><Code>${code}</Code><Message>${code}</Message></Error>`));
}

const EMPTY = Buffer.alloc(0);
const EMPTY_LIST = '<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>';
