import type { CoreDependencies } from '../dependencies.ts';
import { announce } from '../events/announce.ts';
import type { JobPayloads } from '../jobs/job-kinds.ts';
import type { MatchedImage } from './scan-engine.ts';
import type { EndedScan } from './scan-records.ts';
import { frequencyOf } from './scanning-rules.ts';

/** What came of a scan, without the image's name. */
export type ScanOutcome = Pick<EndedScan, 'status' | 'description'> & {
  /** Without the time of its completion. */
  readonly result?: Omit<NonNullable<EndedScan['result']>, 'completedAt'>;
};

const DOUBTS_TOLD = 10;
const DESCRIPTION_CHARACTERS_MAX = 2000;

/** The status of one that is watched is said when it is recorded. */
export function outcomeOf({ data, findings, severityCounts, doubts }: MatchedImage): ScanOutcome {
  const { updatedAt: sourceUpdatedAt, fingerprint: source } = data;
  const told = doubts.slice(0, DOUBTS_TOLD);
  const more = doubts.length > told.length ? `; and ${doubts.length - told.length} more` : '';
  const said = `The scan was completed successfully. There may be more than it found: ${told.join('; ')}${more}.`;
  return {
    status: 'COMPLETE',
    ...(told.length > 0 && { description: said.slice(0, DESCRIPTION_CHARACTERS_MAX) }),
    result: { sourceUpdatedAt, source, severityCounts, findings },
  };
}

/** Records what came of a scan and tells of it; nothing happens when the image is gone. */
export async function endScan(
  { metadata, now }: CoreDependencies,
  { repositoryId, digest, scanType }: JobPayloads['scan-image'],
  { status, description, result }: ScanOutcome,
): Promise<void> {
  const at = now();
  await metadata.transaction('repository', async (records) => {
    const repository = await records.repositories.findById(repositoryId);
    const image = repository && (await records.images.find(repository.id, digest));
    if (!repository || !image) return;
    const { registry, name: repositoryName } = repository;
    const scanning = await records.scanning.registryScanning(registry);
    const isWatched = scanType === 'ENHANCED' && frequencyOf(scanning, repository).frequency === 'CONTINUOUS_SCAN';
    await records.scanning.end({
      imageId: image.id,
      scanType,
      status: status === 'COMPLETE' && isWatched ? 'ACTIVE' : status,
      ...(description !== undefined && { description }),
      ...(result && { result: { ...result, completedAt: at } }),
    });
    const tags = await records.images.tagsOf(image.id);
    const severityCounts = result?.severityCounts ?? {};
    const event = { kind: 'image-scanned', repositoryName, digest, tags, scanType, status, severityCounts } as const;
    await announce(records, registry, event, at);
  });
}
