import type { Attribute, ImageScanFinding } from '@aws-sdk/client-ecr';
import type { CvssRating, Finding } from '../../../core/scanning/finding.ts';

/** ECR API, Attribute: a value has 1 to 256 characters. */
const VALUE_LENGTH_MAX = 256;

/** A finding of basic scanning: one entry for each weakness of each package. */
export function basicFinding(finding: Finding): ImageScanFinding {
  const { name, summary, uri, severity, cvss, fixedVersion, package: of } = finding;
  const attributes = [
    attribute('package_version', of.version),
    attribute('package_name', of.name),
    ...(cvss ? cvssAttributes(cvss) : []),
    // Not ECR's, which leaves whoever reads it to look it up.
    ...(fixedVersion === undefined ? [] : [attribute('fixed_in_version', fixedVersion)]),
  ];
  return {
    name,
    description: summary === '' ? undefined : summary,
    uri: uri === '' ? undefined : uri,
    severity,
    attributes,
  };
}

/** `CVSS2_VECTOR` and `CVSS2_SCORE` in ECR's samples; those of later versions are named alike. */
function cvssAttributes({ version, vector, score }: CvssRating): Attribute[] {
  const prefix = `CVSS${version[0]}`;
  return [attribute(`${prefix}_VECTOR`, vector), attribute(`${prefix}_SCORE`, String(score))];
}

function attribute(key: string, value: string): Attribute {
  return { key, value: value.slice(0, VALUE_LENGTH_MAX) };
}
