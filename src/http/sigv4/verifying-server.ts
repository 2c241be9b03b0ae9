import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { checkBeforeBody } from './check-before-body.ts';
import { hashBody } from './hash-body.ts';
import { parseSigned } from './parse-signed.ts';
import type { SignedRequest } from './signed-request.ts';
import { missingAuthentication, SigV4Error } from './sigv4-error.ts';
import { createVerifier } from './verify.ts';

/** ECR's and the token service's, and those of AWS's published examples. */
const SERVICES = ['ecr', 'sts', 'iam', 'host'];

/** For tests: a server on loopback that lets in who signs with a known key, and says in AWS's form why it does not. */
export interface VerifyingServer extends AsyncDisposable {
  readonly port: number;
  /** What was let in, in order. */
  readonly admitted: readonly SignedRequest[];
}

export async function startVerifyingServer(
  secrets: Readonly<Record<string, string>>,
  { now = () => new Date() }: { now?: () => Date } = {},
): Promise<VerifyingServer> {
  const verifier = createVerifier();
  const admitted: SignedRequest[] = [];
  const admit = async (request: IncomingMessage) => {
    const signed = parseSigned(request);
    if (signed === undefined) throw missingAuthentication();
    checkBeforeBody(signed, request.headers, { now: now(), services: SERVICES, maxSkewSeconds: 300 });
    const bodyHashHex = await hashBody(await buffer(request));
    verifier.verify(signed, request, { secret: secrets[signed.accessKeyId] ?? '', bodyHashHex });
    admitted.push(signed);
  };
  const server = createServer({ keepAliveTimeout: 1000 }, (request, response) => {
    admit(request).then(
      () => response.setHeader('Content-Type', 'application/x-amz-json-1.1').end('{}'),
      (error) => {
        if (!(error instanceof SigV4Error)) return response.destroy();
        response.writeHead(400).end(JSON.stringify({ __type: error.code, message: error.message }));
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    admitted,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
