import type { Call } from '../access/caller.ts';
import { RefusedError } from '../errors.ts';
import type { Image, ImageStatusFilter } from '../images/image-records.ts';
import type { Images } from '../images/images.ts';
import type { Repository } from '../repositories/repository-records.ts';
import { UpstreamError, type UpstreamReferrer } from '../upstreams/upstream.ts';
import type { Digest } from '../values/digest.ts';
import { essenceOf } from '../values/media-type.ts';
import type { Cache } from './cache.ts';
import type { CacheRule } from './cache-rule-records.ts';
import { mayImport } from './import-permission.ts';
import { upstreamNameOf } from './rule-table.ts';
import { upstreamRefusal } from './upstream-trouble.ts';

interface Wanted {
  readonly rule: CacheRule;
  readonly repository: Repository;
  readonly repositoryName: string;
  readonly subject: Digest;
  readonly artifactTypes?: readonly string[];
  readonly imageStatus: ImageStatusFilter;
  readonly after: string;
  readonly limit: number;
}

/** More than any image has that people sign and attest. */
const REFERRERS_MAX = 1000;
/** How long an upstream's word is taken, so that pages fit together. */
const KNOWN_SECONDS = 300;
const FAILURE_SECONDS = 5;

/**
 * What names a digest as its subject, here and upstream, in the order of digests; those upstream are imported when they are
 * pulled. When the upstream cannot be asked those here are listed; refuses with upstream-referrers when there are none.
 */
export async function listReferrers(
  cache: Cache,
  images: Images,
  call: Call,
  wanted: Wanted,
): Promise<Awaited<ReturnType<Images['referrers']>>> {
  const local = await images.referrers(call, wanted);
  const isAsked = wanted.imageStatus === 'ACTIVE' || wanted.imageStatus === 'ANY';
  if (!isAsked || !(await mayImport(cache.authorizer, call, wanted.repositoryName, true))) return local;
  const upstream = await upstreamReferrers(cache, wanted).catch((error) => {
    if (!(error instanceof UpstreamError) && !(error instanceof RefusedError)) throw error;
    if (local.referrers.length > 0 || wanted.after !== '') return [];
    const { repositoryName } = wanted;
    const where = { kind: 'upstream-referrers', repositoryName, registryId: call.registry.accountId } as const;
    throw upstreamRefusal(error, wanted.rule, where);
  });
  return merged(local, upstream, wanted);
}

async function upstreamReferrers(
  { upstreams, failures, answers, knownReferrers }: Cache,
  { rule, repository, subject }: Wanted,
): Promise<readonly UpstreamReferrer[]> {
  const key = `referrers ${rule.updatedAt.getTime()} ${repository.id}/${subject}`;
  failures.rethrow(key);
  const known = knownReferrers.find(key);
  if (known) return known;
  return answers.get(key, async () => {
    try {
      const name = upstreamNameOf(rule, repository.name);
      const found = await upstreams.of(rule).referrers(name, subject, REFERRERS_MAX);
      knownReferrers.note(key, found, KNOWN_SECONDS);
      return found;
    } catch (error) {
      failures.note(key, error, FAILURE_SECONDS);
      throw error;
    }
  });
}

/** One page of both lists, which ends no later than the local page does: what comes after that is not known yet. */
function merged(
  local: Awaited<ReturnType<Images['referrers']>>,
  upstream: readonly UpstreamReferrer[],
  { repository, subject, artifactTypes = [], after, limit }: Wanted,
): Awaited<ReturnType<Images['referrers']>> {
  const end = local.next;
  const wanted = new Set(artifactTypes.map(essenceOf));
  const more = upstream
    .filter(({ digest }) => digest > after && (end === undefined || digest < end))
    .filter(({ artifactType = '' }) => wanted.size === 0 || wanted.has(essenceOf(artifactType)))
    .map((referrer) => imageOf(referrer, repository, subject));
  const all = new Map<Digest, Image>([...more, ...local.referrers].map((image) => [image.digest, image]));
  const sorted = [...all.values()].sort((one, other) => (one.digest < other.digest ? -1 : 1));
  const referrers = sorted.slice(0, limit);
  const next = sorted.length > limit ? referrers.at(-1)?.digest : end;
  return { referrers, ...(next !== undefined && { next }) };
}

/** As it will be when it is imported. */
function imageOf(
  { digest, mediaType, size, artifactType, annotations }: UpstreamReferrer,
  { id: repositoryId }: Repository,
  subjectDigest: Digest,
): Image {
  const optional = { ...(artifactType !== undefined && { artifactType }), ...(annotations && { annotations }) };
  const sizes = { manifestBytes: size, imageBytes: 0 };
  return {
    id: 0,
    repositoryId,
    digest,
    mediaType,
    subjectDigest,
    ...optional,
    ...sizes,
    pushedAt: NEVER,
    status: 'ACTIVE',
  };
}

const NEVER = new Date(0);
