/** ARNs of IAM and STS (IAM user guide, "IAM identifiers"). IAM knows no region. */
export function userArn(partition: string, accountId: string, userName: string): string {
  return `arn:${partition}:iam::${accountId}:user/${userName}`;
}

export function roleArn(partition: string, accountId: string, roleName: string): string {
  return `arn:${partition}:iam::${accountId}:role/${roleName}`;
}

export function rootArn(partition: string, accountId: string): string {
  return `arn:${partition}:iam::${accountId}:root`;
}

export function sessionArn(partition: string, accountId: string, roleName: string, sessionName: string): string {
  return `arn:${partition}:sts::${accountId}:assumed-role/${roleName}/${sessionName}`;
}

export interface IdentityArn {
  readonly kind: 'user' | 'role' | 'group';
  readonly accountId: string;
  readonly name: string;
}

const IDENTITY_ARN = /^arn:aws[a-z-]*:iam::([0-9]{12}):(user|role|group)\/([\w+=,.@-]{1,128})$/;

/** What an ARN of a user, role or group names; undefined for any other text. */
export function parseIdentityArn(arn: string): IdentityArn | undefined {
  const [, accountId, kind, name] = IDENTITY_ARN.exec(arn) ?? [];
  if (accountId === undefined || kind === undefined || name === undefined) return undefined;
  return { kind: kind as IdentityArn['kind'], accountId, name };
}
