/** The load, in a process of its own: takes one job as JSON in its argument, prints its outcome as JSON. */
import { type CallSigned, callSigned } from './call-signed.ts';
import { type DownloadBlobs, downloadBlobs } from './download-blobs.ts';
import { type GetAgain, getAgain } from './get-again.ts';
import { type PushImages, pushImages, type SeedImages, seedImages } from './push-images.ts';
import { type UploadBlobs, uploadBlobs } from './upload-blobs.ts';
import { type UploadParts, uploadParts } from './upload-parts.ts';

export type Job = CallSigned | UploadBlobs | DownloadBlobs | GetAgain | PushImages | SeedImages | UploadParts;

export interface Outcome {
  /** Of the load alone: preparation is not in it. */
  readonly seconds: number;
  readonly bytes: number;
  readonly operations: number;
  readonly digests?: readonly string[];
  readonly medianMs?: number;
  readonly highestMs?: number;
}

function generate(job: Job): Promise<Outcome> {
  switch (job.kind) {
    case 'call-signed':
      return callSigned(job);
    case 'upload-blobs':
      return uploadBlobs(job);
    case 'download-blobs':
      return downloadBlobs(job);
    case 'get-again':
      return getAgain(job);
    case 'push-images':
      return pushImages(job);
    case 'seed-images':
      return seedImages(job);
    case 'upload-parts':
      return uploadParts(job);
  }
}

if (import.meta.main) console.log(JSON.stringify(await generate(JSON.parse(process.argv[2] ?? ''))));
