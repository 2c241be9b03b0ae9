import { type AffectedVersions, versionJudge } from './affected-versions.ts';
import { type Lookup, lookupsOf, orderOf } from './ecosystems.ts';
import type { CvssRating, Finding } from './finding.ts';
import type { FoundPackage, ImageInventory } from './inventory.ts';
import type { OsvRecord } from './osv-record.ts';
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
  /** @returns undefined for what is no CVSS vector, or no whole one */
  rate(vector: string): CvssRating | undefined;
}

/** A finding as it is in every image with this version of this package. */
type Weakness = Omit<Finding, 'package'>;

/** How many records and judgements a matcher remembers: some tens of megabytes. */
const REMEMBERED_MAX = 20_000;

/**
 * Finds what is known to be wrong with the packages of an image, each weakness of each package once. Images have most of
 * their packages in common: what was judged once is remembered, so a matcher is for one state of the advisories.
 */
export function createMatcher(advisories: Advisories): (image: ImageInventory) => Finding[] {
  const judges = remembering((key: string) => {
    const [ecosystem = '', name = ''] = key.split('\0');
    return judgesOf(ecosystem, name, advisories);
  });
  const weaknesses = remembering((key: string): readonly Weakness[] => {
    const [ecosystem, name, version = ''] = key.split('\0');
    return judges(`${ecosystem}\0${name}`).flatMap((judge) => judge(version));
  });
  const find = ({ ecosystem, name, version }: Lookup) => weaknesses(`${ecosystem}\0${name}\0${version}`);
  return (image) => {
    const isOwned = ownedByDistribution(image);
    return image.packages.flatMap((one) => (isOwned(one) ? [] : findingsOf(one, image.osRelease, find)));
  };
}

/** Lists that were made are kept until there is too much in them; then all are made anew when they are asked for. */
function remembering<Item>(make: (key: string) => readonly Item[]): (key: string) => readonly Item[] {
  const lists = new Map<string, readonly Item[]>();
  let size = 0;
  return (key) => {
    const known = lists.get(key);
    if (known !== undefined) return known;
    const list = make(key);
    size += 1 + list.length;
    if (size > REMEMBERED_MAX) {
      lists.clear();
      size = 1 + list.length;
    }
    lists.set(key, list);
    return list;
  };
}

function findingsOf(
  one: FoundPackage,
  osRelease: ImageInventory['osRelease'],
  find: (lookup: Lookup) => readonly Weakness[],
): Finding[] {
  const found = new Map<string, Weakness>();
  for (const weakness of lookupsOf(one, osRelease).flatMap(find)) {
    found.set(weakness.name, better(found.get(weakness.name), weakness));
  }
  return [...found.values()].map((weakness) => ({ ...weakness, package: one }));
}

type Judge = (version: string) => readonly Weakness[];

/** One for each record of a package. */
function judgesOf(ecosystem: string, packageName: string, advisories: Advisories): Judge[] {
  const order = orderOf(ecosystem);
  if (order === undefined) return [];
  return advisories.find(ecosystem, packageName).map((advisory): Judge => {
    const judge = versionJudge(advisory, order);
    // Versions that one version mends have the same weakness: it is in memory once, however many they are.
    const byFix = new Map<string | undefined, readonly Weakness[]>();
    return (version) => {
      const judgement = judge(version);
      if (!judgement.isAffected) return [];
      const { fixedVersion } = judgement;
      const known = byFix.get(fixedVersion) ?? weaknessesOf(advisory, fixedVersion, advisories);
      byFix.set(fixedVersion, known);
      return known;
    };
  });
}

function weaknessesOf(advisory: Advisory, fixedVersion: string | undefined, advisories: Advisories): Weakness[] {
  const record = advisories.record(advisory.recordId);
  if (record === undefined || record.isWithdrawn) return [];
  const { id, aliases, upstream, summary, uri, publishedAt, modifiedAt } = record;
  return namesOf(record).map((name) => ({
    name,
    recordId: id,
    aliases: [...new Set([id, ...aliases, ...upstream])].filter((alias) => alias !== name),
    summary,
    uri,
    ...rate(advisory, record, advisories, name),
    ...(fixedVersion !== undefined && { fixedVersion }),
    ...(publishedAt && { publishedAt }),
    modifiedAt,
  }));
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
  advisories: Advisories,
  name: string,
): { severity: Severity; cvss?: CvssRating } {
  const cvss =
    best([...advisory.vectors, ...record.vectors], advisories) ?? best(advisories.vectorsOf(name), advisories);
  const ratings: Severity[] = [
    severityOfWord(advisory.severityWord ?? ''),
    cvss === undefined ? 'UNDEFINED' : severityOfScore(cvss.score, cvss.version),
    severityOfWord(record.severityWord ?? ''),
  ];
  const severity = ratings.find((rating) => rating !== 'UNDEFINED') ?? 'UNDEFINED';
  return { severity, ...(cvss && { cvss }) };
}

function best(vectors: readonly string[], advisories: Advisories): CvssRating | undefined {
  const ratings = vectors.map((vector) => advisories.rate(vector)).filter((rating) => rating !== undefined);
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
export function ownedByDistribution({ packages }: ImageInventory): (one: FoundPackage) => boolean {
  const types = new Set(packages.map(({ type }) => type));
  const folders = [...(types.has('dpkg') ? [DEBIAN_FOLDERS] : []), ...(types.has('rpm') ? [RPM_FOLDERS] : [])];
  return ({ type, path }) =>
    (type === 'npm' || type === 'python' || type === 'java') && folders.some((folder) => folder.test(path));
}

/** What a user installs comes under usr/local (Debian Python policy 2.5; Fedora, "Making sudo pip safe"). */
const DEBIAN_FOLDERS =
  /^usr\/(?:lib\/python3(?:\.\d+)?\/dist-packages|share\/(?:nodejs|java|maven-repo|python-wheels))\//;
const RPM_FOLDERS = /^usr\/(?:lib(?:64)?\/python3(?:\.\d+)?\/site-packages|share\/java)\//;
