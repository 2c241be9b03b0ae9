/**
 * Members of answers that are never filled, each with its reason; what lies within one is not listed. A test drives every
 * operation that is served (output-members.test.ts, with the scenes in test/output-members/): a member that it never sees
 * filled and that is not here fails it, and so does one that is here and filled.
 */
export const UNFILLED_MEMBERS: Readonly<Record<string, string>> = {
  ...withoutKeyService('CreateRepository.repository'),
  ...withoutKeyService('DescribeRepositories.repositories'),
  ...withoutKeyService('DeleteRepository.repository'),
  'DescribeImages.imageDetails.imageScanStatus': 'images are not scanned',
  'DescribeImages.imageDetails.imageScanFindingsSummary': 'images are not scanned',
};

function withoutKeyService(path: string): Record<string, string> {
  return { [`${path}.encryptionConfiguration.kmsKey`]: 'encryption with keys of a key service is refused' };
}
