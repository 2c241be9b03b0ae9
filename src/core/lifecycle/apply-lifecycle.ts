import type { CoreDependencies } from '../dependencies.ts';
import { announce } from '../events/announce.ts';
import { type Change, changeTimes, removeImage } from '../images/image-changes.ts';
import type { TaggedImage } from '../images/image-records.ts';
import { IMAGES_WEIGHT_MAX, imageWeight } from '../images/image-weight.ts';
import { activeIndexesOf, archiveImage } from '../images/storage-class.ts';
import type { Records } from '../metadata-store.ts';
import type { Repository } from '../repositories/repository-records.ts';
import type { Digest } from '../values/digest.ts';
import { batchesOf } from './batches.ts';
import { evaluateInTurns, type LifecycleDecision } from './evaluate-lifecycle.ts';
import { type CollectedImage, collectImages, nextTurn } from './lifecycle-images.ts';
import type { CountType } from './lifecycle-policy-schema.ts';
import { readPolicy } from './policy-document.ts';

/** What a run did. */
export interface LifecycleReport {
  readonly repository: Repository;
  /** The moment the ages of images were measured at. */
  readonly evaluatedAt: Date;
  readonly images: number;
  readonly expired: number;
  readonly transitioned: number;
  /** Selected, but an index lists them still: they go once it has gone, on a following run. */
  readonly failed: number;
  /** The first of those. */
  readonly failures: readonly LifecycleFailure[];
  /** Selected, but gone or changed before their turn came: the next run looks at them anew. */
  readonly changed: number;
}

/** As ECR reports it (ECR user guide, "Logging using CloudTrail", PolicyExecutionEvent). */
export interface LifecycleFailure {
  readonly digest: string;
  readonly rulePriority: number;
  readonly failureCode: 'ImageReferencedByManifestList';
  readonly failureReason: string;
}

const FAILURES_TOLD = 100;

/**
 * Applies the lifecycle policy of a repository to the images it has now. Each image is looked at again in the transaction
 * that takes it, so that pushes go on meanwhile, and a run that broke off, or two at once, do no more than one. A policy
 * that is replaced or deleted meanwhile acts no further.
 *
 * @param onProgress told of what was done so far, after each step
 * @param signal ends the run early, between two steps; what was done stays done
 * @returns undefined when there is no such repository, or no policy
 */
export async function applyLifecycle(
  dependencies: CoreDependencies,
  repositoryId: number,
  { onProgress, signal }: { onProgress?: (report: LifecycleReport) => void; signal?: AbortSignal } = {},
): Promise<LifecycleReport | undefined> {
  const { metadata, now } = dependencies;
  const repository = await metadata.read.repositories.findById(repositoryId);
  const stored = await metadata.read.lifecycle.policy(repositoryId);
  if (!repository || !stored) return undefined;
  const policy = readPolicy(stored.document);
  const images = await collectImages(metadata.read.lifecycle, repositoryId, policy, signal);
  const evaluatedAt = now();
  const decisions = await evaluateInTurns(policy, images, evaluatedAt, nextTurn);

  const countTypes = new Map(policy.rules.map(({ rulePriority, countType }) => [rulePriority, countType]));
  const run: Run = { repositoryId, document: stored.document, countTypes, seen: seenBy(decisions, images) };
  let report: LifecycleReport = { repository, evaluatedAt, images: images.length, ...NOTHING };
  const weigh = ({ digest }: LifecycleDecision) => imageWeight(run.seen.get(digest)!);
  for (const batch of batchesOf(decisions, weigh, IMAGES_WEIGHT_MAX)) {
    if (signal?.aborted) break;
    const done = await takeBatch(dependencies, run, batch);
    if (!done) break;
    report = sum(report, done);
    onProgress?.(report);
  }
  await conclude(dependencies, run, report, signal?.aborted === true);
  signal?.throwIfAborted();
  return report;
}

interface Run {
  readonly repositoryId: number;
  readonly document: string;
  readonly countTypes: ReadonlyMap<number, CountType>;
  /** What the decisions rest on; of images without a decision nothing. */
  readonly seen: ReadonlyMap<string, CollectedImage>;
}

type Outcome = Pick<LifecycleReport, 'expired' | 'transitioned' | 'failed' | 'failures' | 'changed'>;

const NOTHING: Outcome = { expired: 0, transitioned: 0, failed: 0, failures: [], changed: 0 };

