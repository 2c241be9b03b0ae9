import type { CoreDependencies } from '../dependencies.ts';
import type { StoredManifest } from '../images/image-records.ts';
import type { Reads } from '../metadata-store.ts';
import type { ScanEngine } from '../scanning/scan-engine.ts';
import type { SeveritiesSince } from '../scanning/scan-records.ts';
import { holdsFiles } from '../scanning/scannable.ts';
import { type Manifest, parseManifest } from '../values/manifest.ts';
import type { Registry } from '../values/registry.ts';
import { countFrom, evaluateGate, isFrom, type WeighedFinding } from './evaluate-gate.ts';
import type { GateDecision } from './gate-decision.ts';
import type { GatedImage } from './gate-records.ts';
import { createGateSignatures } from './gate-signatures.ts';
import { createGateTable, type StandingGate } from './gate-table.ts';
import { whyUnsigned } from './why-unsigned.ts';

/** Decides which images may be pulled. */
export interface Gates {
  /** The gate before a repository; undefined without one. */
  find(registry: Registry, repositoryName: string): Promise<StandingGate | undefined>;
  /** What a gate makes of an image of its repository, or of one that is on its way there. Changes nothing. */
  judge(standing: StandingGate, manifest: StoredManifest): Promise<GateDecision>;
}

export function createGates(dependencies: CoreDependencies, engine: Pick<ScanEngine, 'unpack'>): Gates {
  const { metadata, now } = dependencies;
  const { read } = metadata;
  const table = createGateTable(dependencies);
  const findings = createFindings(read, engine);
  const signing = { read, signatures: createGateSignatures(dependencies), now };
  return {
    find: (registry, repositoryName) => table.find(registry, repositoryName),

    async judge(standing, stored) {
      const { gate, exceptions, scanType } = standing;
      const { digest } = stored;
      const manifest = parseManifest(stored.bytes, stored.mediaType);
      const isRunnable = holdsFiles(manifest);
      if (isReferrer(manifest, isRunnable)) return { outcome: 'passed', reasons: [] };
      const image = await read.gates.image(gate.repositoryId, digest, scanType);
      const result = isRunnable ? image?.scan?.result : undefined;
      const isGrave = gate.severity !== undefined && result && countFrom(gate.severity, result.severityCounts) > 0;
      const known = isGrave && image ? await findings(standing, image) : NONE;
      const unsignedBecause =
        gate.signedBy === undefined ? undefined : await whyUnsigned(signing, standing, digest, image);
      return evaluateGate(gate, exceptions, { digest, isRunnable, image, unsignedBecause, ...known }, now());
    },
  };
}

/** Signatures, lists of packages and what else is about an image are there to judge it by. */
function isReferrer({ subject, children }: Manifest, isRunnable: boolean): boolean {
  return subject !== undefined && children.length === 0 && !isRunnable;
}

interface KnownFindings {
  readonly findings: readonly WeighedFinding[];
  readonly severitiesSince: SeveritiesSince;
}

const NONE: KnownFindings = { findings: [], severitiesSince: {} };

/** Findings of so many images are kept unpacked, for who pulls the same again. */
const KEPT_IMAGES = 100;

type Findings = (standing: StandingGate, image: GatedImage) => Promise<KnownFindings>;

/** What the last scan found, at or above the gate's severity. */
function createFindings({ scanning }: Pick<Reads, 'scanning'>, engine: Pick<ScanEngine, 'unpack'>): Findings {
  const kept = new Map<string, Promise<KnownFindings>>();
  return async ({ gate, scanType }, { imageId, scan }) => {
    const { severity } = gate;
    if (severity === undefined) return NONE;
    const key = `${imageId} ${scanType} ${severity} ${scan?.result?.completedAt.getTime()}`;
    const known = kept.get(key) ?? read(imageId, severity);
    kept.delete(key);
    kept.set(key, known);
    known.catch(() => kept.delete(key));
    for (const oldest of kept.keys()) {
      if (kept.size <= KEPT_IMAGES) break;
      kept.delete(oldest);
    }
    return known;

    async function read(id: number, from: NonNullable<typeof severity>): Promise<KnownFindings> {
      const packed = await scanning.findings(id, scanType);
      const report = packed && (await engine.unpack(packed));
      const grave = (report?.findings ?? []).filter((finding) => isFrom(from, finding.severity));
      const findings = grave.map(({ name, aliases, recordId, severity: found }) => ({
        name,
        aliases,
        recordId,
        severity: found,
      }));
      return { findings, severitiesSince: await scanning.severitiesSince(id, scanType) };
    }
  };
}
