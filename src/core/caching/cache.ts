import type { Authorizer } from '../access/authorizer.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { Repository } from '../repositories/repository-records.ts';
import type { ArrivingImages } from './arriving-images.ts';
import type { BlobImports, WantedBlob } from './blob-imports.ts';
import type { CacheRule } from './cache-rule-records.ts';
import type { CacheUpstreams } from './cache-upstreams.ts';
import type { ImportQueue } from './import-queue.ts';
import type { KnownReferrers } from './known-referrers.ts';
import type { RecentFailures } from './recent-failures.ts';
import { type RuleTable, upstreamNameOf } from './rule-table.ts';
import type { SharedAnswers } from './shared-answers.ts';

/** What all parts of the pull-through cache work with. */
export interface Cache {
  readonly dependencies: CoreDependencies;
  readonly authorizer: Authorizer;
  readonly table: RuleTable;
  readonly upstreams: CacheUpstreams;
  readonly arriving: ArrivingImages;
  readonly blobImports: BlobImports;
  readonly knownReferrers: KnownReferrers;
  readonly failures: RecentFailures;
  readonly answers: SharedAnswers;
  readonly imports: ImportQueue;
}

export function wantedBlob(
  { upstreams }: Pick<Cache, 'upstreams'>,
  rule: CacheRule,
  repository: Repository,
  blob: Pick<WantedBlob, 'digest' | 'bytes'>,
): WantedBlob {
  const upstreamName = upstreamNameOf(rule, repository.name);
  return { repository, upstream: upstreams.of(rule), upstreamName, ...blob };
}
