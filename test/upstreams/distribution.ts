import { spawn } from 'node:child_process';
import { createPrivateKey, randomUUID, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SignJWT } from 'jose';
import { makeAuthority, makeServerCertificate } from '../../src/drivers/certificates/server-certificate.ts';
import { findProgram } from '../support/programs.ts';
import { cleanEnvironment } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** CNCF distribution with a token service beside it, as most public registries have one. */
export interface Distribution extends AsyncDisposable {
  readonly url: string;
  readonly host: string;
  /** HOST:PORT of the token service. */
  readonly tokenHost: string;
  /** Who may do everything; anybody else may pull. */
  readonly credentials: { readonly username: string; readonly password: string };
  /** The scopes that tokens were given for. */
  readonly scopes: string[];
}

/** Why there is none here; undefined when it can be started. */
export function whyNoDistribution(): string | undefined {
  return findProgram('docker-registry') === undefined ? 'docker-registry cannot be found' : undefined;
}

const answerSeconds = 30;

export async function startDistribution(): Promise<Distribution> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder());
  const credentials = { username: 'pusher', password: randomUUID() };
  const tokens = stack.use(await startTokenService(folder.path, credentials));
  const port = await freePort();
  const config = join(folder.path, 'config.yml');
  mkdirSync(join(folder.path, 'registry'));
  const token = `realm: "http://${tokens.host}/token", service: distribution, issuer: tests`;
  const lines = [
    'version: 0.1',
    'log: { level: error, accesslog: { disabled: true } }',
    `storage: { filesystem: { rootdirectory: ${join(folder.path, 'registry')} }, delete: { enabled: true } }`,
    `http: { addr: "127.0.0.1:${port}" }`,
    `auth: { token: { ${token}, rootcertbundle: ${tokens.certificateFile} } }`,
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  const child = spawn(findProgram('docker-registry') ?? '', ['serve', config], {
    env: cleanEnvironment(),
    stdio: 'ignore',
  });
  stack.defer(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  });
  const host = `127.0.0.1:${port}`;
  await firstAnswer(`http://${host}/v2/`);
  const owned = stack.move();
  return {
    url: `http://${host}`,
    host,
    tokenHost: tokens.host,
    credentials,
    scopes: tokens.scopes,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** distribution's "Token Authentication Specification", the server's side. */
async function startTokenService(folder: string, { username, password }: Distribution['credentials']) {
  const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 86_400_000) };
  const authority = makeAuthority('tests', validity);
  const issuer = { commonName: 'tests', privateKey: createPrivateKey(authority.privateKey) };
  const leaf = makeServerCertificate(['localhost'], validity, issuer);
  const certificateFile = join(folder, 'authority.pem');
  writeFileSync(certificateFile, authority.certificate);
  const header = { alg: 'ES256', typ: 'JWT', x5c: [new X509Certificate(leaf.certificate).raw.toString('base64')] };
  const key = createPrivateKey(leaf.privateKey);
  const scopes: string[] = [];
  const expected = `Basic ${btoa(`${username}:${password}`)}`;
  const server = createServer(async ({ url = '', headers: { authorization } }, response) => {
    if (authorization !== undefined && authorization !== expected) return response.writeHead(401).end();
    const asked = new URL(url, 'http://localhost').searchParams.getAll('scope');
    scopes.push(...asked);
    const access = asked.map((scope) => {
      const [type, name, actions = ''] = scope.split(':');
      const allowed = actions.split(',').filter((action) => authorization !== undefined || action === 'pull');
      return { type, name, actions: allowed };
    });
    const token = await new SignJWT({ access })
      .setProtectedHeader(header)
      .setIssuer('tests')
      .setAudience('distribution')
      .setSubject(authorization === undefined ? '' : username)
      .setNotBefore('-1 minute')
      .setIssuedAt()
      .setExpirationTime('5 minutes')
      .setJti(randomUUID())
      .sign(key);
    return response.end(JSON.stringify({ token, expires_in: 300 }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    certificateFile,
    scopes,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function firstAnswer(url: string): Promise<void> {
  const end = performance.now() + answerSeconds * 1000;
  while (performance.now() < end) {
    try {
      await (await fetch(url)).arrayBuffer();
      return;
    } catch {
      await sleep(20);
    }
  }
  throw new Error(`docker-registry did not answer within ${answerSeconds} s`);
}
