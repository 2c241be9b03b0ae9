import { createHash } from 'node:crypto';
import type { EnhancedImageScanFinding, PackageVulnerabilityDetails, Resource } from '@aws-sdk/client-ecr';
import type { Finding } from '../../../core/scanning/finding.ts';
import type { ScanResult } from '../../../core/scanning/scan-records.ts';
import type { ScannedImage } from '../../../core/scanning/scanning.ts';
import { partitionOf, repositoryArn } from '../../../core/values/registry.ts';

/** A finding in the form of Inspector's (Inspector API, Finding). */
export function enhancedFinding(finding: Finding, scanned: ScannedImage, result: ScanResult): EnhancedImageScanFinding {
  const { name, summary, severity, cvss, fixedVersion, package: of } = finding;
  const { accountId } = scanned.repository.registry;
  return {
    awsAccountId: accountId,
    description: summary,
    findingArn: findingArn(finding, scanned),
    firstObservedAt: scanned.scan.startedAt,
    lastObservedAt: result.completedAt,
    packageVulnerabilityDetails: vulnerabilityDetails(finding),
    remediation: { recommendation: { text: 'None Provided' } },
    resources: [resourceOf(scanned)],
    score: cvss?.score,
    scoreDetails: cvss && {
      cvss: { score: cvss.score, scoreSource: sourceOf(finding), scoringVector: cvss.vector, version: cvss.version },
    },
    severity: severity === 'UNDEFINED' ? 'UNTRIAGED' : severity,
    status: 'ACTIVE',
    title: `${name} - ${of.name}`,
    type: 'PACKAGE_VULNERABILITY',
    updatedAt: result.completedAt,
    fixAvailable: fixedVersion === undefined ? 'NO' : 'YES',
  };
}

function vulnerabilityDetails(finding: Finding): PackageVulnerabilityDetails {
  const { name, uri, cvss, aliases, severity, publishedAt, modifiedAt, fixedVersion, package: of } = finding;
  const source = sourceOf(finding);
  return {
    cvss: cvss && [{ baseScore: cvss.score, scoringVector: cvss.vector, source, version: cvss.version }],
    referenceUrls: uri === '' ? [] : [uri],
    relatedVulnerabilities: [...aliases],
    source,
    sourceUrl: uri === '' ? undefined : uri,
    vendorCreatedAt: publishedAt,
    vendorSeverity: severity.toLowerCase(),
    vendorUpdatedAt: modifiedAt,
    vulnerabilityId: name,
    vulnerablePackages: [
      {
        arch: of.architecture,
        ...versionParts(of.type, of.version),
        filePath: of.path,
        name: of.name,
        packageManager: PACKAGE_MANAGERS[of.type],
        sourceLayerHash: of.layerDigest,
        fixedInVersion: fixedVersion ?? 'NotAvailable',
      },
    ],
  };
}

/** As Inspector calls them (Inspector API, VulnerablePackage). */
const PACKAGE_MANAGERS: Readonly<Record<Finding['package']['type'], string>> = {
  dpkg: 'OS',
  apk: 'OS',
  rpm: 'OS',
  npm: 'NODEPKG',
  python: 'PYTHONPKG',
  go: 'GOBINARY',
  java: 'JAR',
};

/** `EPOCH:VERSION-RELEASE` of the packages of distributions. */
function versionParts(type: Finding['package']['type'], whole: string) {
  const [, epoch = '0', version = whole, release] =
    PACKAGE_MANAGERS[type] === 'OS' ? (/^(?:(\d{1,9}):)?(.*?)(?:-([^-]*))?$/.exec(whole) ?? []) : [];
  return { epoch: Number(epoch), version, release };
}

function resourceOf({ repository, image, platform, facts }: ScannedImage): Resource {
  const { registry, name } = repository;
  return {
    type: 'AWS_ECR_CONTAINER_IMAGE',
    id: `${repositoryArn(registry, name)}/${image.digest}`,
    tags: Object.fromEntries(repository.resourceTags.map(({ key, value }) => [key, value])),
    details: {
      awsEcrContainerImage: {
        architecture: facts?.architecture,
        author: facts?.author,
        imageHash: image.digest,
        imageTags: [...image.tags],
        platform,
        pushedAt: image.pushedAt,
        lastInUseAt: image.pulledAt,
        registry: registry.accountId,
        repositoryName: name,
      },
    },
  };
}

/** Whose record it is, by the beginning of its id: `DEBIAN`, `GHSA`, `CVE`. */
function sourceOf({ recordId }: Finding): string {
  return recordId.split('-', 1)[0] ?? recordId;
}

/** The same as long as the image has the weakness. */
function findingArn({ name, package: of }: Finding, { repository, image }: ScannedImage): string {
  const { registry } = repository;
  const facts = JSON.stringify([registry, repository.name, image.digest, name, of.type, of.name, of.version, of.path]);
  const id = createHash('sha256').update(facts).digest('hex').slice(0, 32);
  return `arn:${partitionOf(registry.region)}:inspector2:${registry.region}:${registry.accountId}:finding/${id}`;
}
