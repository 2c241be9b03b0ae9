import { type CopyStep, copyImage } from '../transfer/copy-image.ts';
import { createSharedWork, type SharedWork } from '../transfer/shared-work.ts';
import { type ImageTarget, TransferError } from '../transfer/transfer.ts';
import { UpstreamError, type UpstreamErrorCode } from '../upstreams/upstream.ts';
import { lookAhead } from './look-ahead.ts';
import { attempt, isAborted, type MigrationRun } from './migration-run.ts';
import type { MigrationImage } from './places.ts';

export interface ImageTask {
  readonly repositoryName: string;
  readonly targetName: string;
  readonly image: MigrationImage;
}

/** What may go well a second time. */
const PASSING: readonly UpstreamErrorCode[] = ['unavailable', 'too-many-requests', 'refused', 'invalid'];
/** In a row: then there is nobody there. */
const VAIN_MAX = 3;

/**
 * Brings images as they come, several at a time. What fails because of a registry is tried once more at the end and by itself:
 * some do not bear to be asked for one thing by two.
 */
export async function bringImages(run: MigrationRun, tasks: AsyncGenerator<ImageTask>): Promise<void> {
  const bringing: Bringing = { run, manifests: createSharedWork(), counted: new Set(), again: [] };
  const workers = Array.from({ length: run.plan.concurrency }, () => workOff(bringing, tasks));
  for (const each of await Promise.allSettled(workers)) if (each.status === 'rejected') throw each.reason;
  let vain = 0;
  for (const { task, error } of bringing.again) {
    if (isAborted(run)) return;
    const retry = () => (vain < VAIN_MAX ? bring(bringing, task) : Promise.reject(error));
    const isDone = await attempt(run, subjectOf(task), retry);
    vain = isDone ? 0 : vain + 1;
    finish(run, isDone);
  }
}

interface Bringing {
  readonly run: MigrationRun;
  /** Of two that put a manifest one waits. */
  readonly manifests: SharedWork;
  /** Digests that a dry run has counted. */
  readonly counted: Set<string>;
  readonly again: { readonly task: ImageTask; readonly error: unknown }[];
}

/** Several take tasks, each the next one. */
async function workOff(bringing: Bringing, tasks: AsyncGenerator<ImageTask>): Promise<void> {
  const { run, again } = bringing;
  for (let next = await tasks.next(); !next.done; next = await tasks.next()) {
    if (isAborted(run)) return;
    const task = next.value;
    try {
      await bring(bringing, task);
    } catch (error) {
      if (error instanceof UpstreamError && PASSING.includes(error.code)) again.push({ task, error });
      else finish(run, await attempt(run, subjectOf(task), () => Promise.reject(error)));
    }
    run.plan.onProgress?.(run.report);
  }
}

function finish(run: MigrationRun, isDone: boolean): void {
  if (!isDone && !isAborted(run)) run.report.images.failed += 1;
  run.plan.onProgress?.(run.report);
}

function subjectOf({ repositoryName, image: { tag, reference } }: ImageTask): string {
  return `${repositoryName}${tag === undefined ? '@' : ':'}${reference}`;
}

async function bring({ run, manifests, counted }: Bringing, task: ImageTask): Promise<void> {
  const { source, target, plan, report } = run;
  const { repositoryName, targetName, image } = task;
  const [from, to] = [source.repository(repositoryName), target.repository(targetName)];
  if (plan.isDryRun) return lookAhead(from, to, image, { report, counted, signal: plan.signal });
  const copied = await copyImage(from, oneByOne(to, targetName, manifests), image, {
    withReferrers: true,
    signal: plan.signal,
    onProgress: (step) => notice(run, step),
  });
  if (image.tag !== undefined && !copied.isTagged) {
    const reason = `The image ${copied.digest} is there, but the tag is immutable and on another one`;
    throw new TransferError('invalid', reason);
  }
  report.images[copied.manifests.stored > 0 ? 'copied' : 'present'] += 1;
}

/** A registry that keeps manifests in files may see one halfway that is put a second time, and refuse the index that lists it. */
function oneByOne(target: ImageTarget, name: string, manifests: SharedWork): ImageTarget {
  return {
    ...target,
    putManifest: (manifest, tag, options) =>
      manifests.oneByOne(`${name}@${manifest.digest}`, async () => {
        const { digest } = manifest;
        if (tag === undefined && (await target.has(digest, digest, options))) return { isTagged: false };
        return target.putManifest(manifest, tag, options);
      }),
  };
}

function notice({ report, plan }: MigrationRun, step: CopyStep): void {
  if (step.kind === 'bytes') report.passedBytes += step.bytes;
  if (step.kind === 'blob') {
    report.blobs[step.outcome] += 1;
    if (step.outcome === 'stored') report.storedBytes += step.bytes;
  }
  plan.onProgress?.(report);
}
