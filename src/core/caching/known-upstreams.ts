import { refuse } from '../errors.ts';
import type { SecretValue } from '../secrets/secrets.ts';
import type { CacheRule, UpstreamKind } from './cache-rule-records.ts';

interface KnownUpstream {
  readonly kind: UpstreamKind;
  readonly hosts: RegExp;
  readonly needsCredentials?: boolean;
}

/** ECR's list (ECR user guide, "Creating a pull through cache rule"). */
const KNOWN: readonly KnownUpstream[] = [
  { kind: 'ecr', hosts: /^[0-9]{12}\.dkr\.ecr\.[a-z0-9-]{2,25}\.amazonaws\.com(?:\.cn)?$/ },
  { kind: 'ecr-public', hosts: /^public\.ecr\.aws$/ },
  { kind: 'quay', hosts: /^quay\.io$/ },
  { kind: 'k8s', hosts: /^registry\.k8s\.io$/ },
  { kind: 'docker-hub', hosts: /^registry-1\.docker\.io$/, needsCredentials: true },
  { kind: 'github-container-registry', hosts: /^ghcr\.io$/, needsCredentials: true },
  { kind: 'azure-container-registry', hosts: /^[a-z0-9-]{5,50}\.azurecr\.(?:io|cn|us)$/, needsCredentials: true },
  { kind: 'gitlab-container-registry', hosts: /^registry\.gitlab\.com$/, needsCredentials: true },
  { kind: 'chainguard', hosts: /^cgr\.dev$/, needsCredentials: true },
];

/**
 * The kind of upstream that a rule is about: the one that is named, whose address it must be, else the one whose host is given.
 * Any other registry, and any address with its scheme, is the operator's own choice: it has no kind, and needs no credentials
 * (docs/decisions/0011-any-upstream.md). Refuses with unsupported-upstream and invalid-parameter.
 */
export function upstreamKindOf({
  upstreamUrl,
  upstreamKind,
  credentialArn,
}: Pick<CacheRule, 'upstreamUrl' | 'upstreamKind' | 'credentialArn'>): UpstreamKind | undefined {
  const { host, pathname } = new URL(upstreamAddress({ upstreamUrl }));
  const known = KNOWN.find(({ kind, hosts }) =>
    upstreamKind === undefined ? hosts.test(upstreamUrl) : kind === upstreamKind && hosts.test(host),
  );
  if (upstreamKind !== undefined && (known === undefined || pathname !== '/' || /^http:/i.test(upstreamUrl))) {
    const reason = `The specified upstream registry URL '${upstreamUrl}' is not one of the upstream registry '${upstreamKind}'`;
    refuse({ kind: 'unsupported-upstream', reason });
  }
  if (known?.needsCredentials && credentialArn === undefined) {
    refuse({ kind: 'unsupported-upstream', reason: 'The specified upstream registry requires authentication' });
  }
  return known?.kind;
}

/** Where a rule's upstream is asked: `https://HOST[:PORT][/PREFIX]`, or http where that was written. */
export function upstreamAddress({ upstreamUrl }: Pick<CacheRule, 'upstreamUrl'>): string {
  const text = /^https?:\/\//i.test(upstreamUrl) ? upstreamUrl : `https://${upstreamUrl}`;
  const url = URL.parse(text);
  const isPlain = url !== null && url.search === '' && url.hash === '' && url.username === '' && url.password === '';
  if (!isPlain || upstreamUrl.length > URL_LENGTH_MAX || !/^[a-z0-9.:[\]-]+$/i.test(url.host)) {
    const constraint = 'must be the host of a registry, or https://HOST[:PORT][/PREFIX]';
    refuse({ kind: 'invalid-parameter', parameter: 'upstreamRegistryUrl', constraint });
  }
  return url.href;
}

/** Whether a secret may be sent where a rule's upstream is: who makes rules need not be trusted with every secret. */
export function isSecretFor(rule: Pick<CacheRule, 'upstreamUrl'>, { host }: Pick<SecretValue, 'host'>): boolean {
  return host === undefined || host === new URL(upstreamAddress(rule)).host;
}

const URL_LENGTH_MAX = 500;
