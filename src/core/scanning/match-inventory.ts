import { type AffectedVersions, judgeVersion } from './affected-versions.ts';
import { type Lookup, lookupsOf, orderOf } from './ecosystems.ts';
import type { CvssRating, Finding } from './finding.ts';
import type { FoundPackage, ImageInventory } from './inventory.ts';
import type { OsvRecord } from './osv-record.ts';
import { rateVector } from './severity/cvss.ts';
import { type Severity, severityOfScore, severityOfWord } from './severity/severity.ts';

/** A record that speaks of a package, with what it says of its versions. */
export interface Advisory extends AffectedVersions {
  readonly record: Omit<OsvRecord, 'affected'>;
  readonly vectors: readonly string[];
  readonly severityWord?: string;
}

export interface Advisories {
  /** Those of a package, by the keys of `ecosystems.ts`. */
  find(ecosystem: string, name: string): readonly Advisory[];
  /** Vectors that any record has for one of these names. */
  vectorsOf(names: readonly string[]): readonly string[];
}

/** What is known to be wrong with the packages of an image, each weakness of each package once. */
export function matchInventory(image: ImageInventory, advisories: Advisories): Finding[] {
  const findings = new Map<string, Finding>();
  const isOwned = ownedByDistribution(image);
  for (const one of image.packages) {
    if (isOwned(one)) continue;
    for (const lookup of lookupsOf(one, image.osRelease)) {
      for (const finding of judge(one, lookup, advisories)) {
        const key = JSON.stringify([finding.name, one.type, one.name, one.version, one.path]);
        findings.set(key, better(findings.get(key), finding));
      }
    }
  }
  return [...findings.values()];
}

function* judge(one: FoundPackage, lookup: Lookup, advisories: Advisories): Generator<Finding> {
  const order = orderOf(lookup.ecosystem);
  if (order === undefined) return;
  for (const advisory of advisories.find(lookup.ecosystem, lookup.name)) {
    if (advisory.record.isWithdrawn) continue;
    const judgement = judgeVersion(advisory, lookup.version, order);
    if (!judgement.isAffected) continue;
    const { fixedVersion } = judgement;
    const { id, aliases, upstream, summary, uri, publishedAt, modifiedAt } = advisory.record;
    for (const name of namesOf(advisory.record)) {
      yield {
        name,
        recordId: id,
        aliases: [...new Set([id, ...aliases, ...upstream])].filter((alias) => alias !== name),
        summary,
        uri,
        ...rate(advisory, name, advisories),
        package: one,
        ...(fixedVersion !== undefined && { fixedVersion }),
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
function rate(advisory: Advisory, name: string, advisories: Advisories): { severity: Severity; cvss?: CvssRating } {
  const { record } = advisory;
  const own = best([...advisory.vectors, ...record.vectors]);
  const cvss = own ?? best(advisories.vectorsOf([name]));
  const word = advisory.severityWord === undefined ? 'UNDEFINED' : severityOfWord(advisory.severityWord);
  const scored = cvss === undefined ? 'UNDEFINED' : severityOfScore(cvss.score, cvss.version);
  const recordWord = record.severityWord === undefined ? 'UNDEFINED' : severityOfWord(record.severityWord);
  const severity = [word, scored, recordWord].find((found) => found !== 'UNDEFINED') ?? 'UNDEFINED';
  return { severity, ...(cvss && { cvss }) };
}

function best(vectors: readonly string[]): CvssRating | undefined {
  const ratings = vectors.map(rateVector).filter((rating) => rating !== undefined);
  return ratings.sort((one, other) => Number(other.version) - Number(one.version) || other.score - one.score)[0];
}

/** Of two records for one weakness the one that says how grave it is, and then the one that says how to be rid of it. */
function better(one: Finding | undefined, other: Finding): Finding {
  if (one === undefined) return other;
  const weight = ({ severity, fixedVersion }: Finding) =>
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
