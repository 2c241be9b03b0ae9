import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { debianRecords } from '../support/debian-facts.ts';
import { pushImage } from '../support/images.ts';
import { DEBIAN_FILES, imageOfFiles } from '../support/scanned-images.ts';
import { until } from '../system/until.ts';
import type { Scene, World } from './world.ts';

const repositoryName = 'members/scanned';
const imageId = { imageTag: 'v1' };
const filters = [{ filter: repositoryName, filterType: 'WILDCARD' as const }];

/** Both types of scanning, the basic one first. */
export const scanning: Scene = async (world) => {
  const { ecr, server } = world;
  await learn(world);
  await ecr.createRepository({ repositoryName, tags: [{ Key: 'a', Value: 'b' }] });
  await pushImage(server.url, repositoryName, 'v1', imageOfFiles([DEBIAN_FILES]));
  await ecr.batchGetImage({ repositoryName, imageIds: [imageId] });
  await ecr.putImageScanningConfiguration({ repositoryName, imageScanningConfiguration: { scanOnPush: true } });
  await ecr.startImageScan({ repositoryName, imageId });
  await scanned(world, 'COMPLETE');
  const rules = [{ scanFrequency: 'CONTINUOUS_SCAN' as const, repositoryFilters: filters }];
  await ecr.putRegistryScanningConfiguration({ scanType: 'ENHANCED', rules });
  await ecr.getRegistryScanningConfiguration({});
  await ecr.batchGetRepositoryScanningConfiguration({ repositoryNames: [repositoryName, 'unknown'] });
  await scanned(world, 'ACTIVE');
  await until(async () => {
    const { imageDetails } = await ecr.describeImages({ repositoryName });
    return imageDetails?.[0]?.lastRecordedPullTime !== undefined;
  });
  await scanned(world, 'ACTIVE');
  await ecr.putRegistryScanningConfiguration({ scanType: 'BASIC', rules: [] });
};

async function learn({ server, gantry }: World): Promise<void> {
  const severity = [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }];
  const records = debianRecords().map((record) => ({ ...record, severity, published: '2025-01-01T00:00:00Z' }));
  const file = join(server.data, 'records.json');
  await writeFile(file, JSON.stringify(records));
  await gantry('vulndb', 'import', file);
}

async function scanned({ ecr }: World, status: string): Promise<void> {
  await until(async () => {
    const answer = await ecr
      .describeImageScanFindings({ repositoryName, imageId, maxResults: 1 })
      .catch(() => undefined);
    return answer?.imageScanStatus?.status === status;
  });
}
