import { lookupsOf, orderOf } from '../../../core/scanning/ecosystems.ts';
import type { CvssRating, Finding } from '../../../core/scanning/finding.ts';
import type { FoundPackage, ImageInventory } from '../../../core/scanning/inventory.ts';
import { severityOfWord } from '../../../core/scanning/severity/severity.ts';
import { failed } from './run-trivy.ts';
import { referenceOf } from './trivy-sbom.ts';

export interface TrivyReport {
  readonly findings: readonly Finding[];
  /** Whether the packages of the operating system were judged. */
  readonly knowsSystem: boolean;
}

interface Context {
  /** As they were given to `trivySbom`. */
  readonly packages: readonly FoundPackage[];
  readonly osRelease: ImageInventory['osRelease'];
  /** Of a weakness that does not say when it was changed. */
  readonly updatedAt: Date;
}

/**
 * What Trivy says in JSON (its report's schema version 2), as findings of ours: each weakness of each package once.
 *
 * @throws ScanError for what is no such report
 */
export function readTrivyReport(text: Buffer, context: Context): TrivyReport {
  const report = parse(text);
  const results = listOf<Result>(report.Results);
  const subjectsOf = subjectFinder(context.packages);
  const found = new Map<string, Finding>();
  for (const weakness of results.flatMap(({ Vulnerabilities }) => listOf<Weakness>(Vulnerabilities))) {
    for (const [place, subject] of subjectsOf(weakness)) {
      found.set(`${place} ${weakness.VulnerabilityID}`, findingOf(weakness, subject, context));
    }
  }
  return { findings: [...found.values()], knowsSystem: results.some(({ Class }) => Class === 'os-pkgs') };
}

const SCHEMA_VERSION = 2;

interface Report {
  readonly SchemaVersion?: unknown;
  readonly Results?: unknown;
}

interface Result {
  readonly Class?: string;
  readonly Vulnerabilities?: unknown;
}

interface Weakness {
  readonly VulnerabilityID?: string;
  readonly VendorIDs?: readonly string[];
  /** Of Trivy before 0.50; then `PkgIdentifier`. */
  readonly PkgRef?: string;
  readonly PkgIdentifier?: { readonly BOMRef?: string };
  readonly PkgName?: string;
  readonly PkgPath?: string;
  readonly InstalledVersion?: string;
  readonly FixedVersion?: string;
  readonly PrimaryURL?: string;
  readonly Title?: string;
  readonly Description?: string;
  readonly Severity?: string;
  readonly CVSS?: Readonly<Record<string, Cvss>>;
  readonly PublishedDate?: string;
  readonly LastModifiedDate?: string;
}

interface Cvss {
  readonly V2Vector?: string;
  readonly V2Score?: number;
  readonly V3Vector?: string;
  readonly V3Score?: number;
  readonly V40Vector?: string;
  readonly V40Score?: number;
}

function parse(text: Buffer): Report {
  let report: Report | null;
  try {
    report = JSON.parse(text.toString('utf8'));
  } catch (error) {
    throw failed("Trivy's report is no JSON", error);
  }
  if (report?.SchemaVersion !== SCHEMA_VERSION) {
    throw failed(`Trivy's report is of another form than ${SCHEMA_VERSION}: ${JSON.stringify(report?.SchemaVersion)}`);
  }
  return report;
}

/** Where there is nothing, Go writes null or leaves it out. */
function listOf<Item>(value: unknown): readonly Item[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw failed("Trivy's report has something else where a list must be");
  return value;
}

type Subject = readonly [place: number, subject: FoundPackage];

/**
 * The packages that a weakness is of. A server of Trivy's drops the references that it was given: then it is of each package
 * with the name and version, in the file that it names.
 */
