import type {
  ExceptionKey,
  Gate,
  GatedImage,
  GateException,
  GateReads,
  GateRecords,
} from '../../../core/gates/gate-records.ts';
import type { ScanStatus } from '../../../core/scanning/scan-records.ts';
import type { Severity } from '../../../core/scanning/severity/severity.ts';
import type { Digest } from '../../../core/values/digest.ts';
import type { GateExceptionsTable, GatesTable } from '../gate-tables.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';

export function gateReads(session: Session): GateReads {
  return {
    async all() {
      const gates = await all(session, {});
      if (gates.length === 0) return [];
      const exceptions = Map.groupBy((await allExceptions(session, {})).map(toException), (one) => one.repositoryId);
      return gates.map((row) => ({
        registry: { accountId: row.account, region: row.region },
        repositoryName: row.name,
        gate: toGate(row),
        exceptions: exceptions.get(row.repository_id) ?? [],
      }));
    },
    async find(repositoryId) {
      const [row] = await find(session, { repositoryId });
      return row && toGate(row);
    },
    async exceptions(repositoryId) {
      return (await exceptions(session, { repositoryId })).map(toException);
    },
    async image(repositoryId, digest, scanType) {
      const [row] = await image(session, { repositoryId, digest, scanType });
      return row && toImage(row);
    },
  };
}

export function gateRecords(session: Session): GateRecords {
  return {
    ...gateReads(session),
    async put(gate) {
      await put(session, {
        repositoryId: gate.repositoryId,
        severity: gate.severity ?? null,
        requiresScan: gate.requiresScan ? 1 : 0,
        signedBy: gate.signedBy ?? null,
        graceSeconds: gate.graceSeconds,
        isDryRun: gate.isDryRun ? 1 : 0,
        author: gate.author,
        updatedAt: gate.updatedAt.getTime(),
      });
    },
    async delete(repositoryId) {
      await deleteExceptions(session, { repositoryId });
      return (await deleteGate(session, { repositoryId })).length > 0;
    },
    async putException({ repositoryId, until, reason, author, createdAt, ...what }) {
      const times = { until: until.getTime(), createdAt: createdAt.getTime() };
      await putException(session, { repositoryId, ...toKey(what), ...times, reason, author });
    },
    async deleteException(repositoryId, key) {
      return (await deleteException(session, { repositoryId, ...toKey(key) })).length > 0;
    },
  };
}

function toKey({ cve = '', digest = '' as Digest }: ExceptionKey): { cve: string; digest: string } {
  return { cve, digest };
}

function toGate(row: GatesTable): Gate {
  return {
    repositoryId: row.repository_id,
    ...(row.severity !== null && { severity: row.severity as Severity }),
    requiresScan: row.requires_scan === 1,
    ...(row.signed_by !== null && { signedBy: row.signed_by }),
    graceSeconds: row.grace_seconds,
    isDryRun: row.is_dry_run === 1,
    author: row.author,
    updatedAt: new Date(row.updated_at),
  };
}

function toException(row: GateExceptionsTable): GateException {
  return {
    repositoryId: row.repository_id,
    ...(row.cve !== '' && { cve: row.cve }),
    ...(row.digest !== '' && { digest: row.digest as Digest }),
    until: new Date(row.until),
    reason: row.reason,
    author: row.author,
    createdAt: new Date(row.created_at),
  };
}

interface ImageRow {
  id: number;
  pushed_at: number;
  activated_at: number | null;
  scan_status: string | null;
  description: string | null;
  completed_at: number | null;
  severity_counts_json: string | null;
}

function toImage(row: ImageRow): GatedImage {
  const { scan_status: status, description, completed_at: completedAt, severity_counts_json: counts } = row;
  const result = completedAt !== null && {
    result: { completedAt: new Date(completedAt), severityCounts: JSON.parse(counts ?? '{}') },
  };
  return {
    imageId: row.id,
    pushedAt: new Date(row.pushed_at),
    ...(row.activated_at !== null && { activatedAt: new Date(row.activated_at) }),
    ...(status !== null && {
      scan: { status: status as ScanStatus, ...(description !== null && { description }), ...result },
    }),
  };
}

interface OfRepository {
  repositoryId: number;
}

