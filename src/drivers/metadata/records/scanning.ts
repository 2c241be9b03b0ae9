import { sql } from 'kysely';
import type {
  ImageScan,
  PackedInventory,
  ScanReads,
  ScanRecords,
  ScanResult,
  ScanStatus,
  ScanType,
} from '../../../core/scanning/scan-records.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';
import { inventoryReads, putInventory } from './layer-inventories.ts';
import { forgetSightings, putSightings, sightingReads } from './severity-sightings.ts';

export function scanReads(session: Session): ScanReads {
  return {
    ...inventoryReads(session),
    ...sightingReads(session),
    async registryScanning({ accountId, region }) {
      const [row] = await registryScanning(session, { account: accountId, region });
      if (!row) return { scanType: 'BASIC', rules: [] };
      return { scanType: row.scan_type as ScanType, rules: JSON.parse(row.rules_json) };
    },
    async find(imageId, scanType) {
      const [row] = await find(session, { imageId, scanType });
      return row && toScan(row);
    },
    async findMany(imageIds, scanType) {
      const rows = await findMany(session, { imageIds: JSON.stringify(imageIds.map(String)), scanType });
      return rows.map(toScan);
    },
    async findings(imageId, scanType) {
      const [row] = await findings(session, { imageId, scanType });
      return row?.findings ?? undefined;
    },
    async watched(status, afterImageId, limit) {
      const rows = await watched(session, { status, afterImageId, limit });
      return rows.map((row) => ({
        imageId: row.image_id,
        repositoryId: row.repository_id,
        digest: row.digest,
        source: row.source ?? '',
      }));
    },
    async countStarted({ accountId, region }, scanType, after) {
      const [row] = await countStarted(session, { account: accountId, region, scanType, after: after.getTime() });
      return Number(row?.count ?? 0);
    },
  };
}

export function scanRecords(session: Session): ScanRecords {
  return {
    ...scanReads(session),
    async putRegistryScanning({ accountId, region }, { scanType, rules }) {
      await putRegistryScanning(session, { account: accountId, region, scanType, rules: JSON.stringify(rules) });
    },
    async start({ imageId, scanType, status, description, startedAt, registry }) {
      await start(session, {
        imageId,
        scanType,
        account: registry.accountId,
        region: registry.region,
        status,
        description: description ?? null,
        startedAt: startedAt.getTime(),
      });
    },
    async end({ imageId, scanType, status, description = null, result }) {
      if (!result) {
        await end(session, { imageId, scanType, status, description });
        return;
      }
      await endWithResult(session, {
        imageId,
        scanType,
        status,
        description,
        completedAt: result.completedAt.getTime(),
        sourceUpdatedAt: result.sourceUpdatedAt.getTime(),
        source: result.source,
        severityCounts: JSON.stringify(result.severityCounts),
        findings: result.findings,
      });
      await putSightings(session, { imageId, scanType }, result);
    },
    async forget(imageId) {
      await forget(session, { imageId });
      await forgetSightings(session, imageId);
    },
    async putInventory(repositoryId, { digest, bytes }: PackedInventory, format) {
      await putInventory(session, { repositoryId, digest, bytes, format });
    },
  };
}

interface ScanRow {
  image_id: number;
  scan_type: string;
  status: string;
  description: string | null;
  started_at: number;
  completed_at: number | null;
  source_updated_at: number | null;
  source: string | null;
  severity_counts_json: string | null;
}

function toScan(row: ScanRow): ImageScan {
  const result = resultOf(row);
  return {
    imageId: row.image_id,
    scanType: row.scan_type as ScanType,
    status: row.status as ScanStatus,
    ...(row.description !== null && { description: row.description }),
    startedAt: new Date(row.started_at),
    ...(result && { result }),
  };
}

function resultOf(row: ScanRow): ScanResult | undefined {
  if (row.completed_at === null) return undefined;
  return {
    completedAt: new Date(row.completed_at),
    sourceUpdatedAt: new Date(row.source_updated_at ?? 0),
    source: row.source ?? '',
    severityCounts: JSON.parse(row.severity_counts_json ?? '{}'),
  };
}

interface InRegistry {
  account: string;
  region: string;
}

interface OfImage {
  imageId: number;
  scanType: string;
}

const SCAN = [
  'image_id',
  'scan_type',
  'status',
  'description',
  'started_at',
  'completed_at',
  'source_updated_at',
  'source',
  'severity_counts_json',
] as const;

