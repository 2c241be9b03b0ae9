import { resolve } from 'node:path';
import type { MoveConfig } from '../config/move-config.ts';
import type { MoveProgress } from '../core/moving/moving.ts';
import type { SwitchReport } from '../core/moving/switch-over.ts';
import { describeBytes } from './progress-line.ts';

export function progressText(progress: MoveProgress): string {
  if (progress.step === 'facts') return `${progress.rows} rows carried`;
  const done = progress.step === 'copying' ? 'copied' : 'read again';
  return `${progress.blobs} blobs ${done}, ${describeBytes(progress.bytes)}`;
}

/** What the switch did, a line for each thing. */
export function movedLines({ copies, uploads, tables }: SwitchReport, seconds: number): string[] {
  const lines: string[] = [];
  if (copies !== undefined) {
    const { copied, copiedBytes, present } = copies;
    lines.push(`Bytes: ${copied + present} blobs, ${copied} of them (${describeBytes(copiedBytes)}) copied now.`);
  }
  if (uploads !== undefined && uploads.carried + uploads.left.length > 0) {
    const left = uploads.left.length === 0 ? '' : `; ${uploads.left.length} cannot be and begin anew`;
    lines.push(`Unfinished uploads: ${uploads.carried} go on (${describeBytes(uploads.bytes)})${left}.`);
  }
  if (tables !== undefined) {
    const rows = tables.reduce((sum, table) => sum + table.rows, 0);
    const images = tables.find(({ table }) => table === 'images')?.rows ?? 0;
    lines.push(`Facts: ${rows} rows of ${tables.length} tables, ${images} images among them.`);
  }
  lines.push(`Moved and verified in ${seconds.toFixed(1)} s.`);
  return lines;
}

/** How the registry is served from now on. */
export function serveLines({ from, to, kms, keyFile }: MoveConfig): string[] {
  const isShared = to.databaseUrl !== undefined && to.bucket !== undefined;
  const words = ['  gantry serve', `--data ${isShared ? 'FOLDER' : resolve(to.dataDirectory)}`];
  if (to.databaseUrl !== undefined) words.push(`--database-url '${withoutPassword(to.databaseUrl)}'`);
  if (to.bucket !== undefined) words.push(`--blobs '${bucketUrl(to.bucket)}'`);
  if (to.archiveDirectory !== undefined) words.push(`--archive-dir ${resolve(to.archiveDirectory)}`);
  if (to.masterKeyFile !== undefined) words.push(`--master-key-file ${resolve(to.masterKeyFile)}`);
  if (kms.kind === 'aws') words.push('--kms as before');
  const needsKey = isShared || resolve(to.dataDirectory) !== resolve(from.dataDirectory);
  if (needsKey) words.push('--key-file FILE');
  return [
    'Serve it with:',
    words.join(' '),
    ...(needsKey
      ? [`FILE is the same key file for every server, else secrets cannot be opened: ${resolve(keyFile)}.`]
      : []),
  ];
}

function withoutPassword(databaseUrl: string): string {
  const url = new URL(databaseUrl);
  if (url.password !== '') url.password = 'PASSWORD';
  return url.href;
}

function bucketUrl({ bucket, prefix, region, endpoint, publicEndpoint, pathStyle, sse }: Bucket): string {
  const parameters = [
    `region=${region}`,
    ...(endpoint === undefined ? [] : [`endpoint=${endpoint}`]),
    ...(publicEndpoint === undefined ? [] : [`publicEndpoint=${publicEndpoint}`]),
    `pathStyle=${pathStyle}`,
    ...(sse === undefined ? [] : [`sse=${sse}`]),
  ];
  return `s3://${bucket}/${prefix}?${parameters.join('&')}`;
}

type Bucket = NonNullable<MoveConfig['to']['bucket']>;
