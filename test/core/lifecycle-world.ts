import type { CoreDependencies } from '../../src/core/dependencies.ts';
import { followSubject } from '../../src/core/images/follow-subject.ts';
import { applyLifecycle, type LifecycleReport } from '../../src/core/lifecycle/apply-lifecycle.ts';
import type { Records, WorkScope } from '../../src/core/metadata-store.ts';
import type { JobHandlers } from '../../src/jobs/job-handler.ts';
import { applyLifecycleJob, previewLifecycleJob, startLifecycleJob } from '../../src/jobs/lifecycle-jobs.ts';
import type { Blob } from '../support/images.ts';
import { type CoreUnderTest, call, coreUnderTest, pushLayer } from './core-under-test.ts';
import { imageManifest, indexManifest } from './manifests.ts';

export const repositoryName = 'one';
export const DAY_SECONDS = 24 * 3600;

/** A repository that is filled and looked at, with what does the jobs of lifecycle policies. */
export interface LifecycleWorld extends CoreUnderTest {
  readonly repositoryId: number;
  readonly handlers: JobHandlers;
  readonly reports: LifecycleReport[];
  /** Sets the policy. */
  policy(document: object): Promise<void>;
  /** Pushes an image that follows from a word, with its tags, some time after the one before. @returns its manifest */
  push(word: string, options?: { tags?: readonly string[]; subject?: Blob }): Promise<Blob>;
  pushIndex(children: readonly Blob[], tags?: readonly string[]): Promise<Blob>;
  /** Applies the policy. */
  apply(options?: { signal?: AbortSignal; onProgress?: (report: LifecycleReport) => void }): Promise<LifecycleReport>;
  /** Applies the policy, and does something right before its so-and-so-manieth transaction. */
  applyMeeting(work: () => Promise<unknown>, transaction?: number): Promise<LifecycleReport>;
  /** Digests of active images, in order. */
  active(): Promise<string[]>;
  archived(): Promise<string[]>;
}

export async function lifecycleWorld(...given: Parameters<typeof coreUnderTest>): Promise<LifecycleWorld> {
  const core = await coreUnderTest(...given);
  const { dependencies, images, lifecycle } = core;
  const { read } = dependencies.metadata;
  const config = await pushLayer(core, repositoryName, 'config');
  const layer = await pushLayer(core, repositoryName, 'layer');
  const repositoryId = (await read.repositories.find(call.registry, repositoryName))!.id;
  const reports: LifecycleReport[] = [];

  const put = async (manifest: Blob, tags: readonly string[]) => {
    core.pass(1);
    await images.put(call, { repositoryName, manifest: manifest.bytes, ...(tags[0] && { tag: tags[0] }) });
    for (const tag of tags.slice(1)) await images.put(call, { repositoryName, manifest: manifest.bytes, tag });
    return manifest;
  };
  const digestsOf = async (imageStatus: 'ACTIVE' | 'ARCHIVED') => {
    const page = { repositoryName, tagStatus: 'ANY', imageStatus, after: '', limit: 10_000 } as const;
    return (await images.describe(call, page)).images.map(({ digest }) => digest as string);
  };
  const apply = async (used: CoreDependencies, options = {}) => {
    const report = await applyLifecycle(used, repositoryId, options);
    if (!report) throw new Error('there is no policy');
    return report;
  };

  return {
    ...core,
    repositoryId,
    reports,
    handlers: {
      'start-lifecycle': startLifecycleJob(dependencies),
      'apply-lifecycle': applyLifecycleJob(dependencies, (report) => reports.push(report)),
      'preview-lifecycle': previewLifecycleJob(dependencies),
      'follow-subject': {
        attemptsMax: 1,
        retrySeconds: () => 1,
        run: (following, { signal }) => followSubject(dependencies, following, signal),
      },
    },
    async policy(document) {
      await lifecycle.putPolicy(call, { repositoryName, document: JSON.stringify(document) });
    },
    push(word, { tags = [], subject } = {}) {
      const more = {
        annotations: { word },
        ...(subject && { subject: { mediaType: 'any', digest: subject.digest, size: subject.bytes.length } }),
      };
      return put(imageManifest(config, [layer], more), tags);
    },
    pushIndex(children, tags = []) {
      const annotations = { at: dependencies.now().toISOString() };
      return put(indexManifest(children, { annotations }), tags);
    },
    apply: (options) => apply(dependencies, options),
    applyMeeting: (work, transaction = 1) => apply(meeting(dependencies, work, transaction)),
    active: () => digestsOf('ACTIVE'),
    archived: () => digestsOf('ARCHIVED'),
    [Symbol.asyncDispose]: () => core[Symbol.asyncDispose](),
  };
}

function meeting(dependencies: CoreDependencies, work: () => Promise<unknown>, transaction: number): CoreDependencies {
  const { metadata } = dependencies;
  let begun = 0;
  const intercepted = {
    isShared: metadata.isShared,
    read: metadata.read,
    async transaction<T>(about: WorkScope, inner: (records: Records) => Promise<T>): Promise<T> {
      begun += 1;
      if (begun === transaction) await work();
      return metadata.transaction(about, inner);
    },
    migrate: () => metadata.migrate(),
    ready: () => metadata.ready(),
    [Symbol.asyncDispose]: async () => {},
  };
  return { ...dependencies, metadata: intercepted };
}
