import assert from 'node:assert/strict';
import { ECR } from '@aws-sdk/client-ecr';
import { type Access, openAccess } from '../../src/compose/access.ts';
import { createRegistryAddresses } from '../../src/core/access/registry-addresses.ts';
import type { AuditEntry } from '../../src/core/audit/audit-trail.ts';
import type { Core } from '../../src/core/core.ts';
import type { MetadataStore } from '../../src/core/metadata-store.ts';
import { createByteBudget, createFairByteBudget } from '../../src/http/byte-budget.ts';
import { createHttpServer } from '../../src/http/server.ts';
import { awsSigner } from '../../src/http/sigv4/aws-signer.ts';
import { createTrustedProxies } from '../../src/http/trusted-proxy.ts';
import type { Client } from '../../src/protocols/aws/authenticate.ts';
import { createAwsHandler, type Throttle } from '../../src/protocols/aws/dispatch.ts';
import { signedAuthentication } from '../../src/protocols/aws/signed-authentication.ts';
import { createStsHandler, isStsRequest } from '../../src/protocols/sts/sts-handler.ts';
import { accountId, coreUnderTest, registry } from './core-under-test.ts';

/**
 * The ECR API and STS in enforced mode, on a port of their own, over core in memory with a clock that a test moves. What clients
 * put into X-Forwarded-* counts.
 */
export interface AwsUnderTest extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly access: Access;
  readonly metadata: MetadataStore;
  /** Entries of the audit trail, as they come. */
  readonly audited: AuditEntry[];
  now(): Date;
  pass(seconds: number): void;
  /** A user with a policy of its own, and its access key. */
  user(name: string, statements: readonly object[], account?: string): Promise<Credentials>;
  /** The account's root. */
  root(account?: string): Promise<Credentials>;
  /** The SDK's own client, by the clock of the server unless that is said to be off. */
  ecr(credentials: Credentials, options?: { region?: string; skewSeconds?: number; url?: string }): ECR;
}

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export async function awsUnderTest({ throttle }: { throttle?: Throttle } = {}): Promise<AwsUnderTest> {
  const parts = await coreUnderTest();
  const { dependencies } = parts;
  const { now } = dependencies;
  const access = await openAccess(dependencies, { keyFile: undefined, region: registry.region });
  const audited: AuditEntry[] = [];
  let port = 0;
  const core: Core = {
    ...access,
    ...parts,
    registryTokens: parts.tokens,
    downloadLinks: parts.links,
    audit: { record: (entry) => audited.push(entry) },
    addresses: createRegistryAddresses({ defaultRegistry: registry, port: () => port }),
  };
  const proxies = createTrustedProxies(['127.0.0.1']);
  const clientOf: (...request: Parameters<typeof proxies.originOf>) => Client = (request) => {
    const { address, scheme, host } = proxies.originOf(request);
    return { sourceIp: address, isSecure: scheme === 'https', host };
  };
  const common = { core, clientOf, now, ...(throttle && { throttle }) };
  const authentication = (service: 'ecr' | 'sts') => signedAuthentication({ ...core, service, now });
  const bodyBudget = createByteBudget(48 * 1024 * 1024);
  const unprovenBodyBudget = createFairByteBudget(64 * 1024 * 1024, 32 * 1024 * 1024);
  const aws = createAwsHandler({ ...common, authentication: authentication('ecr'), bodyBudget, unprovenBodyBudget });
  const sts = createStsHandler({ ...common, authentication: authentication('sts'), withoutAction: aws });
  const server = createHttpServer((request, response) => (isStsRequest(request) ? sts : aws)(request, response), {
    idleSeconds: 10,
    onError: (error) => console.error(error),
  });
  port = await server.listen('127.0.0.1', 0);
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    port,
    access,
    metadata: dependencies.metadata,
    audited,
    now,
    pass: parts.pass,
    async user(name, statements, account = accountId) {
      await access.identities.createUser(account, name);
      const holder = { accountId: account, kind: 'user', name } as const;
      if (statements.length > 0)
        await access.identities.attachPolicy(holder, { name: 'own', document: policy(...statements) });
      await access.directory.refresh();
      return access.identities.createAccessKey(account, name);
    },
    root: (account = accountId) => access.identities.createAccessKey(account, undefined),
    ecr(credentials, { region = registry.region, skewSeconds = 0, url: endpoint = url } = {}) {
      const client = new ECR({ endpoint, region, credentials, maxAttempts: 1 });
      const get = () => now().getTime() - Date.now() + skewSeconds * 1000;
      // The SDK would go by the Date of the last answer.
      Object.defineProperty(client.config, 'systemClockOffset', { get, set() {} });
      return client;
    },
    async [Symbol.asyncDispose]() {
      await server.close(0);
      await parts[Symbol.asyncDispose]();
    },
  };
}

/** The call is refused with that exception, in these words if any are given, and with status 400. */
export function refused(call: Promise<unknown>, name: string, message: string | RegExp = /\S/): Promise<void> {
  return assert.rejects(call, (error: Error & { $metadata?: { httpStatusCode: number } }) => {
    assert.equal(error.name, name, error.message);
    if (typeof message === 'string') assert.equal(error.message, message);
    else assert.match(error.message, message);
    assert.equal(error.$metadata?.httpStatusCode, 400);
    return true;
  });
}

/** One signed operation as it would be sent, for a test to change. */
export async function signedCall(
  { port, now }: Pick<AwsUnderTest, 'port' | 'now'>,
  credentials: Credentials,
  operation: string,
  { input = {}, declareHash = true, service = 'ecr', host = `127.0.0.1:${port}` }: SignedCallOptions = {},
): Promise<{ method: string; headers: Record<string, string>; body: string }> {
  const request = {
    method: 'POST',
    protocol: 'http:',
    hostname: '127.0.0.1',
    path: '/',
    headers: {
      host,
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `AmazonEC2ContainerRegistry_V20150921.${operation}`,
    },
    body: JSON.stringify(input),
  };
  const signed = await awsSigner(credentials, { service, declareHash }).sign(request, { signingDate: now() });
  return { method: 'POST', headers: signed.headers, body: request.body };
}

export interface SignedCallOptions {
  readonly input?: object;
  readonly declareHash?: boolean;
  readonly service?: string;
  readonly host?: string;
}

/** The text of a policy with these statements. */
export function policy(...statements: readonly object[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements });
}
