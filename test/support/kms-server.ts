import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { checkBeforeBody } from '../../src/http/sigv4/check-before-body.ts';
import { hashBody } from '../../src/http/sigv4/hash-body.ts';
import { parseSigned } from '../../src/http/sigv4/parse-signed.ts';
import { missingAuthentication, SigV4Error } from '../../src/http/sigv4/sigv4-error.ts';
import { createVerifier } from '../../src/http/sigv4/verify.ts';
import { KmsFault, KmsKeys } from './kms-keys.ts';

const credentials = { accessKeyId: 'KMSKEYIDEXAMPLE', secretAccessKey: 'kms/secret+=' } as const;

/** A key service on loopback that speaks KMS's API: JSON 1.1, signatures of version 4, keys that really encrypt. */
export interface KmsServer extends AsyncDisposable {
  readonly url: string;
  readonly credentials: typeof credentials;
  /** Its keys, which tests make, disable and destroy directly. */
  readonly keys: KmsKeys;
  /** Operations and the regions their signatures are for, in order. */
  readonly asked: readonly { readonly operation: string; readonly region: string; readonly input: KmsInput }[];
  /** The environment of a server of ours that uses it. */
  readonly environment: Record<string, string>;
  /** From now on requests wait for ever, or are answered again. */
  silent: boolean;
}

export type KmsInput = Readonly<Record<string, unknown>>;

/** @param region of its keys */
export async function startKmsServer({ region = 'us-east-1', accountId = '111122223333' } = {}): Promise<KmsServer> {
  const verifier = createVerifier();
  const asked: { operation: string; region: string; input: KmsInput }[] = [];
  const keys = new KmsKeys({ region, accountId });
  const answerTo = async (request: IncomingMessage) => {
    const body = await text(request);
    const signed = parseSigned(request);
    if (signed === undefined) throw missingAuthentication();
    checkBeforeBody(signed, request.headers, { now: new Date(), services: ['kms'], maxSkewSeconds: 300 });
    const secret = signed.accessKeyId === credentials.accessKeyId ? credentials.secretAccessKey : '';
    verifier.verify(signed, request, { secret, bodyHashHex: await hashBody(Buffer.from(body)) });
    const operation = String(request.headers['x-amz-target']).replace(/^TrentService\./, '');
    const input = JSON.parse(body) as KmsInput;
    asked.push({ operation, region: signed.scope.region, input });
    return keys.answer(operation, input);
  };
  const server = createServer({ keepAliveTimeout: 1000 }, (request, response) => {
    if (running.silent) return;
    response.setHeader('Content-Type', 'application/x-amz-json-1.1');
    answerTo(request).then(
      (answer) => response.end(JSON.stringify(answer)),
      (error: unknown) => {
        if (!(error instanceof SigV4Error || error instanceof KmsFault)) return void response.destroy();
        response.writeHead(400).end(JSON.stringify({ __type: error.code, message: error.message }));
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const running: KmsServer = {
    url,
    credentials,
    keys,
    asked,
    environment: {
      GANTRY_KMS: `aws:?endpoint=${url}`,
      GANTRY_KMS_ACCESS_KEY_ID: credentials.accessKeyId,
      GANTRY_KMS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
    silent: false,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return running;
}
