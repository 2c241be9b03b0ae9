import { secondsAfter } from '../dependencies.ts';
import type { Secrets } from '../secrets/secrets.ts';
import type { ConnectUpstream, UpstreamBlob } from '../upstreams/upstream.ts';
import {
  type CredentialsProvider,
  UpstreamError,
  type UpstreamManifest,
  type UpstreamManifestHead,
  type UpstreamReferrer,
  type UpstreamRegistry,
} from '../upstreams/upstream.ts';
import type { Digest } from '../values/digest.ts';
import type { CacheRule } from './cache-rule-records.ts';
import { isSecretFor, upstreamAddress } from './known-upstreams.ts';
import { type BlobGate, createBlobGate, createRequestGate, type RequestGate } from './request-gate.ts';

/** The registries behind rules; connections are kept. */
export interface CacheUpstreams extends AsyncDisposable {
  of(rule: CacheRule): CacheUpstream;
}

/**
 * The registry behind a rule, never asked more at once than it can bear. Questions end after ten seconds. Rejects with
 * UpstreamError, and as `Secrets.open` does when the rule's secret is needed.
 */
export interface CacheUpstream {
  /** Host and port, as messages name it. */
  readonly host: string;
  readonly blobGate: BlobGate;
  /** Resolves when a registry answers there and takes the credentials. */
  logIn(): Promise<void>;
  getManifest(repository: string, reference: string): Promise<UpstreamManifest>;
  headManifest(repository: string, reference: string): Promise<UpstreamManifestHead | undefined>;
  headBlob(repository: string, digest: Digest): Promise<{ readonly bytes: number | undefined } | undefined>;
  /** At most so many. */
  referrers(repository: string, digest: Digest, limit: number): Promise<UpstreamReferrer[]>;
  /** Takes no place in line: who calls holds one of `blobGate`. */
  openBlob(
    repository: string,
    digest: Digest,
    options: { readonly expectedBytes?: number | undefined; readonly signal: AbortSignal },
  ): Promise<UpstreamBlob>;
}

/** Logs in at ECR with an access key: its registry takes tokens that its API gives out. */
export type LogInAtEcr = (host: string, key: { accessKeyId: string; secretAccessKey: string }) => CredentialsProvider;

export interface CacheUpstreamParts {
  readonly connect: ConnectUpstream;
  readonly logInAtEcr: LogInAtEcr;
  readonly secrets: Pick<Secrets, 'open'>;
  readonly now: () => Date;
}

const ANSWER_MS_MAX = 10_000;
const QUESTIONS = { atOnceMax: 16, waitingMax: 500 };
/** As many as rules of four registries; of the oldest the connections are closed. */
const CONNECTIONS_MAX = 200;

export function createCacheUpstreams(parts: CacheUpstreamParts): CacheUpstreams {
  const opened = new Map<string, { registry: UpstreamRegistry; upstream: CacheUpstream }>();
  const gates = new Map<string, { questions: RequestGate; blobs: BlobGate }>();

  const gatesOf = (host: string) => {
    const busy = () =>
      new UpstreamError({
        code: 'too-many-requests',
        host,
        message: `${host}: more is asked of it at once than it is asked`,
        retryAfterSeconds: 1,
      });
    const made = gates.get(host) ?? { questions: createRequestGate(QUESTIONS, busy), blobs: createBlobGate(busy) };
    gates.set(host, made);
    return made;
  };

  return {
    of(rule) {
      const key = JSON.stringify([rule.registry, rule.upstreamUrl, rule.credentialArn, rule.customRoleArn]);
      const present = opened.get(key);
      if (present) return present.upstream;
      const registry = openRegistry(parts, rule);
      const upstream = upstreamOver(registry, rule, gatesOf(registry.host));
      opened.set(key, { registry, upstream });
      const [oldest] = opened;
      if (opened.size > CONNECTIONS_MAX && oldest) {
        opened.delete(oldest[0]);
        void oldest[1].registry[Symbol.asyncDispose]();
      }
      return upstream;
    },
    async [Symbol.asyncDispose]() {
      for (const { registry } of opened.values()) await registry[Symbol.asyncDispose]();
      opened.clear();
    },
  };
}

/** So long a secret is known after it was read; a minute less, since what expires soon counts as expired. */
const SECRET_SECONDS = 120;

function openRegistry({ connect, logInAtEcr, secrets, now }: CacheUpstreamParts, rule: CacheRule): UpstreamRegistry {
  const { registry, credentialArn, upstreamKind } = rule;
  const url = upstreamAddress(rule);
  const { host } = new URL(url);
  if (credentialArn === undefined) return connect({ url });
  const credentials: CredentialsProvider = async () => {
    const secret = await secrets.open(registry, credentialArn);
    if (!isSecretFor(rule, secret)) refuseSecret(host, credentialArn);
    const { username, accessToken } = secret;
    if (upstreamKind !== 'ecr')
      return { username, password: accessToken, expiresAt: secondsAfter(now(), SECRET_SECONDS) };
    return logInAtEcr(host, { accessKeyId: username, secretAccessKey: accessToken })();
  };
  return connect({ url, credentials });
}

function refuseSecret(host: string, arn: string): never {
  throw new UpstreamError({
    code: 'unauthorized',
    host,
    message: `${host}: login: the secret ${arn} is for another host`,
  });
}

/** There is no STS to give such a role out. */
function refuseRole(host: string): never {
  const message = `${host}: login: a role cannot be taken from here; give the rule a credentialArn with an access key in place of customRoleArn`;
  throw new UpstreamError({ code: 'unauthorized', host, message });
}

function upstreamOver(
  registry: UpstreamRegistry,
  { customRoleArn }: CacheRule,
  { questions, blobs }: { questions: RequestGate; blobs: BlobGate },
): CacheUpstream {
  const ask = async <T>(question: (options: { signal: AbortSignal }) => Promise<T>): Promise<T> => {
    if (customRoleArn !== undefined) refuseRole(registry.host);
    // The time in line counts: behind an upstream that hangs it would be minutes.
    const signal = AbortSignal.timeout(ANSWER_MS_MAX);
    try {
      return await questions.run(() => question({ signal }), signal);
    } catch (error) {
      throw signal.aborted && error === signal.reason ? silence(registry.host, error) : error;
    }
  };
  return {
    host: registry.host,
    blobGate: blobs,
    logIn: () => ask((options) => registry.ping(options)),
    async getManifest(repository, reference) {
      const manifest = await ask((options) => registry.getManifest(repository, reference, options));
      if (manifest === 'not-modified') throw new Error('Nobody asked whether a manifest was modified');
      return manifest;
    },
    headManifest: (repository, reference) => ask((options) => registry.headManifest(repository, reference, options)),
    headBlob: (repository, digest) => ask((options) => registry.headBlob(repository, digest, options)),
    referrers: (repository, digest, limit) =>
      ask(async (options) => {
        const found: UpstreamReferrer[] = [];
        for await (const referrer of registry.referrers(repository, digest, options)) {
          if (found.push(referrer) === limit) break;
        }
        return found;
      }),
    openBlob: (repository, digest, options) => registry.openBlob(repository, digest, options),
  };
}

function silence(host: string, cause: unknown): UpstreamError {
  const message = `${host}: it did not answer within ${ANSWER_MS_MAX / 1000} seconds`;
  return new UpstreamError({ code: 'unavailable', host, message }, { cause });
}
