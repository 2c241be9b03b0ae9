import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { debianRecords } from '../support/debian-facts.ts';
import { DEBIAN_FILES, imageOfFiles } from '../support/scanned-images.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';
import { refused } from './aws-client.ts';
import { type ScanningWorld, scanningWorld } from './scanning-world.ts';
import { until } from './until.ts';

type Frequency = 'CONTINUOUS_SCAN' | 'SCAN_ON_PUSH';

const ruleOf = (scanFrequency: Frequency, ...filters: string[]) => ({
  scanFrequency,
  repositoryFilters: filters.map((filter) => ({ filter, filterType: 'WILDCARD' as const })),
});

/** The names of an image's findings, and the status, of ENHANCED. */
async function enhanced({ ecr }: ScanningWorld, repositoryName: string, imageTag = 'v1') {
  const answer = await ecr.describeImageScanFindings({ repositoryName, imageId: { imageTag } });
  const findings = answer.imageScanFindings?.enhancedFindings ?? [];
  return { answer, findings, names: findings.map(({ title }) => title) };
}

const NEWER = '2026-02-03T04:05:06Z';

describe('enhanced scanning', () => {
  it('says anew what is known of an image when more is, without reading it', async () => {
    await using world = await scanningWorld();
    const { ecr } = world;
    await ecr.putRegistryScanningConfiguration({ scanType: 'ENHANCED', rules: [ruleOf('CONTINUOUS_SCAN', 'watched')] });
    for (const repositoryName of ['watched', 'not/here']) await ecr.createRepository({ repositoryName });
    const imageHash = await world.push('watched', 'v1');
    await world.push('not/here', 'v1');
    const { imageScanFindings } = await world.scanned('watched', 'v1', 'ACTIVE');
    const { enhancedFindings: [first] = [], findings, findingSeverityCounts } = imageScanFindings;
    assert.deepEqual([findings, findingSeverityCounts], [undefined, { MEDIUM: 3, LOW: 1 }]);
    assert.deepEqual(
      [first?.title, first?.severity, first?.status, first?.type, first?.fixAvailable, first?.awsAccountId],
      ['CVE-2024-8096 - libcurl4', 'MEDIUM', 'ACTIVE', 'PACKAGE_VULNERABILITY', 'YES', '000000000000'],
    );
    assert.deepEqual(first?.packageVulnerabilityDetails?.vulnerablePackages, [
      {
        arch: 'amd64',
        epoch: 0,
        filePath: 'var/lib/dpkg/status',
        fixedInVersion: '7.88.1-10+deb12u8',
        name: 'libcurl4',
        packageManager: 'OS',
        release: '10+deb12u7',
        sourceLayerHash: imageOfFiles([DEBIAN_FILES]).layers[0]?.digest,
        version: '7.88.1',
      },
    ]);
    const image = first?.resources?.[0]?.details?.awsEcrContainerImage;
    assert.deepEqual([image?.imageHash, image?.imageTags, image?.platform], [imageHash, ['v1'], 'DEBIAN_12']);
    assert.deepEqual([image?.architecture, image?.author], ['amd64', 'Harbour <harbour@example.com>']);
    await refused(enhanced(world, 'not/here'), 'ScanNotFoundException');
    const scan = { repositoryName: 'watched', imageId: { imageTag: 'v1' } };
    await refused(ecr.startImageScan(scan), 'ValidationException', /^This feature is disabled/);

    const [detail] = (await ecr.describeImages({ repositoryName: 'watched' })).imageDetails ?? [];
    assert.equal(detail?.imageScanStatus?.status, 'ACTIVE');
    assert.deepEqual(detail?.imageScanFindingsSummary?.findingSeverityCounts, { MEDIUM: 3, LOW: 1 });

    const [known] = debianRecords(NEWER);
    const affected = [{ package: { ecosystem: 'Debian:12', name: 'zlib' }, versions: ['1:1.2.13.dfsg-1'] }];
    await world.learn([
      { ...known!, withdrawn: NEWER },
      { id: 'DEBIAN-CVE-2026-7777', modified: NEWER, upstream: ['CVE-2026-7777'], affected },
    ]);
    await until(async () => (await enhanced(world, 'watched')).names.includes('CVE-2026-7777 - zlib1g'));
    const { names, answer } = await enhanced(world, 'watched');
    assert.ok(!names.includes('CVE-2025-10148 - libcurl4'), 'it was withdrawn');
    assert.equal(answer.imageScanStatus?.status, 'ACTIVE');
    assert.deepEqual(answer.imageScanFindings?.vulnerabilitySourceUpdatedAt, new Date(NEWER));
  });

  it('finds what it was told of only after a push', async () => {
    await using world = await scanningWorld({ records: [] });
    const rules = [ruleOf('CONTINUOUS_SCAN', 'watched'), ruleOf('SCAN_ON_PUSH', 'once')];
    await world.ecr.putRegistryScanningConfiguration({ scanType: 'ENHANCED', rules });
    for (const repositoryName of ['watched', 'once']) {
      await world.ecr.createRepository({ repositoryName });
      await world.push(repositoryName, 'v1');
      await world.scanned(repositoryName, 'v1', 'FAILED');
    }
    await world.learn(debianRecords());
    await world.scanned('watched', 'v1', 'ACTIVE');
    await world.scanned('once', 'v1', 'COMPLETE');
    assert.equal((await enhanced(world, 'once')).names.length, 4);
  });

  it('hides the results of the other type, and shows them when it is back', async () => {
    await using world = await scanningWorld();
    const { ecr } = world;
    await ecr.createRepository({ repositoryName: 'both', imageScanningConfiguration: { scanOnPush: true } });
    await world.push('both', 'v1');
    const basic = await world.scanned('both', 'v1');
    await ecr.putRegistryScanningConfiguration({ scanType: 'ENHANCED', rules: [ruleOf('CONTINUOUS_SCAN', '*')] });
    const { imageScanFindings } = await world.scanned('both', 'v1', 'ACTIVE');
    assert.equal(imageScanFindings.enhancedFindings?.length, 4, 'an image of before is scanned as well');
    await ecr.putRegistryScanningConfiguration({ scanType: 'BASIC', rules: [] });
    assert.deepEqual((await world.scanned('both', 'v1')).imageScanFindings, basic.imageScanFindings);
    await ecr.putRegistryScanningConfiguration({ scanType: 'ENHANCED', rules: [ruleOf('SCAN_ON_PUSH', '*')] });
    await world.scanned('both', 'v1', 'COMPLETE');
    assert.equal((await enhanced(world, 'both')).names.length, 4);
  });
});

