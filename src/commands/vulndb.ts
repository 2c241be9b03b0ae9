import { existsSync } from 'node:fs';
import { hasVulnerabilityDatabase, openVulnerabilityDatabase } from '../compose/vulnerability-database.ts';
import { readVulnerabilityDatabase } from '../config/scanning-config.ts';
import { CommandError, type Invocation, optionText, optionTexts } from './command-spec.ts';
import { describeTime, say, table } from './output.ts';
import { createProgressLine } from './progress-line.ts';

/** `gantry vulndb import FILE|DIR|ZIP…` */
export async function importVulnerabilities(invocation: Invocation): Promise<void> {
  const missing = invocation.operands.find((path) => !existsSync(path));
  if (missing !== undefined) throw new CommandError(`There is no file or folder ${missing}`);
  using database = await openVulnerabilityDatabase(fileOf(invocation));
  using progress = createProgressLine();
  const report = await database.import(invocation.operands, ({ records }) => progress.show(`${records} records read`));
  progress.clear();
  const { records, changed, broken } = report;
  const lines = [`Read ${count(records, 'record')}, of which ${changed} were new or newer.`, ...describeBroken(broken)];
  say(invocation, lines, { file: database.file, ...report });
  if (records === 0) throw new CommandError('No record of OSV was found in what was given');
}

/** `gantry vulndb update --from URL [--ecosystem NAME…]` */
export async function updateVulnerabilities(invocation: Invocation): Promise<void> {
  const base = urlOf(optionText(invocation, 'from') ?? '');
  using database = await openVulnerabilityDatabase(fileOf(invocation));
  const given = optionTexts(invocation, 'ecosystem');
  const known = database.sources().filter((source) => source.base === base);
  const ecosystems = given.length > 0 ? given : known.map(({ ecosystem }) => ecosystem);
  if (ecosystems.length === 0) {
    throw new CommandError(
      `Nothing was fetched from ${base} before: --ecosystem must say what is wanted, such as Debian`,
    );
  }
  using progress = createProgressLine();
  const reports = [];
  for (const ecosystem of ecosystems) {
    const onProgress = ({ records }: { records: number }) => progress.show(`${ecosystem}: ${records} records read`);
    reports.push(await database.update({ base, ecosystem }, onProgress));
  }
  progress.clear();
  const lines = reports.flatMap(({ ecosystem, isWhole, records, changed, broken }) => [
    `${ecosystem}: read ${isWhole ? 'all' : 'the changed'} ${count(records, 'record')}, of which ${changed} were new or newer.`,
    ...describeBroken(broken),
  ]);
  say(invocation, lines, { file: database.file, updates: reports });
}

/** `gantry vulndb status` */
export async function showVulnerabilities(invocation: Invocation): Promise<void> {
  const path = fileOf(invocation);
  const none = `There is no vulnerability database at ${path}: scans fail. \`gantry vulndb import FILE\` makes one.`;
  if (!hasVulnerabilityDatabase(path))
    return say(invocation, none, { file: path, records: 0, ecosystems: [], sources: [] });
  using database = await openVulnerabilityDatabase(path);
  const data = database.data();
  const ecosystems = database.ecosystems();
  const sources = database.sources();
  const lines = [
    `${database.file}: ${count(data?.records ?? 0, 'record')}, the newest of ${data ? describeTime(data.updatedAt) : 'never'}.`,
    ...table(
      ['ECOSYSTEM', 'PACKAGES'],
      ecosystems.map(({ ecosystem, packages }) => [ecosystem, String(packages)]),
    ),
    ...sources.map(({ base, ecosystem, until }) => `${ecosystem} as of ${describeTime(until)} from ${base}`),
  ];
  const told = { file: database.file, records: data?.records ?? 0, updatedAt: data?.updatedAt, ecosystems, sources };
  say(invocation, lines, told);
}

function fileOf({ flags, environment }: Invocation): string {
  return readVulnerabilityDatabase(flags, environment);
}

function urlOf(text: string): string {
  if (/^https?:\/\/[^/?#\s]+[^?#\s]*$/.test(text)) return text.replace(/\/+$/, '');
  throw new CommandError(`--from must be the URL of a folder with records of OSV, not '${text}'`);
}

const BROKEN_TOLD = 10;

function describeBroken(broken: readonly string[]): string[] {
  if (broken.length === 0) return [];
  const more = broken.length > BROKEN_TOLD ? [`  and ${broken.length - BROKEN_TOLD} more`] : [];
  return [
    'What is no record of OSV was left out:',
    ...broken.slice(0, BROKEN_TOLD).map((place) => `  ${place}`),
    ...more,
  ];
}

function count(number: number, noun: string): string {
  return `${number} ${number === 1 ? noun : `${noun}s`}`;
}
