/**
 * `npm run bench [-- --only NAME… --rounds N --rest SECONDS --subjects gantry,peer --json FILE --smoke]`
 * `--rest` waits before each sample, for disks that are slow for a while after much was written to them.
 * A NAME may be the beginning of several, such as `access`.
 * Gantry and its peer on this machine in this run, rounds interleaved, medians; docs/performance.md says how to read it.
 * Missed targets are printed and do not change the exit code: numbers of a shared machine are no test.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { checkout } from '../test/support/server.ts';
import { perform, type Sample } from './measure.ts';
import { describeResult, type Result, resultOf } from './report.ts';
import type { Scale, Scenario } from './scenario.ts';
import { scenarios } from './scenarios.ts';
import { findPeer, type Subject, type SubjectName, startSubject } from './subjects.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string', multiple: true, default: [] },
    rounds: { type: 'string', default: '5' },
    subjects: { type: 'string', default: 'gantry,peer' },
    images: { type: 'string', default: '100000' },
    json: { type: 'string' },
    rest: { type: 'string', default: '0' },
    smoke: { type: 'boolean', default: false },
  },
});

const only = [...values.only, ...positionals];
const isMeant = ({ name }: Scenario, given: string) => name === given || name.startsWith(`${given}-`);
const unknown = only.filter((given) => !scenarios.some((scenario) => isMeant(scenario, given)));
if (unknown.length > 0) {
  console.error(`no scenario ${unknown.join(', ')}; there are ${scenarios.map(({ name }) => name).join(' ')}`);
  process.exit(1);
}
const rounds = values.smoke ? 1 : Number(values.rounds);
const scale: Scale = values.smoke ? { divisor: 16, images: 1000 } : { divisor: 1, images: Number(values.images) };
const subjects = presentSubjects(values.subjects.split(','));

console.log(
  `${cpus().length} × ${cpus()[0]?.model}; Node ${process.versions.node}; ${rounds} rounds${values.smoke ? ', smoke' : ''}\n`,
);
const results: Result[] = [];
for (const scenario of scenarios) {
  if (only.length > 0 && !only.some((given) => isMeant(scenario, given))) continue;
  const names = scenario.subjects.filter((name) => subjects.includes(name));
  if (names.length === 0) continue;
  const result = resultOf(scenario, await measure(scenario, names));
  results.push(result);
  console.log(`${describeResult(result, !values.smoke)}\n`);
}
if (values.json !== undefined) {
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.versions.node };
  writeFileSync(values.json, `${JSON.stringify({ machine, rounds, smoke: values.smoke, results }, undefined, 2)}\n`);
}

function presentSubjects(wanted: readonly string[]): SubjectName[] {
  const peer = wanted.includes('peer') ? findPeer() : undefined;
  if (wanted.includes('peer') && peer === undefined)
    console.error('the peer, docker-registry of Debian sid, cannot be had');
  const gantry = wanted.includes('gantry') ? (['gantry', 'enforced'] as const) : [];
  return [...gantry, ...(peer === undefined ? [] : ['peer' as const])];
}

async function measure(
  scenario: Scenario,
  names: readonly SubjectName[],
): Promise<Partial<Record<SubjectName, Sample[]>>> {
  const folder = join(checkout, '.cache', 'bench', `${scenario.name}-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  try {
    return scenario.start === undefined
      ? await measureRunning(scenario, names, folder)
      : await measureStarts(scenario, names, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** All servers run all the time; rounds go from one to the other, so that the machine's moods fall on each alike. */
async function measureRunning(scenario: Scenario, names: readonly SubjectName[], folder: string) {
  await using stack = new AsyncDisposableStack();
  const running: Subject[] = [];
  for (const name of names) running.push(stack.use(await startSubject(name, join(folder, name))));
  const prepared = new Map<Subject, Awaited<ReturnType<typeof perform>> | undefined>();
  for (const subject of running) prepared.set(subject, await scenario.prepare?.(subject, scale));
  const samples = Object.fromEntries(names.map((name) => [name, [] as Sample[]]));
  for (let round = -1; round < rounds; round++) {
    // Whoever comes second finds a disk that has just worked: they take turns at that too.
    for (const subject of round % 2 === 0 ? running : running.toReversed()) {
      await setTimeout(Number(values.rest) * 1000);
      const taken = await scenario.round?.(subject, scale, prepared.get(subject));
      // The first round warms both up and does not count.
      if (round >= 0 && taken !== undefined) samples[subject.name]?.push(taken);
    }
  }
  return samples;
}

async function measureStarts(scenario: Scenario, names: readonly SubjectName[], folder: string) {
  const samples = Object.fromEntries(names.map((name) => [name, [] as Sample[]]));
  for (const name of names) {
    // The first start fills the compile cache, and the store where the scenario wants it filled.
    await using subject = await startSubject(name, join(folder, name));
    if (scenario.seeded)
      await perform({ kind: 'seed-images', port: subject.port, repository: 'bench/seeded', images: scale.images });
  }
  for (let round = 0; round < rounds; round++) {
    for (const name of names) samples[name]?.push(await scenario.start!(name, join(folder, name)));
  }
  return samples;
}
