import { type AffectedVersions, judgeVersion } from './affected-versions.ts';
import { type Lookup, lookupsOf, orderOf } from './ecosystems.ts';
import type { CvssRating, Finding } from './finding.ts';
import type { FoundPackage, ImageInventory } from './inventory.ts';
import type { OsvRecord } from './osv-record.ts';
import { rateVector } from './severity/cvss.ts';
import { type Severity, severityOfScore, severityOfWord } from './severity/severity.ts';

/** What a record says of one package. */
export interface Advisory extends AffectedVersions {
  readonly recordId: string;
  readonly vectors: readonly string[];
  readonly severityWord?: string;
}

export type RecordFacts = Omit<OsvRecord, 'affected'>;

/** What is known, as it was at one moment. */
export interface Advisories {
  /** Those of a package, by the keys of `ecosystems.ts`. */
  find(ecosystem: string, name: string): readonly Advisory[];
  /** @returns undefined for one that is withdrawn or gone */
  record(id: string): RecordFacts | undefined;
  /** Vectors that any record has for a CVE. */
  vectorsOf(cve: string): readonly string[];
}

/** A finding as it is in every image with this version of this package. */
type Weakness = Omit<Finding, 'package'>;

/** How many versions of packages a matcher remembers its judgement of. */
const REMEMBERED_MAX = 100_000;

/**
 * Finds what is known to be wrong with the packages of an image, each weakness of each package once. Images have most of
 * their packages in common: what was judged once is remembered, so a matcher is for one state of the advisories.
 */
export function createMatcher(advisories: Advisories): (image: ImageInventory) => Finding[] {
  const remembered = new Map<string, readonly Weakness[]>();
  const weaknessesOf = (lookup: Lookup): readonly Weakness[] => {
    const key = `${lookup.ecosystem}\0${lookup.name}\0${lookup.version}`;
    const known = remembered.get(key);
    if (known !== undefined) return known;
    const found = [...judge(lookup, advisories)];
    if (remembered.size >= REMEMBERED_MAX) remembered.clear();
    remembered.set(key, found);
    return found;
  };
  return (image) => {
    const isOwned = ownedByDistribution(image);
    return image.packages.flatMap((one) => (isOwned(one) ? [] : findingsOf(one, image.osRelease, weaknessesOf)));
  };
}

function findingsOf(
  one: FoundPackage,
  osRelease: ImageInventory['osRelease'],
  weaknessesOf: (lookup: Lookup) => readonly Weakness[],
): Finding[] {
  const found = new Map<string, Weakness>();
  for (const weakness of lookupsOf(one, osRelease).flatMap(weaknessesOf)) {
    found.set(weakness.name, better(found.get(weakness.name), weakness));
  }
  return [...found.values()].map((weakness) => ({ ...weakness, package: one }));
}

function* judge({ ecosystem, name: packageName, version }: Lookup, advisories: Advisories): Generator<Weakness> {
  const order = orderOf(ecosystem);
  if (order === undefined) return;
  for (const advisory of advisories.find(ecosystem, packageName)) {
    const judgement = judgeVersion(advisory, version, order);
    if (!judgement.isAffected) continue;
    const record = advisories.record(advisory.recordId);
    if (record === undefined || record.isWithdrawn) continue;
    const { id, aliases, upstream, summary, uri, publishedAt, modifiedAt } = record;
    for (const name of namesOf(record)) {
      yield {
        name,
        recordId: id,
        aliases: [...new Set([id, ...aliases, ...upstream])].filter((alias) => alias !== name),
        summary,
        uri,
        ...rate(advisory, record, advisories.vectorsOf(name)),
        ...(judgement.fixedVersion !== undefined && { fixedVersion: judgement.fixedVersion }),
        ...(publishedAt && { publishedAt }),
        modifiedAt,
      };
    }
  }
}

/** A CVE's own name, though a distribution put its own in front; else those of its CVEs, else the record's. */
export function namesOf({ id, aliases, upstream }: Pick<OsvRecord, 'id' | 'aliases' | 'upstream'>): readonly string[] {
  const own = CVE.exec(id)?.[0];
  if (own !== undefined) return [own];
  const named = new Set([...aliases, ...upstream].flatMap((name) => CVE.exec(name)?.[0] ?? []));
  return named.size > 0 ? [...named] : [id];
}

const CVE = /CVE-\d{4}-\d{4,}/;

/** The distribution's own word comes first, as in ECR; then the newest kind of CVSS that has a score. */
function rate(
  advisory: Advisory,
  record: RecordFacts,
  others: readonly string[],
): { severity: Severity; cvss?: CvssRating } {
  const cvss = best([...advisory.vectors, ...record.vectors]) ?? best(others);
  const ratings: Severity[] = [
    severityOfWord(advisory.severityWord ?? ''),
    cvss === undefined ? 'UNDEFINED' : severityOfScore(cvss.score, cvss.version),
    severityOfWord(record.severityWord ?? ''),
  ];
  const severity = ratings.find((rating) => rating !== 'UNDEFINED') ?? 'UNDEFINED';
  return { severity, ...(cvss && { cvss }) };
}

function best(vectors: readonly string[]): CvssRating | undefined {
  const ratings = vectors.map(rateVector).filter((rating) => rating !== undefined);
  return ratings.sort((one, other) => Number(other.version) - Number(one.version) || other.score - one.score)[0];
}

/** Of two records for one weakness the one that says how grave it is, and then the one that says how to be rid of it. */
function better(one: Weakness | undefined, other: Weakness): Weakness {
  if (one === undefined) return other;
  const weight = ({ severity, fixedVersion }: Weakness) =>
    (severity === 'UNDEFINED' ? 0 : 2) + (fixedVersion === undefined ? 0 : 1);
  return weight(other) > weight(one) ? other : one;
}

/**
 * Whether a package of a language came with one of the distribution, which mends it under a version of its own: judged as
 * the upstream version that it says, it would be found wanting for ever.
 */
function ownedByDistribution({ packages }: ImageInventory): (one: FoundPackage) => boolean {
  const types = new Set(packages.map(({ type }) => type));
  const folders = [...(types.has('dpkg') ? [DEBIAN_FOLDERS] : []), ...(types.has('rpm') ? [RPM_FOLDERS] : [])];
  return ({ type, path }) =>
    (type === 'npm' || type === 'python' || type === 'java') && folders.some((folder) => folder.test(path));
}

/** What a user installs comes under usr/local (Debian Python policy 2.5; Fedora, "Making sudo pip safe"). */
const DEBIAN_FOLDERS =
  /^usr\/(?:lib\/python3(?:\.\d+)?\/dist-packages|share\/(?:nodejs|java|maven-repo|python-wheels))\//;
const RPM_FOLDERS = /^usr\/(?:lib(?:64)?\/python3(?:\.\d+)?\/site-packages|share\/java)\//;