describe('a scanning configuration', () => {
  it('matches repositories as ECR documents it', async () => {
    await using world = await scanningWorld({ records: [] });
    const { ecr } = world;
    const repositoryNames = ['prod', 'repo-prod', 'prod-repo', 'repo-prod-repo', 'prodrepo'];
    for (const repositoryName of repositoryNames) await ecr.createRepository({ repositoryName });
    /** The table of the user guide, "Filters to choose which repositories are scanned". */
    const table: readonly (readonly [filter: string, matching: readonly string[]])[] = [
      ['prod', repositoryNames],
      ['*prod', ['prod', 'repo-prod']],
      ['prod*', ['prod', 'prod-repo', 'prodrepo']],
      ['*prod*', repositoryNames],
      ['prod*repo', ['prod-repo', 'prodrepo']],
    ];
    for (const [filter, matching] of table) {
      await ecr.putRegistryScanningConfiguration({ scanType: 'BASIC', rules: [ruleOf('SCAN_ON_PUSH', filter)] });
      const { scanningConfigurations = [] } = await ecr.batchGetRepositoryScanningConfiguration({ repositoryNames });
      const scanned = scanningConfigurations.filter(({ scanFrequency }) => scanFrequency === 'SCAN_ON_PUSH');
      assert.deepEqual(
        scanned.map(({ repositoryName }) => repositoryName),
        matching,
        filter,
      );
    }
  });

  it('is kept, reported by repository, and refused where its type cannot do it', async () => {
    await using world = await scanningWorld({ records: [] });
    const { ecr } = world;
    assert.deepEqual((await ecr.getRegistryScanningConfiguration({})).scanningConfiguration, {
      scanType: 'BASIC',
      rules: [],
    });
    const rules = [ruleOf('SCAN_ON_PUSH', 'app', 'ap*'), ruleOf('CONTINUOUS_SCAN', 'app/*', 'app/core')];
    const put = await ecr.putRegistryScanningConfiguration({ scanType: 'ENHANCED', rules });
    assert.deepEqual(put.registryScanningConfiguration, { scanType: 'ENHANCED', rules });
    const { registryId, scanningConfiguration } = await ecr.getRegistryScanningConfiguration({});
    assert.deepEqual([registryId, scanningConfiguration], ['000000000000', { scanType: 'ENHANCED', rules }]);
    for (const repositoryName of ['app/core', 'app', 'other']) await ecr.createRepository({ repositoryName });
    const repositoryNames = ['app/core', 'app', 'other', 'none'];
    const found = await ecr.batchGetRepositoryScanningConfiguration({ repositoryNames });
    const filterOf = (filter: string) => [{ filter, filterType: 'WILDCARD' }];
    const row = (repositoryName: string, scanFrequency: string, appliedScanFilters: object[]) => ({
      repositoryArn: `arn:aws:ecr:us-east-1:000000000000:repository/${repositoryName}`,
      repositoryName,
      scanOnPush: scanFrequency === 'SCAN_ON_PUSH',
      scanFrequency,
      appliedScanFilters,
    });
    assert.deepEqual(found.scanningConfigurations, [
      row('app/core', 'CONTINUOUS_SCAN', filterOf('app/core')),
      row('app', 'SCAN_ON_PUSH', filterOf('ap*')),
      row('other', 'MANUAL', []),
    ]);
    assert.deepEqual(
      found.failures?.map(({ repositoryName, failureCode }) => [repositoryName, failureCode]),
      [['none', 'REPOSITORY_NOT_FOUND']],
    );
    const wrong = { scanType: 'BASIC' as const, rules: [ruleOf('CONTINUOUS_SCAN', 'app')] };
    await refused(ecr.putRegistryScanningConfiguration(wrong), 'InvalidParameterException', /when scanType is BASIC/);
    const three = { scanType: 'BASIC' as const, rules: [1, 2, 3].map(() => ruleOf('SCAN_ON_PUSH', 'a')) };
    await refused(ecr.putRegistryScanningConfiguration(three), 'InvalidParameterException');
    const many = ruleOf('SCAN_ON_PUSH', ...Array.from({ length: 101 }, (_, at) => `a${at}`));
    await refused(
      ecr.putRegistryScanningConfiguration({ scanType: 'BASIC', rules: [many] }),
      'InvalidParameterException',
      /less than or equal to 100/,
    );
  });
});

