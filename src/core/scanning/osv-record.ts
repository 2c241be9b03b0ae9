/** A record of a vulnerability (OSV schema 1.7), as far as it is used. */
export interface OsvRecord {
  readonly id: string;
  readonly modifiedAt: Date;
  readonly publishedAt?: Date;
  readonly isWithdrawn: boolean;
  readonly aliases: readonly string[];
  /** Records that this one repeats for a distribution. */
  readonly upstream: readonly string[];
  readonly summary: string;
  readonly uri: string;
  /** CVSS vectors. */
  readonly vectors: readonly string[];
  /** What its publisher calls the severity, where it has a word for it. */
  readonly severityWord?: string;
  readonly affected: readonly OsvAffected[];
}

/** Which versions of one package are affected. */
export interface OsvAffected {
  readonly ecosystem: string;
  readonly name: string;
  readonly ranges: readonly OsvRange[];
  readonly versions: readonly string[];
  readonly vectors: readonly string[];
  readonly severityWord?: string;
}

/** Of a kind that versions can be compared with: commits of a repository are not. */
export interface OsvRange {
  readonly events: readonly OsvEvent[];
}

export interface OsvEvent {
  readonly kind: 'introduced' | 'fixed' | 'last_affected' | 'limit';
  readonly version: string;
}

const TEXT_CHARACTERS_MAX = 2_000;

/**
 * Reads a record from parsed JSON.
 *
 * @returns undefined when it is none: no id, or no time of change
 */
export function readOsvRecord(document: unknown): OsvRecord | undefined {
  const record = asObject(document);
  const id = asText(record.id);
  const modifiedAt = asDate(record.modified);
  if (id === undefined || id.length > 300 || modifiedAt === undefined) return undefined;
  const publishedAt = asDate(record.published);
  const severityWord = wordOf(record);
  return {
    id,
    modifiedAt,
    ...(publishedAt && { publishedAt }),
    isWithdrawn: record.withdrawn !== undefined,
    aliases: texts(record.aliases),
    upstream: texts(record.upstream),
    summary: (asText(record.summary) ?? asText(record.details) ?? '').slice(0, TEXT_CHARACTERS_MAX),
    uri: uriOf(record.references),
    vectors: vectorsOf(record.severity),
    ...(severityWord && { severityWord }),
    affected: asList(record.affected)
      .map(readAffected)
      .filter((one) => one !== undefined),
  };
}

function readAffected(value: unknown): OsvAffected | undefined {
  const affected = asObject(value);
  const { ecosystem, name } = asObject(affected.package);
  if (typeof ecosystem !== 'string' || typeof name !== 'string') return undefined;
  const severityWord = wordOf(affected);
  return {
    ecosystem,
    name,
    ranges: asList(affected.ranges)
      .map(readRange)
      .filter((range) => range !== undefined),
    versions: texts(affected.versions),
    vectors: vectorsOf(affected.severity),
    ...(severityWord && { severityWord }),
  };
}

const EVENT_KINDS = ['introduced', 'fixed', 'last_affected', 'limit'] as const;

function readRange(value: unknown): OsvRange | undefined {
  const { type, events } = asObject(value);
  if (type !== 'ECOSYSTEM' && type !== 'SEMVER') return undefined;
  return {
    events: asList(events).flatMap((event): OsvEvent[] =>
      EVENT_KINDS.flatMap((kind) => {
        const version = asText(asObject(event)[kind]);
        return version === undefined ? [] : [{ kind, version }];
      }),
    ),
  };
}

/**
 * Ubuntu's stands among the scores, Debian's with the package (`urgency`), Red Hat's, GitHub's and Alpine's with the record.
 */
function wordOf(value: Record<string, unknown>): string | undefined {
  const scored = asList(value.severity)
    .map(asObject)
    .find(({ type }) => type === 'Ubuntu');
  const ecosystem = asObject(value.ecosystem_specific);
  const words = [scored?.score, ecosystem.urgency, ecosystem.severity, asObject(value.database_specific).severity];
  return words.map(asText).find((word) => word !== undefined);
}

function vectorsOf(severity: unknown): string[] {
  return asList(severity)
    .map(asObject)
    .filter(({ type }) => typeof type === 'string' && type.startsWith('CVSS_'))
    .flatMap(({ score }) => asText(score) ?? []);
}

/** An advisory before anything else. */
function uriOf(references: unknown): string {
  const found = asList(references).map(asObject);
  const uri = (found.find(({ type }) => type === 'ADVISORY') ?? found.find(({ type }) => type === 'WEB'))?.url;
  return asText(uri)?.slice(0, TEXT_CHARACTERS_MAX) ?? '';
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function texts(value: unknown): string[] {
  return asList(value).flatMap((one) => asText(one) ?? []);
}

function asDate(value: unknown): Date | undefined {
  const date = new Date(asText(value) ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
