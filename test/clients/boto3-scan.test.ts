import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { awsCall } from '../support/aws-call.ts';
import { describeClient } from '../support/client.ts';
import { debianRecords } from '../support/debian-facts.ts';
import { pushImage } from '../support/images.ts';
import { pythonWithBoto3 } from '../support/python.ts';
import { DEBIAN_FILES, imageOfFiles } from '../support/scanned-images.ts';
import { checkout, pinnedNode } from '../support/server.ts';

const script = join(import.meta.dirname, 'boto3-scan.py');
const python = await pythonWithBoto3();
const unless = async () => (python === undefined ? 'no python3 has boto3' : undefined);

await describeClient('boto3 and scans', { programs: ['python3'], mustBeInCi: true, unless }, (client) => {
  it('starts a scan, waits for it and pages through what it found', async () => {
    const { url, data } = client.server;
    const records = join(client.home, 'records.json');
    writeFileSync(records, JSON.stringify(debianRecords()));
    await client.run([pinnedNode, join(checkout, 'bin', 'gantry.js'), 'vulndb', 'import', records, '--data', data]);
    await awsCall(url, 'CreateRepository', { repositoryName: 'boto3/scanned' });
    await pushImage(url, 'boto3/scanned', 'v1', imageOfFiles([DEBIAN_FILES]));
    const found = JSON.parse(await client.run([python ?? '', script, url, 'boto3/scanned', 'v1']));
    assert.deepEqual(found.names, ['CVE-2024-8096', 'CVE-2024-9681', 'CVE-2025-10148', 'CVE-2026-0861']);
  });
});
