import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { KmsFault, type KmsKeys } from './kms-keys.ts';

const SSE = 'x-amz-server-side-encryption';

/** What an object is kept under; its bytes are given out only while the key opens this. */
interface Seal {
  readonly mode: string;
  readonly keyId: string;
  readonly wrapped: string;
  readonly context: Record<string, string>;
}

interface StoredObject {
  readonly bytes: Buffer;
  readonly seal: Seal | undefined;
}

interface Multipart {
  readonly key: string;
  readonly seal: Seal | undefined;
  readonly parts: Map<number, Buffer>;
}

/** A store that speaks as much of S3 as the driver does, and asks a key service for SSE-KMS as Amazon's does. It checks no signatures. */
export interface KeyedS3 extends AsyncDisposable {
  readonly endpoint: string;
  /** For GANTRY_BLOBS. */
  readonly url: string;
  /** Keys of all objects with what they are kept under. */
  seals(): Map<string, Seal | undefined>;
}

export async function startKeyedS3(keys: KmsKeys): Promise<KeyedS3> {
  const store = new Store(keys);
  const server = createServer((request, response) => {
    store.answer(request, response).catch((error: unknown) => {
      if (!(error instanceof S3Fault)) return void response.destroy();
      const { code, message } = error;
      response.writeHead(error.status).end(`<Error><Code>${code}</Code><Message>${message}</Message></Error>`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    endpoint,
    url: `s3://bucket?endpoint=${endpoint}`,
    seals: () => new Map([...store.objects].map(([key, { seal }]) => [key, seal])),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

class S3Fault extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message = code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

class Store {
  readonly objects = new Map<string, StoredObject>();
  readonly #multiparts = new Map<string, Multipart>();
  readonly #keys: KmsKeys;

  constructor(keys: KmsKeys) {
    this.#keys = keys;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const { pathname, searchParams: query } = new URL(request.url ?? '', 'http://s3');
    const key = decodeURIComponent(pathname.replace(/^\/bucket\/?/, ''));
    const kind = [request.method, ...['uploads', 'uploadId', 'delete'].filter((name) => query.has(name))].join(' ');
    switch (kind) {
      case 'PUT':
        return this.#put(request, response, key, body);
      case 'GET':
      case 'HEAD':
        return key === '' ? this.#list(response, query.get('prefix') ?? '') : this.#get(request, response, key);
      case 'DELETE':
        this.objects.delete(key);
        return void response.writeHead(204).end();
      case 'POST delete':
        for (const [, listed = ''] of String(body).matchAll(/<Key>([^<]*)<\/Key>/g)) this.objects.delete(listed);
        return xml(response, '<DeleteResult></DeleteResult>');
      case 'POST uploads':
        return this.#begin(request, response, key);
      case 'GET uploads':
        return xml(response, `<ListMultipartUploadsResult>${this.#begun(query)}</ListMultipartUploadsResult>`);
      default:
        return this.#ofMultipart(kind, response, query, this.#copied(request) ?? body);
    }
  }

  #put({ headers }: IncomingMessage, response: ServerResponse, key: string, bytes: Buffer): void {
    const seal = this.#seal(headers, response, key);
    this.objects.set(key, { bytes, seal });
    response.setHeader('ETag', tagOf(bytes)).end();
  }

  #get({ headers, method }: IncomingMessage, response: ServerResponse, key: string): void {
    const object = this.objects.get(key);
    if (object === undefined) throw new S3Fault(404, 'NoSuchKey');
    const { bytes, seal } = object;
    if (seal !== undefined && method === 'GET') this.#ask('Decrypt', seal);
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
    const part = first === undefined ? bytes : bytes.subarray(Number(first), Number(last) + 1);
    response.writeHead(first === undefined ? 200 : 206, { ETag: tagOf(bytes), 'Content-Length': part.length });
    response.end(method === 'GET' ? part : undefined);
  }

  #list(response: ServerResponse, prefix: string): void {
    const found = [...this.objects].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1));
    const contents = found.map(
      ([key, { bytes }]) => `<Contents><Key>${key}</Key><Size>${bytes.length}</Size></Contents>`,
    );
    xml(response, `<ListBucketResult><IsTruncated>false</IsTruncated>${contents.join('')}</ListBucketResult>`);
  }

  #begin({ headers }: IncomingMessage, response: ServerResponse, key: string): void {
    const id = randomUUID();
    this.#multiparts.set(id, { key, seal: this.#seal(headers, response, key), parts: new Map() });
    xml(response, `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`);
  }

  #begun(query: URLSearchParams): string {
    const prefix = query.get('prefix') ?? '';
    const found = [...this.#multiparts].filter(([, { key }]) => key.startsWith(prefix));
    return found.map(([id, { key }]) => `<Upload><Key>${key}</Key><UploadId>${id}</UploadId></Upload>`).join('');
  }

  #ofMultipart(kind: string, response: ServerResponse, query: URLSearchParams, body: Buffer): void {
    const id = query.get('uploadId') ?? '';
    const multipart = this.#multiparts.get(id);
    if (multipart === undefined) throw new S3Fault(404, 'NoSuchUpload');
    if (kind === 'PUT uploadId') {
      response.setHeader('ETag', tagOf(body));
      // Each part is encrypted on its own.
      if (multipart.seal !== undefined) this.#ask('Decrypt', multipart.seal);
      multipart.parts.set(Number(query.get('partNumber')), body);
      return void xml(response, `<CopyPartResult><ETag>${tagOf(body)}</ETag></CopyPartResult>`);
    }
    this.#multiparts.delete(id);
    if (kind === 'DELETE uploadId') return void response.writeHead(204).end();
    const numbers = [...String(body).matchAll(/<PartNumber>(\d+)<\/PartNumber>/g)].map(([, number]) => Number(number));
    const bytes = Buffer.concat(numbers.map((number) => multipart.parts.get(number) ?? Buffer.alloc(0)));
    this.objects.set(multipart.key, { bytes, seal: multipart.seal });
    xml(response, `<CompleteMultipartUploadResult><ETag>${tagOf(bytes)}</ETag></CompleteMultipartUploadResult>`);
  }

  /** The range of another object that a part is to be. */
  #copied({ headers }: IncomingMessage): Buffer | undefined {
    const source = headers['x-amz-copy-source'];
    if (typeof source !== 'string') return undefined;
    const object = this.objects.get(decodeURIComponent(source.replace(/^\/?bucket\//, '')));
    if (object === undefined) throw new S3Fault(404, 'NoSuchKey');
    if (object.seal !== undefined) this.#ask('Decrypt', object.seal);
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(String(headers['x-amz-copy-source-range'])) ?? [];
    return object.bytes.subarray(Number(first), Number(last) + 1);
  }

  #seal(headers: IncomingMessage['headers'], response: ServerResponse, key: string): Seal | undefined {
    const mode = headers[SSE];
    if (typeof mode !== 'string' || !mode.startsWith('aws:kms')) return undefined;
    const keyId = String(headers[`${SSE}-aws-kms-key-id`]);
    const given = JSON.parse(Buffer.from(String(headers[`${SSE}-context`] ?? 'e30='), 'base64').toString());
    const context = { ...given, 'aws:s3:arn': `arn:aws:s3:::bucket/${key}` };
    const wrapped = this.#ask('GenerateDataKey', { keyId, context }).CiphertextBlob;
    response.setHeader(SSE, mode).setHeader(`${SSE}-aws-kms-key-id`, keyId);
    return { mode, keyId, wrapped: String(wrapped), context };
  }

  #ask(operation: string, { keyId, context, wrapped }: Pick<Seal, 'keyId' | 'context'> & { wrapped?: string }) {
    const input = { KeyId: keyId, KeySpec: 'AES_256', EncryptionContext: context, CiphertextBlob: wrapped };
    try {
      return this.#keys.answer(operation, input) as { readonly CiphertextBlob?: string };
    } catch (error) {
      throw error instanceof KmsFault ? new S3Fault(400, `KMS.${error.code}`, error.message) : error;
    }
  }
}

function tagOf(bytes: Buffer): string {
  return `"${createHash('md5').update(bytes).digest('hex')}"`;
}

function xml(response: ServerResponse, text: string): void {
  response.setHeader('Content-Type', 'application/xml').end(text);
}
