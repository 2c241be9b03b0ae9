import { coreDependencies, openStores } from '../src/compose/stores.ts';
import type { CoreDependencies } from '../src/core/dependencies.ts';
import { applyLifecycle } from '../src/core/lifecycle/apply-lifecycle.ts';
import { evaluateLifecycle } from '../src/core/lifecycle/evaluate-lifecycle.ts';
import { collectImages } from '../src/core/lifecycle/lifecycle-images.ts';
import { readPolicy } from '../src/core/lifecycle/policy-document.ts';
import { perform, type Sample } from './measure.ts';
import type { Scenario } from './scenario.ts';
import type { Subject } from './subjects.ts';

const REGISTRY = { accountId: '000000000000', region: 'us-east-1' };

/** As `gantry lifecycle` does it, in a process beside the server, whose folder it opens. */
export const lifecycleScenarios: readonly Scenario[] = [
  {
    name: 'lifecycle-evaluate',
    title: '10 lifecycle rules evaluated over 100,000 images, reading included',
    unit: 'ms',
    target: { kind: 'max', value: 2000 },
    subjects: ['gantry'],
    prepare: ({ port }, { images }) => perform({ kind: 'seed-images', port, repository: 'bench/evaluate', images }),
    round: (subject, { images }) =>
      inRepository(subject, 'bench/evaluate', async ({ metadata, now }, repositoryId) => {
        const start = performance.now();
        const policy = readPolicy(policyKeeping(images));
        const collected = await collectImages(metadata.read.lifecycle, repositoryId, policy);
        const decisions = evaluateLifecycle(policy, collected, now());
        const value = performance.now() - start;
        if (collected.length !== images || decisions.length > 0) throw new Error('The policy takes what it keeps');
        return { value };
      }),
  },
  {
    name: 'lifecycle-apply',
    title: 'images deleted by a lifecycle policy, of 100,000',
    unit: '/s',
    target: { kind: 'min', value: 1000 },
    subjects: ['gantry'],
    prepare: ({ port }, { images }) => perform({ kind: 'seed-images', port, repository: 'bench/apply', images }),
    round: (subject, { images }) =>
      inRepository(subject, 'bench/apply', async (dependencies, repositoryId) => {
        const { metadata } = dependencies;
        const everyone = { tagStatus: 'ANY', imageStatus: 'ANY' } as const;
        const present = (await metadata.read.images.page(repositoryId, everyone, '', images)).length;
        const document = policyKeeping(present - Math.max(200, Math.ceil(images / 20)));
        await metadata.transaction('alone', ({ lifecycle }) => lifecycle.putPolicy(repositoryId, document));
        // Reading and evaluating has a scenario of its own.
        let first: { at: number; expired: number } | undefined;
        const onProgress = ({ expired }: { expired: number }) => {
          first ??= { at: performance.now(), expired };
        };
        const report = await applyLifecycle(dependencies, repositoryId, { onProgress });
        if (!report || !first) throw new Error('The policy took nothing');
        return { value: (report.expired - first.expired) / ((performance.now() - first.at) / 1000) };
      }),
  },
];

/** Nine rules that look at every tag and match none, and one that counts. */
function policyKeeping(images: number): string {
  const action = { type: 'expire' };
  const fruitless = Array.from({ length: 9 }, (_, index) => ({
    rulePriority: index + 1,
    selection: {
      tagStatus: 'tagged',
      tagPatternList: [`*-${index}-*`, 'v*'],
      countType: 'imageCountMoreThan',
      countNumber: 1,
    },
    action,
  }));
  const selection = { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: images };
  return JSON.stringify({ rules: [...fruitless, { rulePriority: 10, selection, action }] });
}

async function inRepository(
  { folder }: Subject,
  name: string,
  work: (dependencies: CoreDependencies, repositoryId: number) => Promise<Sample>,
): Promise<Sample> {
  await using stores = await openStores(folder);
  const repository = await stores.metadata.read.repositories.find(REGISTRY, name);
  if (!repository) throw new Error(`There is no repository ${name}`);
  return await work(coreDependencies(stores, {}), repository.id);
}
