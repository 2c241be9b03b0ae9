import { type Access, openAccess } from '../../src/compose/access.ts';
import { createDownloadLinks } from '../../src/core/access/download-links.ts';
import { createRegistryAddresses } from '../../src/core/access/registry-addresses.ts';
import type { AuditEntry } from '../../src/core/audit/audit-trail.ts';
import type { Core } from '../../src/core/core.ts';
import { createByteBudget } from '../../src/http/byte-budget.ts';
import type { RateLimiter } from '../../src/http/rate-limit.ts';
import { createHttpServer } from '../../src/http/server.ts';
import { createEnforcedAuthenticator } from '../../src/protocols/oci/authenticate.ts';
import { TOKEN_PATH } from '../../src/protocols/oci/challenge.ts';
import { directClient } from '../../src/protocols/oci/client.ts';
import { createOciHandler } from '../../src/protocols/oci/handler.ts';
import { createTokenEndpoint } from '../../src/protocols/oci/token-endpoint.ts';
import { type HttpRequest, http } from '../support/http.ts';
import type { Image } from '../support/images.ts';
import { accountId, coreUnderTest, registry } from './core-under-test.ts';

/** The OCI face in enforced mode, on a port of its own, over core in memory with a clock that a test moves. */
export interface OciUnderTest extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly access: Access;
  readonly core: Core;
  /** Entries of the audit trail, as they come. */
  readonly audited: AuditEntry[];
  pass(seconds: number): void;
  get(path: string, request?: HttpRequest): ReturnType<typeof http>;
  /** A user with a policy of its own, and its access key. */
  user(name: string, statements: readonly object[], account?: string): Promise<TestUser>;
  /** Ends a robot token. */
  revoke(robotTokenId: string): Promise<void>;
  /** What GetAuthorizationToken hands out. */
  passwordOf(user: TestUser, region?: string): Promise<string>;
}

export interface TestUser {
  readonly arn: string;
  readonly accountId: string;
  readonly name: string;
  readonly accessKeyId: string;
}

export async function ociUnderTest({
  anonymousPull = false,
  createOnPush = false,
  throttle,
}: {
  anonymousPull?: boolean;
  createOnPush?: boolean;
  throttle?: RateLimiter;
} = {}): Promise<OciUnderTest> {
  const parts = await coreUnderTest({ createOnPush });
  const { dependencies } = parts;
  const access = await openAccess(dependencies, { keyFile: undefined, region: registry.region });
  const audited: AuditEntry[] = [];
  let port = 0;
  const core: Core = {
    ...access,
    ...parts,
    audit: { record: (entry) => audited.push(entry) },
    addresses: createRegistryAddresses({ defaultRegistry: registry, port: () => port }),
    downloadLinks: createDownloadLinks(dependencies, parts.layers),
  };
  const common = { core, clientOf: directClient, now: dependencies.now };
  const oci = createOciHandler({
    ...common,
    anonymousPull,
    throttle,
    authenticate: createEnforcedAuthenticator({ core, anonymousPull }),
    bodyBudget: createByteBudget(1024 * 1024),
    publicUrl: '',
  });
  const tokens = createTokenEndpoint(common);
  const server = createHttpServer(
    (request, response) => (request.url?.startsWith(TOKEN_PATH) ? tokens : oci)(request, response),
    { idleSeconds: 10, onError: (error) => console.error(error) },
  );
  port = await server.listen('127.0.0.1', 0);
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    port,
    access,
    core,
    audited,
    pass: parts.pass,
    get: (path, request) => http(`${url}${path}`, request),
    async user(name, statements, account = accountId) {
      const { arn } = await access.identities.createUser(account, name);
      const { accessKeyId } = await access.identities.createAccessKey(account, name);
      const document = JSON.stringify({ Version: '2012-10-17', Statement: statements });
      const holder = { accountId: account, kind: 'user', name } as const;
      if (statements.length > 0) await access.identities.attachPolicy(holder, { name: 'own', document });
      await access.directory.refresh();
      return { arn, accountId: account, name, accessKeyId };
    },
    async revoke(robotTokenId) {
      await dependencies.metadata.transaction('alone', (records) => records.access.deleteRobotToken(robotTokenId));
      await access.directory.refresh();
    },
    async passwordOf(user, region = registry.region) {
      const key = await access.credentials.find(user.accessKeyId, undefined);
      const issued = await core.registryTokens.issue(key.caller, { accountId: user.accountId, region });
      return issued.password;
    },
    async [Symbol.asyncDispose]() {
      await server.close(0);
      await parts[Symbol.asyncDispose]();
    },
  };
}

/** Pushes an image; resolves with the statuses of all answers. */
export async function pushAs(
  { get }: Pick<OciUnderTest, 'get'>,
  headers: Readonly<Record<string, string>>,
  repository: string,
  tag: string,
  { config, layers, manifest, mediaType }: Image,
): Promise<number[]> {
  const statuses: number[] = [];
  for (const { bytes, digest } of [config, ...layers]) {
    const path = `/v2/${repository}/blobs/uploads/?digest=${digest}`;
    statuses.push((await get(path, { method: 'POST', headers, body: bytes })).status);
  }
  const path = `/v2/${repository}/manifests/${tag}`;
  const typed = { ...headers, 'Content-Type': mediaType };
  statuses.push((await get(path, { method: 'PUT', headers: typed, body: manifest.bytes })).status);
  return statuses;
}

export function basic(password: string, userName = 'AWS'): { Authorization: string } {
  return { Authorization: `Basic ${Buffer.from(`${userName}:${password}`).toString('base64')}` };
}

export function bearer(token: string): { Authorization: string } {
  return { Authorization: `Bearer ${token}` };
}
