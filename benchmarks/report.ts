import type { Sample } from './measure.ts';
import type { Scenario } from './scenario.ts';
import type { SubjectName } from './subjects.ts';

export interface Medians {
  readonly value: number;
  readonly cpuSecondsPerGb: number | undefined;
  readonly peakMib: number | undefined;
}

export interface Result {
  readonly scenario: string;
  readonly title: string;
  readonly unit: string;
  readonly samples: Partial<Record<SubjectName, readonly Sample[]>>;
  /** Whose numbers the targets are about, and whose they are held against. */
  readonly measured: SubjectName;
  readonly reference: SubjectName;
  readonly medians: Partial<Record<SubjectName, Medians>>;
  /** The measured one's median to the reference's. */
  readonly ratio: number | undefined;
  /** Each target with what was found; `met` is undefined where there is nothing to compare. */
  readonly targets: readonly { readonly text: string; readonly met: boolean | undefined }[];
}

/** Medians of the rounds, and the targets held against them. */
export function resultOf(scenario: Scenario, samples: Partial<Record<SubjectName, readonly Sample[]>>): Result {
  const [measured, reference] = scenario.versus ?? ['gantry', 'peer'];
  const medians: Partial<Record<SubjectName, Medians>> = {};
  for (const name of [measured, reference]) {
    const found = mediansOf(samples[name]);
    if (found) medians[name] = found;
  }
  const isRate = scenario.target.kind === 'ratioMin' || scenario.target.kind === 'min';
  const [own, other] = [medians[measured], medians[reference]];
  const ratio = isRate && own && other ? own.value / other.value : undefined;
  const targets = targetsOf(scenario, { own, other, ratio, reference });
  const { name, title, unit } = scenario;
  return { scenario: name, title, unit, samples, measured, reference, medians, ratio, targets };
}

/** One scenario in a few lines of text; targets only when the run was long enough to judge by. */
export function describeResult(
  { title, unit, measured, reference, medians, ratio, targets, samples }: Result,
  showsTargets: boolean,
): string {
  const line = (name: SubjectName) => {
    const [found, all] = [medians[name], samples[name]];
    if (found === undefined || all === undefined) return [];
    const cpu = found.cpuSecondsPerGb === undefined ? '' : `   ${found.cpuSecondsPerGb.toFixed(2)} CPU s/GB`;
    const peak = found.peakMib === undefined ? '' : `   peak ${found.peakMib.toFixed(0)} MiB`;
    const values = all.map(({ value }) => figure(value)).join(' ');
    return [`  ${name.padEnd(8)}${figure(found.value).padStart(8)} ${unit}${cpu}${peak}   (${values})`];
  };
  return [
    title,
    ...line(measured),
    ...line(reference),
    ...(ratio === undefined
      ? []
      : [
          `  ratio  ${ratio.toFixed(2).padStart(9)}   (round by round ${ratiosOf(samples[measured], samples[reference])})`,
        ]),
    ...(showsTargets ? targets : []).map(
      ({ text, met }) => `  ${met === undefined ? 'not compared' : met ? 'met' : 'MISSED'}: ${text}`,
    ),
  ].join('\n');
}

/** A round's two runs are seconds apart: where the machine's mood swings, these say more than the medians. */
function ratiosOf(own: readonly Sample[] = [], other: readonly Sample[] = []): string {
  return own.map(({ value }, round) => (value / (other[round]?.value ?? Number.NaN)).toFixed(2)).join(' ');
}

interface Compared {
  readonly own: Medians | undefined;
  readonly other: Medians | undefined;
  readonly ratio: number | undefined;
  readonly reference: SubjectName;
}

function targetsOf(scenario: Scenario, { own, other, ratio, reference }: Compared): Result['targets'] {
  const { target, unit, cpuAtMostPeer = false, peakMibMax } = scenario;
  const value = own?.value;
  const more = own && other && own.value - other.value;
  const against = reference === 'peer' ? 'the peer' : reference;
  const main = {
    ratioMin: { text: `at least ${target.value.toFixed(1)}× ${against}`, met: ratio && ratio >= target.value },
    moreMax: {
      text: `at most ${target.value} ${unit} more than ${against}: ${more?.toFixed(1)}`,
      met: more !== undefined && more <= target.value,
    },
    min: { text: `at least ${target.value} ${unit}`, met: value && value >= target.value },
    max: { text: `below ${target.value} ${unit}`, met: value && value < target.value },
  }[target.kind];
  const targets: { text: string; met: boolean | undefined }[] = [
    { text: main.text, met: main.met === 0 ? false : main.met },
  ];
  const cpu = own?.cpuSecondsPerGb;
  const peerCpu = other?.cpuSecondsPerGb;
  if (cpuAtMostPeer)
    targets.push({ text: 'no more CPU per GB than the peer', met: cpu && peerCpu ? cpu <= peerCpu : undefined });
  if (peakMibMax !== undefined && own?.peakMib !== undefined) {
    targets.push({ text: `memory below ${peakMibMax} MiB`, met: own.peakMib < peakMibMax });
  }
  return targets;
}

function mediansOf(samples: readonly Sample[] | undefined): Medians | undefined {
  if (samples === undefined || samples.length === 0) return undefined;
  const peaks = samples.flatMap(({ peakMib }) => peakMib ?? []);
  return {
    value: median(samples.map(({ value }) => value)) ?? Number.NaN,
    cpuSecondsPerGb: median(samples.flatMap(({ cpuSecondsPerGb }) => cpuSecondsPerGb ?? [])),
    // A bound on memory is a bound on the worst round.
    peakMib: peaks.length === 0 ? undefined : Math.max(...peaks),
  };
}

function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length % 2 === 1) return sorted[Math.floor(middle)];
  return sorted.length === 0 ? undefined : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(1);
}
