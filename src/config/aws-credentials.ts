import type { Environment } from './environment.ts';
import { ConfigError } from './settings-reader.ts';

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/**
 * What a service of Amazon's kind is asked with. Variables of our own go before those that other programs on the machine may
 * mean. Undefined: what the AWS SDK finds, such as the role of a pod.
 *
 * @param own prefix of our own, such as `GANTRY_S3`
 */
export function awsCredentialsOf(environment: Environment, own: string): AwsCredentials | undefined {
  const pair = pairOf(environment, `${own}_ACCESS_KEY_ID`, `${own}_SECRET_ACCESS_KEY`);
  if (pair !== undefined) return pair;
  const credentials = pairOf(environment, 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY');
  const sessionToken = environment.AWS_SESSION_TOKEN;
  return credentials && { ...credentials, ...(sessionToken !== undefined && { sessionToken }) };
}

function pairOf(environment: Environment, id: string, secret: string): AwsCredentials | undefined {
  const [accessKeyId, secretAccessKey] = [environment[id], environment[secret]];
  if (accessKeyId !== undefined && secretAccessKey !== undefined) return { accessKeyId, secretAccessKey };
  if (accessKeyId === undefined && secretAccessKey === undefined) return undefined;
  throw new ConfigError(`${id} and ${secret} go together: set both or neither`);
}
