import type { Sample } from './measure.ts';
import type { Scenario } from './scenarios.ts';
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
  readonly gantry: Medians | undefined;
  readonly peer: Medians | undefined;
  /** Gantry's median to the peer's. */
  readonly ratio: number | undefined;
  /** Each target with what was found; `met` is undefined where there is nothing to compare. */
  readonly targets: readonly { readonly text: string; readonly met: boolean | undefined }[];
}

/** Medians of the rounds, and the targets held against them. */
export function resultOf(scenario: Scenario, samples: Partial<Record<SubjectName, readonly Sample[]>>): Result {
  const gantry = mediansOf(samples.gantry);
  const peer = mediansOf(samples.peer);
  const isRate = scenario.target.kind !== 'max';
  const ratio = isRate && gantry && peer ? gantry.value / peer.value : undefined;
  const targets = targetsOf(scenario, gantry, peer, ratio);
  return { scenario: scenario.name, title: scenario.title, unit: scenario.unit, samples, gantry, peer, ratio, targets };
}

/** One scenario in a few lines of text; targets only when the run was long enough to judge by. */
export function describeResult(
  { title, unit, gantry, peer, ratio, targets, samples }: Result,
  showsTargets: boolean,
): string {
  const line = (name: string, medians: Medians | undefined, all: readonly Sample[] | undefined) => {
    if (medians === undefined || all === undefined) return [];
    const cpu = medians.cpuSecondsPerGb === undefined ? '' : `   ${medians.cpuSecondsPerGb.toFixed(2)} CPU s/GB`;
    const peak = medians.peakMib === undefined ? '' : `   peak ${medians.peakMib.toFixed(0)} MiB`;
    const values = all.map(({ value }) => figure(value)).join(' ');
    return [`  ${name.padEnd(7)}${figure(medians.value).padStart(9)} ${unit}${cpu}${peak}   (${values})`];
  };
  return [
    title,
    ...line('gantry', gantry, samples.gantry),
    ...line('peer', peer, samples.peer),
    ...(ratio === undefined
      ? []
      : [`  ratio  ${ratio.toFixed(2).padStart(9)}   (round by round ${ratiosOf(samples)})`]),
    ...(showsTargets ? targets : []).map(
      ({ text, met }) => `  ${met === undefined ? 'not compared' : met ? 'met' : 'MISSED'}: ${text}`,
    ),
  ].join('\n');
}

/** A round's two runs are seconds apart: where the machine's mood swings, these say more than the medians. */
function ratiosOf({ gantry = [], peer = [] }: Result['samples']): string {
  return gantry.map(({ value }, round) => (value / (peer[round]?.value ?? Number.NaN)).toFixed(2)).join(' ');
}

function targetsOf(scenario: Scenario, gantry?: Medians, peer?: Medians, ratio?: number): Result['targets'] {
  const { target, unit, cpuAtMostPeer = false, peakMibMax } = scenario;
  const value = gantry?.value;
  const main = {
    ratioMin: { text: `at least ${target.value.toFixed(1)}× the peer`, met: ratio && ratio >= target.value },
    min: { text: `at least ${target.value} ${unit}`, met: value && value >= target.value },
    max: { text: `below ${target.value} ${unit}`, met: value && value < target.value },
  }[target.kind];
  const targets: { text: string; met: boolean | undefined }[] = [
    { text: main.text, met: main.met === 0 ? false : main.met },
  ];
  const cpu = gantry?.cpuSecondsPerGb;
  const peerCpu = peer?.cpuSecondsPerGb;
  if (cpuAtMostPeer)
    targets.push({ text: 'no more CPU per GB than the peer', met: cpu && peerCpu ? cpu <= peerCpu : undefined });
  if (peakMibMax !== undefined && gantry?.peakMib !== undefined) {
    targets.push({ text: `memory below ${peakMibMax} MiB`, met: gantry.peakMib < peakMibMax });
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
