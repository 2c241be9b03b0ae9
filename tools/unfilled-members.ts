/**
 * Members of answers that are never filled, each with its reason; what lies within one is not listed. A test drives every
 * operation that is served (output-members.test.ts, with the scenes in test/output-members/): a member that it never sees
 * filled and that is not here fails it, and so does one that is here and filled.
 */
export const UNFILLED_MEMBERS: Readonly<Record<string, string>> = {
  'StartImageScan.imageScanStatus.description': 'ECR says the status alone',
  ...ofEnhancedFindings({
    exploitAvailable: 'records of OSV do not say',
    'remediation.recommendation.url': 'records of OSV do not say',
    'scoreDetails.cvss.adjustments': 'scores are those of the vectors, as they were published',
    'resources.details.awsEcrContainerImage.inUseCount': 'nobody tells where images run',
  }),
};

function ofEnhancedFindings(reasons: Readonly<Record<string, string>>): Record<string, string> {
  const path = 'DescribeImageScanFindings.imageScanFindings.enhancedFindings';
  return Object.fromEntries(Object.entries(reasons).map(([member, reason]) => [`${path}.${member}`, reason]));
}