function seenBy(decisions: readonly LifecycleDecision[], images: readonly CollectedImage[]) {
  const decided = new Set(decisions.map(({ digest }) => digest));
  return new Map(images.filter(({ digest }) => decided.has(digest)).map((image) => [image.digest, image]));
}

function sum(report: LifecycleReport, done: Outcome): LifecycleReport {
  return {
    ...report,
    expired: report.expired + done.expired,
    transitioned: report.transitioned + done.transitioned,
    failed: report.failed + done.failed,
    failures: [...report.failures, ...done.failures].slice(0, FAILURES_TOLD),
    changed: report.changed + done.changed,
  };
}

/** One transaction. @returns undefined when the policy no longer is the repository's */
async function takeBatch(
  dependencies: CoreDependencies,
  run: Run,
  decisions: readonly LifecycleDecision[],
): Promise<Outcome | undefined> {
  const times = changeTimes(dependencies);
  return dependencies.metadata.transaction('repository', async (records) => {
    const repository = await records.repositories.findById(run.repositoryId);
    if (!repository) return undefined;
    const policy = await records.lifecycle.policy(repository.id);
    if (policy?.document !== run.document) return undefined;
    const change: Change = { repository, principal: '', ...times, cause: 'lifecycle' };
    const digests = decisions.map(({ digest }) => digest as Digest);
    const present = new Map((await records.images.findMany(repository.id, digests)).map((one) => [one.digest, one]));
    const done = { expired: 0, transitioned: 0, failed: 0, failures: [] as LifecycleFailure[], changed: 0 };
    for (const decision of decisions) {
      const image = present.get(decision.digest as Digest);
      if (!image || !isAsSeen(run, image, decision)) {
        done.changed += 1;
        continue;
      }
      const indexes = await indexesInTheWay(records, image, decision);
      if (indexes.length > 0) {
        done.failed += 1;
        done.failures.push(failureOf(decision, indexes));
      } else if (decision.action === 'EXPIRE') {
        await removeImage(records, change, image);
        done.expired += 1;
      } else {
        await archiveImage(records, change, image);
        done.transitioned += 1;
      }
    }
    return done;
  });
}

/** Whether what the decision rests on is still so. A pull counts where the rule asks for pulls. */
function isAsSeen({ seen, countTypes }: Run, image: TaggedImage, { digest, rulePriority }: LifecycleDecision): boolean {
  const before = seen.get(digest);
  if (before === undefined) return false;
  const pulls = countTypes.get(rulePriority) === 'sinceImagePulled';
  return (
    image.status === before.status &&
    isSameTime(image.pushedAt, before.pushedAt) &&
    isSameTime(image.activatedAt, before.activatedAt) &&
    isSameTime(image.archivedAt, before.archivedAt) &&
    (!pulls || isSameTime(image.pulledAt, before.pulledAt)) &&
    image.tags.length === before.tags.length &&
    image.tags.every((tag, place) => tag === before.tags[place])
  );
}

function isSameTime(one: Date | undefined, other: Date | undefined): boolean {
  return one?.getTime() === other?.getTime();
}

/** An image is kept while any index lists it; it is archived once those that list it are. */
async function indexesInTheWay(
  records: Records,
  image: TaggedImage,
  { action }: LifecycleDecision,
): Promise<readonly Digest[]> {
  if (action === 'EXPIRE') return records.images.indexesOf(image.repositoryId, image.digest);
  return (await activeIndexesOf(records, image)).map(({ digest }) => digest);
}

function failureOf({ digest, rulePriority }: LifecycleDecision, indexes: readonly Digest[]): LifecycleFailure {
  const failureReason = `Requested image referenced by manifest list: [${indexes.join(', ')}]`;
  return { digest, rulePriority, failureCode: 'ImageReferencedByManifestList', failureReason };
}

/** Notes the evaluation unless the run was broken off, and tells of what was done either way. */
async function conclude(
  { metadata, now }: CoreDependencies,
  { repositoryId, document }: Run,
  { repository, evaluatedAt, expired, transitioned, failed }: LifecycleReport,
  isBrokenOff: boolean,
): Promise<void> {
  await metadata.transaction('own-rows', async (records) => {
    if (!isBrokenOff) await records.lifecycle.noteEvaluation(repositoryId, document, evaluatedAt);
    if (expired + transitioned === 0) return;
    const event = { repositoryName: repository.name, expired, transitioned, failed };
    await announce(records, repository.registry, { kind: 'lifecycle-applied', ...event }, now());
  });
}
