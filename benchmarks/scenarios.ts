import { randomBytes } from 'node:crypto';
import { accessCalls, accessPulls } from './access.ts';
import { lifecycleScenarios } from './lifecycle.ts';
import { perform, type Sample, sample } from './measure.ts';
import { residentMib } from './process-meter.ts';
import type { Scenario } from './scenario.ts';
import { type SubjectName, startSubject } from './subjects.ts';

const mib = 1024 * 1024;

const both: readonly SubjectName[] = ['gantry', 'peer'];
const gantry: readonly SubjectName[] = ['gantry'];

export const scenarios: readonly Scenario[] = [
  uploads('upload-1x512', 1, 512, 1.5),
  uploads('upload-8x64', 8, 64, 1),
  downloads('download-1x512', 1, 512),
  downloads('download-8x64', 8, 64),
  {
    name: 'manifest-get',
    title: 'manifest GET by tag, 64 connections',
    unit: '/s',
    target: { kind: 'ratioMin', value: 5 },
    subjects: both,
    prepare: ({ port }) => perform({ kind: 'seed-images', port, repository: 'bench/get', images: 1 }),
    round: ({ port, pid }, { divisor }) =>
      sample(pid, 'perSecond', {
        kind: 'get-again',
        port,
        path: '/v2/bench/get/manifests/v0000000',
        connections: 64,
        seconds: 4 / Math.min(divisor, 8),
      }),
  },
  pushes('push-many', 'many'),
  pushes('push-one', 'one'),
  parts('parts-1', 1, 48),
  parts('parts-8', 8, 6),
  {
    name: 'start-empty',
    title: 'start of the process to first answer, empty store',
    unit: 'ms',
    target: { kind: 'max', value: 350 },
    subjects: both,
    start: startTime,
  },
  {
    name: 'start-100k',
    title: 'start of the process to first answer, 100,000 images',
    unit: 'ms',
    target: { kind: 'max', value: 1000 },
    subjects: gantry,
    seeded: true,
    start: startTime,
  },
  {
    name: 'tags-100k',
    title: 'first page (1,000) of 100,000 tags',
    unit: 'ms',
    target: { kind: 'max', value: 50 },
    subjects: gantry,
    prepare: ({ port }, { images }) => perform({ kind: 'seed-images', port, repository: 'bench/tags', images }),
    round: ({ port, pid }) =>
      sample(pid, 'highestMs', {
        kind: 'get-again',
        port,
        path: '/v2/bench/tags/tags/list?n=1000',
        connections: 1,
        seconds: 0.2,
      }),
  },
  {
    name: 'idle-rss',
    title: 'resident memory, idle after start, empty store',
    unit: 'MiB',
    target: { kind: 'max', value: 120 },
    subjects: both,
    start: idleMemory,
  },
  accessCalls,
  accessPulls,
  ...lifecycleScenarios,
];

function uploads(name: string, count: number, blobMib: number, ratio: number): Scenario {
  return {
    name,
    title: `upload ${count} × ${blobMib} MB`,
    unit: 'MB/s',
    target: { kind: 'ratioMin', value: ratio },
    peakMibMax: 300,
    subjects: both,
    round: ({ port, pid }, { divisor }) =>
      sample(pid, 'megabytes', {
        kind: 'upload-blobs',
        port,
        repository: `bench/${randomBytes(4).toString('hex')}`,
        count,
        blobBytes: (blobMib * mib) / divisor,
      }),
  };
}

function downloads(name: string, count: number, blobMib: number): Scenario {
  const repository = 'bench/download';
  return {
    name,
    title: `download ${count} × ${blobMib} MB`,
    unit: 'MB/s',
    target: { kind: 'ratioMin', value: 1 },
    cpuAtMostPeer: true,
    peakMibMax: 300,
    subjects: both,
    prepare: ({ port }, { divisor }) =>
      perform({ kind: 'upload-blobs', port, repository, count, blobBytes: (blobMib * mib) / divisor }),
    round: ({ port, pid }, _, prepared) =>
      sample(pid, 'megabytes', { kind: 'download-blobs', port, repository, digests: prepared?.digests ?? [] }),
  };
}

function pushes(name: string, into: 'one' | 'many'): Scenario {
  return {
    name,
    title: `pushes of a small image, 8 clients, ${into === 'one' ? 'one repository' : 'many repositories'}`,
    unit: '/s',
    target: { kind: 'ratioMin', value: 2 },
    peakMibMax: 300,
    subjects: both,
    round: ({ port, pid }, { divisor }) =>
      sample(pid, 'perSecond', { kind: 'push-images', port, clients: 8, seconds: 5 / Math.min(divisor, 10), into }),
  };
}

function parts(name: string, layers: number, partsPerLayer: number): Scenario {
  return {
    name,
    title: `UploadLayerPart, 10 MiB parts, ${layers === 1 ? 'one connection' : `${layers} at once`}`,
    unit: 'MB/s',
    target: { kind: 'min', value: 250 },
    peakMibMax: 300,
    subjects: gantry,
    round: ({ port, pid }, { divisor }) =>
      sample(pid, 'megabytes', {
        kind: 'upload-parts',
        port,
        repository: 'bench/parts',
        layers,
        partsPerLayer: Math.max(1, Math.floor(partsPerLayer / divisor)),
        partBytes: 10 * mib,
      }),
  };
}

async function startTime(name: SubjectName, folder: string): Promise<Sample> {
  await using subject = await startSubject(name, folder);
  return { value: subject.startMs };
}

async function idleMemory(name: SubjectName, folder: string): Promise<Sample> {
  await using subject = await startSubject(name, folder);
  await new Promise((resolve) => setTimeout(resolve, 2000));
  return { value: residentMib(subject.pid) };
}