const GATE_COLUMNS = [
  'repository_id',
  'severity',
  'requires_scan',
  'signed_by',
  'grace_seconds',
  'is_dry_run',
  'author',
  'updated_at',
] as const;

const EXCEPTION_COLUMNS = ['repository_id', 'cve', 'digest', 'until', 'reason', 'author', 'created_at'] as const;

const all = prepared((db) =>
  db
    .selectFrom('gates')
    .innerJoin('repositories', 'repositories.id', 'gates.repository_id')
    .select(GATE_COLUMNS)
    .select(['repositories.account', 'repositories.region', 'repositories.name'])
    .orderBy('repositories.account')
    .orderBy('repositories.region')
    .orderBy('repositories.name'),
);

const allExceptions = prepared((db) =>
  db.selectFrom('gate_exceptions').select(EXCEPTION_COLUMNS).orderBy('until').orderBy('cve').orderBy('digest'),
);

const find = prepared((db, { repositoryId }: Placeholders<OfRepository>) =>
  db.selectFrom('gates').select(GATE_COLUMNS).where('repository_id', '=', repositoryId),
);

const exceptions = prepared((db, { repositoryId }: Placeholders<OfRepository>) =>
  db
    .selectFrom('gate_exceptions')
    .select(EXCEPTION_COLUMNS)
    .where('repository_id', '=', repositoryId)
    .orderBy('until')
    .orderBy('cve')
    .orderBy('digest'),
);

/** Read within every pull through a gate: one row. */
const image = prepared(
  (db, { repositoryId, digest, scanType }: Placeholders<OfRepository & { digest: Digest; scanType: string }>) =>
    db
      .selectFrom('images')
      .leftJoin('image_scans', (join) =>
        join.onRef('image_scans.image_id', '=', 'images.id').on('image_scans.scan_type', '=', scanType),
      )
      .select([
        'images.id',
        'images.pushed_at',
        'images.activated_at',
        'image_scans.status as scan_status',
        'image_scans.description',
        'image_scans.completed_at',
        'image_scans.severity_counts_json',
      ])
      .where('images.repository_id', '=', repositoryId)
      .where('images.digest', '=', digest),
);

interface NewGate extends OfRepository {
  severity: string | null;
  requiresScan: number;
  signedBy: string | null;
  graceSeconds: number;
  isDryRun: number;
  author: string;
  updatedAt: number;
}

const put = prepared((db, gate: Placeholders<NewGate>) => {
  const values = {
    severity: gate.severity,
    requires_scan: gate.requiresScan,
    signed_by: gate.signedBy,
    grace_seconds: gate.graceSeconds,
    is_dry_run: gate.isDryRun,
    author: gate.author,
    updated_at: gate.updatedAt,
  };
  return db
    .insertInto('gates')
    .values({ repository_id: gate.repositoryId, ...values })
    .onConflict((conflict) => conflict.column('repository_id').doUpdateSet(values));
});

const deleteGate = prepared((db, { repositoryId }: Placeholders<OfRepository>) =>
  db.deleteFrom('gates').where('repository_id', '=', repositoryId).returning('repository_id'),
);

const deleteExceptions = prepared((db, { repositoryId }: Placeholders<OfRepository>) =>
  db.deleteFrom('gate_exceptions').where('repository_id', '=', repositoryId),
);

interface KeyOfException extends OfRepository {
  cve: string;
  digest: string;
}

interface NewException extends KeyOfException {
  until: number;
  reason: string;
  author: string;
  createdAt: number;
}

const putException = prepared((db, given: Placeholders<NewException>) => {
  const values = { until: given.until, reason: given.reason, author: given.author, created_at: given.createdAt };
  return db
    .insertInto('gate_exceptions')
    .values({ repository_id: given.repositoryId, cve: given.cve, digest: given.digest, ...values })
    .onConflict((conflict) => conflict.columns(['repository_id', 'cve', 'digest']).doUpdateSet(values));
});

const deleteException = prepared((db, { repositoryId, cve, digest }: Placeholders<KeyOfException>) =>
  db
    .deleteFrom('gate_exceptions')
    .where('repository_id', '=', repositoryId)
    .where('cve', '=', cve)
    .where('digest', '=', digest)
    .returning('repository_id'),
);
