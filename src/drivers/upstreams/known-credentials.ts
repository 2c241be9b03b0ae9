import type { CredentialsProvider, UpstreamCredentials } from '../../core/upstreams/upstream.ts';

/** Credentials, and where newer ones come from. Rejects with whatever the provider throws. */
export interface KnownCredentials {
  /** Undefined: there are none. */
  get(): Promise<UpstreamCredentials | undefined>;
  /** Others than those that were refused; undefined when there are no others. */
  refresh(refused: UpstreamCredentials): Promise<UpstreamCredentials | undefined>;
}

/** What expires sooner counts as expired: a request takes a while. */
const LEEWAY_SECONDS = 60;

export function createKnownCredentials(
  given: UpstreamCredentials | CredentialsProvider | undefined,
  now: () => Date,
): KnownCredentials {
  if (typeof given !== 'function') return { get: async () => given, refresh: async () => undefined };
  let known: UpstreamCredentials | undefined;
  let asking: Promise<UpstreamCredentials> | undefined;
  const ask = () => {
    asking ??= given()
      .then((credentials) => {
        known = credentials;
        return credentials;
      })
      .finally(() => {
        asking = undefined;
      });
    return asking;
  };
  const isGood = ({ expiresAt }: UpstreamCredentials) =>
    expiresAt === undefined || expiresAt.getTime() - LEEWAY_SECONDS * 1000 > now().getTime();
  return {
    get: async () => (known !== undefined && isGood(known) ? known : ask()),
    refresh: async (refused) => (known !== undefined && known !== refused ? known : ask()),
  };
}

/** RFC 7617. */
export function basicHeader({ username, password }: UpstreamCredentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
