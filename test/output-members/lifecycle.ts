import { previewed, pushedImage, type Scene } from './world.ts';

/** One image is archived, another expires, and one stays. */
const RULES = [
  { rulePriority: 1, ...keeping('old', 1), action: { type: 'transition', targetStorageClass: 'archive' } },
  { rulePriority: 2, ...keeping('new', 1), action: { type: 'expire' } },
];

export const lifecycle: Scene = async (world) => {
  const { ecr } = world;
  const repositoryName = 'members/lifecycle';
  for (const tag of ['old-1', 'old-2', 'new-1', 'new-2']) await pushedImage(world, repositoryName, tag);
  const lifecyclePolicyText = JSON.stringify({ rules: RULES });
  await ecr.startLifecyclePolicyPreview({ repositoryName, lifecyclePolicyText });
  await previewed(world, repositoryName);
  await ecr.getLifecyclePolicyPreview({ repositoryName });
  await ecr.getLifecyclePolicyPreview({ repositoryName, maxResults: 1 });
  await ecr.putLifecyclePolicy({ repositoryName, lifecyclePolicyText });
  await world.gantry('lifecycle', 'run', '--repository', repositoryName);
  await ecr.getLifecyclePolicy({ repositoryName });
  await ecr.deleteLifecyclePolicy({ repositoryName });
};

function keeping(prefix: string, countNumber: number) {
  const selection = { tagStatus: 'tagged', tagPrefixList: [prefix], countType: 'imageCountMoreThan', countNumber };
  return { selection };
}