it('others are told of scans, and of what is scanned at other times', async () => {
  await using world = await scanningWorld();
  await using receiver = await startWebhookReceiver();
  const { ecr, gantry } = world;
  const types = ['ECR Image Scan', 'ECR Scan Resource Change', 'Inspector2 Scan'];
  const wanted = types.flatMap((type) => ['--detail-type', type]);
  await gantry('events', 'target', 'add', 'hook', 'webhook', receiver.url, '--allow-http', ...wanted);
  await ecr.createRepository({ repositoryName: 'told', imageScanningConfiguration: { scanOnPush: true } });
  const digest = await world.push('told', 'v1');
  const told = (count: number) => until(() => receiver.received.length >= count);
  await told(1);
  await ecr.putRegistryScanningConfiguration({ scanType: 'ENHANCED', rules: [ruleOf('CONTINUOUS_SCAN', 'told')] });
  await told(3);
  const arn = 'arn:aws:ecr:us-east-1:000000000000:repository/told';
  const events = receiver.received.map(({ event: { source, detail, 'detail-type': type }, body }) => {
    return { source, type, resources: JSON.parse(body).resources, detail };
  });
  const scan = { 'image-digest': digest, 'image-tags': ['v1'] };
  assert.deepEqual(events, [
    {
      source: 'aws.ecr',
      type: 'ECR Image Scan',
      resources: [arn],
      detail: {
        'scan-status': 'COMPLETE',
        'repository-name': 'told',
        'finding-severity-counts': { MEDIUM: 3, LOW: 1 },
        ...scan,
      },
    },
    {
      source: 'aws.ecr',
      type: 'ECR Scan Resource Change',
      resources: [],
      detail: {
        'action-type': 'SCAN_FREQUENCY_CHANGE',
        repositories: [
          {
            'repository-name': 'told',
            'repository-arn': arn,
            'scan-frequency': 'CONTINUOUS_SCAN',
            'previous-scan-frequency': 'SCAN_ON_PUSH',
          },
        ],
        'resource-type': 'REPOSITORY',
        'scan-type': 'ENHANCED',
      },
    },
    {
      source: 'aws.inspector2',
      type: 'Inspector2 Scan',
      resources: [arn],
      detail: {
        'scan-status': 'INITIAL_SCAN_COMPLETE',
        'repository-name': arn,
        'finding-severity-counts': { MEDIUM: 3, LOW: 1, TOTAL: 4 },
        ...scan,
      },
    },
  ]);
});
