import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type {
  DescribeImageScanFindingsResponse,
  ECR,
  ImageIdentifier,
  ImageScanFindings,
  ImageScanStatus,
} from '@aws-sdk/client-ecr';
import { debianRecords, type OsvDocument } from '../support/debian-facts.ts';
import { type Image, pushImage } from '../support/images.ts';
import { DEBIAN_FILES, imageOfFiles } from '../support/scanned-images.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { ecrClient } from './aws-client.ts';
import { type Gantry, gantryOn } from './gantry-command.ts';
import { until } from './until.ts';

/** A server that scans, with records unless there are to be none. */
export interface ScanningWorld extends AsyncDisposable {
  readonly server: RunningServer;
  readonly ecr: ECR;
  readonly gantry: Gantry;
  /** Takes more records, as an operator would. */
  learn(records: readonly OsvDocument[]): Promise<void>;
  /** Pushes an image of Debian; its digest. */
  push(repositoryName: string, imageTag: string, image?: Image): Promise<string>;
  /** The findings once the scan has come to a status. */
  scanned(repositoryName: string, imageTag: string, status?: string): Promise<Scanned>;
}

/** What an image is said to have; without findings while no scan has completed. */
export interface Scanned {
  readonly imageId: ImageIdentifier;
  readonly imageScanStatus: ImageScanStatus;
  readonly imageScanFindings: ImageScanFindings;
}

export async function scanningWorld({
  args = [],
  records = debianRecords(),
}: {
  args?: readonly string[];
  records?: readonly OsvDocument[];
} = {}): Promise<ScanningWorld> {
  const server = await startServer({ args });
  const ecr = ecrClient(server.url);
  const gantry = gantryOn(server.data);
  const learn = async (more: readonly OsvDocument[]) => {
    const file = join(server.data, 'records.json');
    await writeFile(file, JSON.stringify(more));
    await gantry('vulndb', 'import', file);
  };
  if (records.length > 0) await learn(records);
  return {
    server,
    ecr,
    gantry,
    learn,
    async push(repositoryName, imageTag, image = imageOfFiles([DEBIAN_FILES])) {
      await pushImage(server.url, repositoryName, imageTag, image);
      return image.manifest.digest;
    },
    async scanned(repositoryName, imageTag, status = 'COMPLETE') {
      let found: DescribeImageScanFindingsResponse = {};
      const hasStatus = async () => {
        const scan = { repositoryName, imageId: { imageTag } };
        found = await ecr.describeImageScanFindings(scan).catch(whenNotBegun);
        return found.imageScanStatus?.status === status;
      };
      await until(hasStatus).catch((error) => {
        throw new Error(`${error.message}: ${JSON.stringify(found.imageScanStatus)}`);
      });
      return found as unknown as Scanned;
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** What follows from a change of the configuration begins a moment after it. */
function whenNotBegun(error: Error): object {
  if (error.name === 'ScanNotFoundException') return {};
  throw error;
}

/** `CVE package fixed` of each, in the order given. */
export function basicLines({ imageScanFindings }: Scanned): string[] {
  return (imageScanFindings.findings ?? []).map(({ name, severity, attributes = [] }) => {
    const value = (key: string) => attributes.find((attribute) => attribute.key === key)?.value ?? '-';
    return `${severity} ${name} ${value('package_name')} ${value('fixed_in_version')}`;
  });
}
