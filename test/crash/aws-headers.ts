/** The headers of an ECR call while the server is open: a credential scope, no true signature. */
export function awsHeaders(operation: string): Record<string, string> {
  const scope = 'AKIDEXAMPLE/20260101/us-east-1/ecr/aws4_request';
  return {
    'Content-Type': 'application/x-amz-json-1.1',
    'X-Amz-Target': `AmazonEC2ContainerRegistry_V20150921.${operation}`,
    Authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=${'0'.repeat(64)}`,
  };
}
