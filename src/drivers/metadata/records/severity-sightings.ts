import type { ScanReads, ScanResult, SeveritiesSince } from '../../../core/scanning/scan-records.ts';
import type { Severity } from '../../../core/scanning/severity/severity.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';

export function sightingReads(session: Session): Pick<ScanReads, 'severitiesSince'> {
  return {
    async severitiesSince(imageId, scanType) {
      const rows = await sightings(session, { imageId, scanType });
      return Object.fromEntries(rows.map(({ severity, seen_at }) => [severity, new Date(seen_at)])) as SeveritiesSince;
    },
  };
}

/** A severity that the result before had too keeps its time. */
export async function putSightings(
  session: Session,
  { imageId, scanType }: OfScan,
  { severityCounts, completedAt }: Pick<ScanResult, 'severityCounts' | 'completedAt'>,
): Promise<void> {
  const present = Object.keys(severityCounts) as Severity[];
  const severities = JSON.stringify(present);
  await deleteOthers(session, { imageId, scanType, severities });
  if (present.length === 0) return;
  await addNew(session, { imageId, scanType, severities, seenAt: completedAt.getTime() });
}

export async function forgetSightings(session: Session, imageId: number): Promise<void> {
  await forget(session, { imageId });
}

interface OfScan {
  imageId: number;
  scanType: string;
}

const sightings = prepared((db, { imageId, scanType }: Placeholders<OfScan>) =>
  db
    .selectFrom('severity_sightings')
    .select(['severity', 'seen_at'])
    .where('image_id', '=', imageId)
    .where('scan_type', '=', scanType),
);

const deleteOthers = prepared(
  (db, { imageId, scanType, severities }: Placeholders<OfScan & { severities: string }>, { texts }) =>
    db
      .deleteFrom('severity_sightings')
      .where('image_id', '=', imageId)
      .where('scan_type', '=', scanType)
      .where('severity', 'not in', db.selectFrom(texts<string>(severities).as('present')).select('present.value')),
);

/** Of a scan that there is. */
const addNew = prepared((db, given: Placeholders<OfScan & { severities: string; seenAt: number }>, { texts }) =>
  db
    .insertInto('severity_sightings')
    .columns(['image_id', 'scan_type', 'severity', 'seen_at'])
    .expression(
      db
        .selectFrom('image_scans')
        .innerJoin(texts<string>(given.severities).as('present'), (join) => join.onTrue())
        .select(['image_scans.image_id', 'image_scans.scan_type', 'present.value', given.seenAt.as('seen_at')])
        .where('image_scans.image_id', '=', given.imageId)
        .where('image_scans.scan_type', '=', given.scanType),
    )
    .onConflict((conflict) => conflict.columns(['image_id', 'scan_type', 'severity']).doNothing()),
);

const forget = prepared((db, { imageId }: Placeholders<{ imageId: number }>) =>
  db.deleteFrom('severity_sightings').where('image_id', '=', imageId),
);
