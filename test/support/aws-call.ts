import { type HttpAnswer, http } from './http.ts';

export interface AwsCallOptions {
  /** Twelve digits name the account while the server is open. */
  readonly accessKeyId?: string | undefined;
  readonly region?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/**
 * One ECR operation over plain HTTP, as AWS JSON 1.1, with a credential scope but without a true signature.
 * Any answer resolves, refusals too: `answer.json().__type` names them.
 *
 * @param url http://HOST:PORT of the server
 * @param operation as on the wire, such as PutImage
 */
export function awsCall(
  url: string,
  operation: string,
  input: object = {},
  { accessKeyId = 'AKIDEXAMPLE', region = 'us-east-1', headers = {} }: AwsCallOptions = {},
): Promise<HttpAnswer> {
  const stamp = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = `${accessKeyId}/${stamp.slice(0, 8)}/${region}/ecr/aws4_request`;
  return http(`${url}/`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/x-amz-json-1.1',
      'X-Amz-Target': `AmazonEC2ContainerRegistry_V20150921.${operation}`,
      'X-Amz-Date': stamp,
      Authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host;x-amz-date;x-amz-target, Signature=${'0'.repeat(64)}`,
      ...headers,
    },
    body: JSON.stringify(input),
  });
}
