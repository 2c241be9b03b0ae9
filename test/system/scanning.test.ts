import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { waitUntilImageScanComplete } from '@aws-sdk/client-ecr';
import { http } from '../support/http.ts';
import { blobOf, descriptor, mediaTypes, pushImage, randomImage } from '../support/images.ts';
import { DEBIAN_FILES, imageOf, imageOfFiles } from '../support/scanned-images.ts';
import { manifestOf, refused } from './aws-client.ts';
import { basicLines, scanningWorld } from './scanning-world.ts';

const OF_DEBIAN = [
  'MEDIUM CVE-2024-8096 libcurl4 7.88.1-10+deb12u8',
  'MEDIUM CVE-2024-9681 libcurl4 7.88.1-10+deb12u9',
  'MEDIUM CVE-2025-10148 libcurl4 7.88.1-10+deb12u15',
  'LOW CVE-2026-0861 libc6 2.36-9+deb12u14',
];

describe('basic scanning', () => {
  it('says of an image that is pushed what the changelogs of its packages say', async () => {
    await using world = await scanningWorld();
    const { ecr } = world;
    await ecr.createRepository({ repositoryName: 'pushed', imageScanningConfiguration: { scanOnPush: true } });
    const imageDigest = await world.push('pushed', 'v1');
    const found = await world.scanned('pushed', 'v1');
    assert.deepEqual(found.imageId, { imageDigest, imageTag: 'v1' });
    assert.equal(found.imageScanStatus.description, 'The scan was completed successfully.');
    assert.deepEqual(basicLines(found), OF_DEBIAN);
    const { findings = [], findingSeverityCounts, vulnerabilitySourceUpdatedAt } = found.imageScanFindings;
    assert.deepEqual(findingSeverityCounts, { MEDIUM: 3, LOW: 1 });
    assert.deepEqual(vulnerabilitySourceUpdatedAt, new Date('2026-01-02T03:04:05Z'));
    assert.equal(findings[0]?.uri, 'https://tracker.example/CVE-2024-8096');
    const [detail] = (await ecr.describeImages({ repositoryName: 'pushed' })).imageDetails ?? [];
    assert.equal(detail?.imageScanStatus, undefined, 'basic scanning says nothing there');

    const first = await ecr.describeImageScanFindings({
      repositoryName: 'pushed',
      imageId: { imageDigest },
      maxResults: 3,
    });
    const { nextToken } = first;
    const rest = await ecr.describeImageScanFindings({ repositoryName: 'pushed', imageId: { imageDigest }, nextToken });
    const names = [first, rest].map((page) => page.imageScanFindings?.findings?.map(({ name }) => name));
    assert.deepEqual(names, [findings.slice(0, 3).map(({ name }) => name), [findings[3]!.name]]);
    assert.equal(rest.nextToken, undefined);
    await refused(
      ecr.describeImageScanFindings({ repositoryName: 'pushed', imageId: { imageDigest }, nextToken: 'x' }),
      'InvalidParameterException',
    );
  });

  it('reads what layers change of each other, however they are compressed', async () => {
    await using world = await scanningWorld();
    await world.ecr.createRepository({ repositoryName: 'layered', imageScanningConfiguration: { scanOnPush: true } });
    const upgraded = DEBIAN_FILES['var/lib/dpkg/status']!.replace('deb12u7', 'deb12u9').replace('deb12u13', 'deb12u14');
    const image = imageOfFiles([DEBIAN_FILES, { 'var/lib/dpkg/status': upgraded }]);
    await world.push('layered', 'v1', image);
    assert.deepEqual(basicLines(await world.scanned('layered', 'v1')), [OF_DEBIAN[2]]);
    await world.push('layered', 'v2', imageOfFiles([DEBIAN_FILES, {}, { 'var/lib/dpkg/.wh.status': '' }]));
    const none = await world.scanned('layered', 'v2');
    assert.deepEqual([basicLines(none), none.imageScanFindings.findingSeverityCounts], [[], {}]);
  });

  it('is begun on request, once a day', async () => {
    await using world = await scanningWorld();
    const { ecr } = world;
    await ecr.createRepository({ repositoryName: 'asked' });
    const imageDigest = await world.push('asked', 'v1');
    const scan = { repositoryName: 'asked', imageId: { imageTag: 'v1' } };
    const missing = `Image scan does not exist for the image with '{imageDigest:'null', imageTag:'v1'}' in the repository with name 'asked' in the registry with id '000000000000'`;
    await refused(ecr.describeImageScanFindings(scan), 'ScanNotFoundException', missing);
    const { imageId, imageScanStatus } = await ecr.startImageScan(scan);
    assert.deepEqual([imageId, imageScanStatus], [{ imageDigest, imageTag: 'v1' }, { status: 'IN_PROGRESS' }]);
    await waitUntilImageScanComplete({ client: ecr, maxWaitTime: 30, minDelay: 1, maxDelay: 1 }, scan);
    const again = 'The scan quota per image has been exceeded. Wait and try again.';
    await refused(ecr.startImageScan(scan), 'LimitExceededException', again);
    await refused(ecr.startImageScan({ ...scan, imageId: { imageTag: 'no' } }), 'ImageNotFoundException');
    await refused(ecr.startImageScan({ ...scan, repositoryName: 'none' }), 'RepositoryNotFoundException');
    await ecr.updateImageStorageClass({ ...scan, targetStorageClass: 'ARCHIVE' });
    assert.equal((await ecr.describeImageScanFindings(scan)).imageScanStatus?.status, 'IMAGE_ARCHIVED');
    await refused(ecr.startImageScan(scan), 'ImageArchivedException');
    await ecr.updateImageStorageClass({ ...scan, targetStorageClass: 'STANDARD' });
    await refused(ecr.describeImageScanFindings(scan), 'ScanNotFoundException');
    await ecr.startImageScan(scan);
    await world.scanned('asked', 'v1');
  });

  it('is begun as often as somebody asks, and as many times a day as may be, where an operator says so', async () => {
    await using world = await scanningWorld({ args: ['--scan-limit', 'off', '--quota', 'scans-per-day=2'] });
    const { ecr } = world;
    await ecr.createRepository({ repositoryName: 'often' });
    for (const imageTag of ['v1', 'v2', 'v3']) {
      await world.push('often', imageTag, imageOfFiles([DEBIAN_FILES], imageTag));
    }
    const start = (imageTag: string) => ecr.startImageScan({ repositoryName: 'often', imageId: { imageTag } });
    for (let times = 0; times < 2; times++) {
      await start('v1');
      await world.scanned('often', 'v1');
    }
    await start('v2');
    await refused(start('v3'), 'LimitExceededException', /at most 2 image scans within 24 hours \(quota scans-per-day/);
    await ecr.putImageScanningConfiguration({
      repositoryName: 'often',
      imageScanningConfiguration: { scanOnPush: true },
    });
    await world.push('often', 'v4', imageOfFiles([DEBIAN_FILES], 'v4'));
    await world.scanned('often', 'v4', 'LIMIT_EXCEEDED');
  });

  it('fails without a database and says which command makes one', async () => {
    await using world = await scanningWorld({ records: [] });
    await world.ecr.createRepository({ repositoryName: 'blind' });
    await world.push('blind', 'v1');
    const scan = { repositoryName: 'blind', imageId: { imageTag: 'v1' } };
    await world.ecr.startImageScan(scan);
    const { imageScanStatus, imageScanFindings } = await world.scanned('blind', 'v1', 'FAILED');
    assert.match(imageScanStatus.description ?? '', /no vulnerability database: `gantry vulndb import FILE` makes one/);
    assert.equal(imageScanFindings, undefined);
    await world.learn([{ id: 'CVE-2026-1', modified: '2026-01-01' }]);
    await world.ecr.startImageScan(scan);
    const { imageScanStatus: doubtful } = await world.scanned('blind', 'v1');
    assert.match(
      doubtful.description ?? '',
      /There may be more than it found: The database has no records of Debian:12/,
    );
  });

  it('refuses what is no image, and says so where it is pushed', async () => {
    await using world = await scanningWorld();
    const { ecr, server } = world;
    await ecr.createRepository({ repositoryName: 'odd', imageScanningConfiguration: { scanOnPush: true } });
    const image = randomImage();
    await pushImage(server.url, 'odd', 'broken', image);
    assert.match(
      (await world.scanned('odd', 'broken', 'FAILED')).imageScanStatus.description ?? '',
      /^A header of the layer's archive is broken/,
    );
    const index = {
      schemaVersion: 2,
      mediaType: mediaTypes.index,
      manifests: [descriptor(mediaTypes.manifest, image.manifest)],
    };
    await ecr.putImage({ repositoryName: 'odd', imageManifest: JSON.stringify(index), imageTag: 'index' });
    const artifact = manifestOf(image.config, [], { artifactType: 'application/x' });
    await ecr.putImage({ repositoryName: 'odd', imageManifest: artifact.bytes.toString(), imageTag: 'artifact' });
    const layer = image.layers[0]!;
    const attestation = imageOf(image.config, [layer], [descriptor('application/vnd.in-toto+json', layer)]);
    await world.push('odd', 'attestation', attestation);
    await world.push('odd', 'empty', imageOfFiles([{ 'etc/motd': 'hello' }]));
    for (const imageTag of ['index', 'artifact', 'attestation', 'empty']) {
      const { imageScanStatus } = await world.scanned('odd', imageTag, 'UNSUPPORTED_IMAGE');
      assert.match(imageScanStatus.description ?? '', /^UnsupportedImageError: The /, imageTag);
      if (imageTag === 'empty') continue;
      const asked = ecr.startImageScan({ repositoryName: 'odd', imageId: { imageTag } });
      await refused(asked, 'UnsupportedImageTypeException', /type '[^']+' is not supported/);
    }
  });

  it('attaches a list of what the image holds', async () => {
    await using world = await scanningWorld({ args: ['--sbom', 'attach', '--scan-limit', 'off'] });
    const { ecr, server } = world;
    await ecr.createRepository({ repositoryName: 'listed' });
    const digest = await world.push('listed', 'v1');
    const artifactType = 'application/vnd.cyclonedx+json';
    const referrers = async () => {
      await ecr.startImageScan({ repositoryName: 'listed', imageId: { imageTag: 'v1' } });
      await world.scanned('listed', 'v1');
      const answer = await http(`${server.url}/v2/listed/referrers/${digest}?artifactType=${artifactType}`);
      return answer.json().manifests as { digest: string; artifactType: string }[];
    };
    const [only, ...others] = await referrers();
    assert.deepEqual([only?.artifactType, others], [artifactType, []]);
    assert.deepEqual(await referrers(), [only], 'the same list is there once');
    const manifest = (await http(`${server.url}/v2/listed/manifests/${only!.digest}`)).json();
    assert.equal(manifest.subject.digest, digest);
    const document = (await http(`${server.url}/v2/listed/blobs/${manifest.layers[0].digest}`)).json();
    assert.deepEqual([document.bomFormat, document.specVersion], ['CycloneDX', '1.5']);
    assert.deepEqual(
      document.components.map(({ purl = 'os' }: { purl?: string }) => purl),
      [
        'os',
        'pkg:deb/debian/libc6@2.36-9%2Bdeb12u13?arch=amd64&distro=debian-12',
        'pkg:deb/debian/libcurl4@7.88.1-10%2Bdeb12u7?arch=amd64&distro=debian-12',
        'pkg:deb/debian/zlib1g@1:1.2.13.dfsg-1?arch=amd64&distro=debian-12',
      ],
    );
  });
});

it('a layer of one byte too few fails, and none of its image is believed', async () => {
  await using world = await scanningWorld();
  await world.ecr.createRepository({ repositoryName: 'cut', imageScanningConfiguration: { scanOnPush: true } });
  const whole = imageOfFiles([DEBIAN_FILES]);
  const cut = blobOf(whole.layers[0]!.bytes.subarray(0, -9));
  await world.push('cut', 'v1', imageOf(whole.config, [cut], [descriptor(`${mediaTypes.layer}+gzip`, cut)]));
  const { imageScanStatus, imageScanFindings } = await world.scanned('cut', 'v1', 'FAILED');
  assert.match(imageScanStatus.description ?? '', /ends too early/);
  assert.equal(imageScanFindings, undefined);
});