function subjectFinder(packages: readonly FoundPackage[]): (weakness: Weakness) => readonly Subject[] {
  const byReference = new Map<string, Subject>();
  const byVersion = new Map<string, Subject[]>();
  for (const [place, one] of packages.entries()) {
    byReference.set(referenceOf(place), [place, one]);
    const key = `${one.name} ${one.version}`;
    byVersion.set(key, [...(byVersion.get(key) ?? []), [place, one]]);
  }
  return ({ VulnerabilityID, PkgRef, PkgIdentifier, PkgName, PkgPath, InstalledVersion }) => {
    const reference = PkgRef || PkgIdentifier?.BOMRef;
    const named = `${PkgName} ${InstalledVersion}`;
    const exact = byReference.get(reference ?? '');
    const alike = reference ? [] : (byVersion.get(named) ?? []);
    const there = alike.filter(([, { path }]) => !PkgPath || path === PkgPath);
    const subjects = exact ? [exact] : there.length > 0 ? there : alike;
    if (subjects.length === 0 || typeof VulnerabilityID !== 'string') {
      const what = JSON.stringify(reference || named).slice(0, 200);
      throw failed(`Trivy's report names a package that it was not asked about: ${what}`);
    }
    return subjects;
  };
}

function findingOf(weakness: Weakness, subject: FoundPackage, { osRelease, updatedAt }: Context): Finding {
  const { VulnerabilityID: name = '', VendorIDs = [], Title, Description, PrimaryURL, PublishedDate } = weakness;
  const fixedVersion = fixOf(weakness.FixedVersion, subject, osRelease);
  const cvss = ratingOf(weakness.CVSS ?? {});
  const publishedAt = timeOf(PublishedDate);
  return {
    name,
    recordId: name,
    aliases: VendorIDs,
    summary: Title ?? Description ?? '',
    uri: PrimaryURL ?? '',
    severity: severityOfWord(weakness.Severity ?? ''),
    ...(cvss && { cvss }),
    package: subject,
    ...(fixedVersion !== undefined && { fixedVersion }),
    ...(publishedAt && { publishedAt }),
    modifiedAt: timeOf(weakness.LastModifiedDate) ?? updatedAt,
  };
}

/** Of a package with several lines of versions the fixes of all are named: the first that is newer is this one's. */
function fixOf(text: string | undefined, subject: FoundPackage, osRelease: Context['osRelease']): string | undefined {
  const versions = (text ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
  const order = lookupsOf(subject, osRelease).map(({ ecosystem }) => orderOf(ecosystem))[0];
  if (order === undefined) return versions[0];
  return versions.filter((one) => order.compare(one, subject.version) > 0).sort(order.compare)[0] ?? versions[0];
}

/** The newest kind of CVSS that has a score; NVD's, else whoever rates highest. */
function ratingOf(bySource: NonNullable<Weakness['CVSS']>): CvssRating | undefined {
  const { nvd, ...others } = bySource;
  const ratings = [nvd, ...Object.values(others)].flatMap((rated, place) =>
    (rated ? ratingsOf(rated) : []).map((rating) => ({ rating, isNvd: nvd !== undefined && place === 0 })),
  );
  return ratings.sort(
    (one, other) =>
      Number(other.rating.version) - Number(one.rating.version) ||
      Number(other.isNvd) - Number(one.isNvd) ||
      other.rating.score - one.rating.score,
  )[0]?.rating;
}

function ratingsOf({ V2Vector, V2Score, V3Vector, V3Score, V40Vector, V40Score }: Cvss): CvssRating[] {
  const rating = (vector: string | undefined, score: number | undefined, version: string): CvssRating[] =>
    vector && typeof score === 'number' ? [{ version, vector, score }] : [];
  const third = /^CVSS:(3\.\d)\//.exec(V3Vector ?? '')?.[1] ?? '3.0';
  return [
    ...rating(V40Vector, V40Score, '4.0'),
    ...rating(V3Vector, V3Score, third),
    ...rating(V2Vector, V2Score, '2.0'),
  ];
}

function timeOf(text: string | undefined): Date | undefined {
  const time = new Date(text ?? Number.NaN);
  return Number.isNaN(time.getTime()) ? undefined : time;
}