/** Read within every push: one look into the primary key. */
const registryScanning = prepared((db, { account, region }: Placeholders<InRegistry>) =>
  db
    .selectFrom('registry_scanning')
    .select(['scan_type', 'rules_json'])
    .where('account', '=', account)
    .where('region', '=', region),
);

const putRegistryScanning = prepared(
  (db, { account, region, scanType, rules }: Placeholders<InRegistry & { scanType: string; rules: string }>) =>
    db
      .insertInto('registry_scanning')
      .values({ account, region, scan_type: scanType, rules_json: rules })
      .onConflict((conflict) =>
        conflict.columns(['account', 'region']).doUpdateSet({ scan_type: scanType, rules_json: rules }),
      ),
);

const find = prepared((db, { imageId, scanType }: Placeholders<OfImage>) =>
  db.selectFrom('image_scans').select(SCAN).where('image_id', '=', imageId).where('scan_type', '=', scanType),
);

const findMany = prepared(
  (db, { imageIds, scanType }: Placeholders<{ imageIds: string; scanType: string }>, { texts }) =>
    db
      .selectFrom('image_scans')
      .select(SCAN)
      .where(
        'image_id',
        'in',
        db.selectFrom(texts<string>(imageIds).as('wanted')).select(sql<number>`cast(wanted.value as bigint)`.as('id')),
      )
      .where('scan_type', '=', scanType),
);

const findings = prepared((db, { imageId, scanType }: Placeholders<OfImage>) =>
  db.selectFrom('image_scans').select('findings').where('image_id', '=', imageId).where('scan_type', '=', scanType),
);

interface WatchedPage {
  status: string;
  afterImageId: number;
  limit: number;
}

const watched = prepared((db, { status, afterImageId, limit }: Placeholders<WatchedPage>) =>
  db
    .selectFrom('image_scans')
    .innerJoin('images', 'images.id', 'image_scans.image_id')
    .select(['image_scans.image_id', 'images.repository_id', 'images.digest', 'image_scans.source'])
    .where('image_scans.scan_type', '=', 'ENHANCED')
    .where('image_scans.status', '=', status)
    .where('image_scans.image_id', '>', afterImageId)
    .where('images.status', '=', 'ACTIVE')
    .orderBy('image_scans.image_id')
    .limit(limit),
);

const countStarted = prepared(
  (db, { account, region, scanType, after }: Placeholders<InRegistry & { scanType: string; after: number }>) =>
    db
      .selectFrom('image_scans')
      .select((query) => query.fn.countAll().as('count'))
      .where('account', '=', account)
      .where('region', '=', region)
      .where('scan_type', '=', scanType)
      .where('started_at', '>', after),
);

interface Started extends OfImage, InRegistry {
  status: string;
  description: string | null;
  startedAt: number;
}

const start = prepared((db, given: Placeholders<Started>) =>
  db
    .insertInto('image_scans')
    .columns(['image_id', 'scan_type', 'account', 'region', 'status', 'description', 'started_at'])
    .expression(
      db
        .selectFrom('images')
        .select([
          'id',
          given.scanType.as('scan_type'),
          given.account.as('account'),
          given.region.as('region'),
          given.status.as('status'),
          given.description.as('description'),
          given.startedAt.as('started_at'),
        ])
        .where('id', '=', given.imageId),
    )
    .onConflict((conflict) =>
      conflict.columns(['image_id', 'scan_type']).doUpdateSet({
        status: given.status,
        description: given.description,
        started_at: given.startedAt,
      }),
    ),
);

interface Ended extends OfImage {
  status: string;
  description: string | null;
}

const end = prepared((db, { imageId, scanType, status, description }: Placeholders<Ended>) =>
  db
    .updateTable('image_scans')
    .set({ status, description })
    .where('image_id', '=', imageId)
    .where('scan_type', '=', scanType),
);

interface EndedWithResult extends Ended {
  completedAt: number;
  sourceUpdatedAt: number;
  source: string;
  severityCounts: string;
  findings: Uint8Array;
}

const endWithResult = prepared((db, given: Placeholders<EndedWithResult>) =>
  db
    .updateTable('image_scans')
    .set({
      status: given.status,
      description: given.description,
      completed_at: given.completedAt,
      source_updated_at: given.sourceUpdatedAt,
      source: given.source,
      severity_counts_json: given.severityCounts,
      findings: given.findings,
    })
    .where('image_id', '=', given.imageId)
    .where('scan_type', '=', given.scanType),
);

const forget = prepared((db, { imageId }: Placeholders<{ imageId: number }>) =>
  db.deleteFrom('image_scans').where('image_id', '=', imageId),
);
