import { RefusedError } from '../../core/errors.ts';
import type { Image } from '../../core/images/image-records.ts';
import type { Digest } from '../../core/values/digest.ts';
import { OCI_INDEX } from '../../core/values/media-type.ts';
import { answerJson, type OciExchange } from './exchange.ts';
import { linkTo, pageOf } from './paging.ts';
import { digestFrom } from './references.ts';

const REFERRERS_MAX = 100;

/** A page ends early above this; clients expect an index to be no larger than a manifest. */
const INDEX_BYTES_MAX = 4 * 1024 * 1024;

/**
 * GET referrers (end-12a and end-12b): an image index of what names the digest as its subject. Nothing there, not even a
 * repository, is an empty index: the specification forbids 404 here.
 */
export async function listReferrers(exchange: OciExchange): Promise<void> {
  const { repositoryName, parameter, query } = exchange;
  const subject = digestFrom(parameter);
  const artifactTypes = query.getAll('artifactType').map(mediaTypeFrom).filter(Boolean);
  const { manifests, next } = await page(exchange, subject, artifactTypes);
  const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests };
  answerJson(exchange, 200, index, {
    'Content-Type': OCI_INDEX,
    ...(artifactTypes.length === 0 ? {} : { 'OCI-Filters-Applied': 'artifactType' }),
    ...linkTo(exchange, `${repositoryName}/referrers/${subject}`, next),
  });
}

async function page(
  exchange: OciExchange,
  subject: Digest,
  artifactTypes: readonly string[],
): Promise<{ manifests: object[]; next?: string | undefined }> {
  const { after, limit } = pageOf(exchange, REFERRERS_MAX);
  if (limit === 0) return { manifests: [] };
  const { referrers, next } = await find(exchange, subject, artifactTypes, after, limit);
  const manifests: object[] = [];
  let bytes = 0;
  let last = after;
  for (const referrer of referrers) {
    const descriptor = descriptorOf(referrer);
    bytes += Buffer.byteLength(JSON.stringify(descriptor));
    if (bytes > INDEX_BYTES_MAX && manifests.length > 0) return { manifests, next: last };
    manifests.push(descriptor);
    last = referrer.digest;
  }
  return { manifests, next };
}

async function find(
  { context, call, repositoryName }: OciExchange,
  subject: Digest,
  artifactTypes: readonly string[],
  after: string,
  limit: number,
): Promise<{ referrers: Image[]; next?: string }> {
  try {
    return await context.core.images.referrers(call, {
      repositoryName,
      subject,
      ...(artifactTypes.length === 0 ? {} : { artifactTypes }),
      imageStatus: 'ACTIVE',
      after,
      limit,
    });
  } catch (error) {
    if (error instanceof RefusedError && error.refusal.kind === 'repository-not-found') return { referrers: [] };
    throw error;
  }
}

/** A plus sign that a client did not escape reads as a blank, which no media type holds. */
function mediaTypeFrom(text: string): string {
  return text.replaceAll(' ', '+');
}

function descriptorOf({ mediaType, digest, manifestBytes, artifactType, annotations }: Image): object {
  return {
    mediaType,
    digest,
    size: manifestBytes,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}
