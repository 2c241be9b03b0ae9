import { until } from '../system/until.ts';
import { pushedImage, type Scene, type World } from './world.ts';

const repositoryName = 'members/signed';
const imageId = { imageTag: 'v1' };

/** An image that is signed, and one that cannot be. */
export const signing: Scene = async (world) => {
  const { ecr, gantry } = world;
  const created: { arn: string } = JSON.parse(await gantry('signer', 'create', 'members', '--json'));
  await ecr.createRepository({ repositoryName, tags: [{ Key: 'a', Value: 'b' }] });
  const rules = [
    {
      signingProfileArn: created.arn,
      repositoryFilters: [{ filter: 'members/*', filterType: 'WILDCARD_MATCH' as const }],
    },
  ];
  await ecr.putSigningConfiguration({ signingConfiguration: { rules } });
  await ecr.getSigningConfiguration({});
  await pushedImage(world, repositoryName, 'v1');
  await signed(world, 'COMPLETE');
  await gantry('signer', 'retire', 'members');
  await pushedImage(world, repositoryName, 'v1');
  await signed(world, 'FAILED');
  await ecr.deleteSigningConfiguration({});
};

async function signed({ ecr }: World, status: string): Promise<void> {
  await until(async () => {
    const { signingStatuses } = await ecr.describeImageSigningStatus({ repositoryName, imageId });
    return signingStatuses?.[0]?.status === status;
  });
}
