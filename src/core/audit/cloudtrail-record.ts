import { parseIdentityArn } from '../access/arn.ts';
import type { Caller } from '../access/caller.ts';
import type { GateNote } from '../gates/gate-decision.ts';
import type { AuditEntry } from './audit-trail.ts';
import { withoutSecrets } from './without-secrets.ts';

/** An entry in the shape of CloudTrail (AWS CloudTrail user guide, "CloudTrail record contents"). */
export interface CloudTrailRecord {
  readonly eventVersion: '1.11';
  readonly userIdentity: UserIdentity;
  /** To the second, as CloudTrail gives it: `2026-11-22T05:37:13Z`. */
  readonly eventTime: string;
  readonly eventSource: string;
  readonly eventName: string;
  readonly awsRegion?: string;
  readonly sourceIPAddress?: string;
  readonly userAgent?: string;
  readonly errorCode?: string;
  readonly errorMessage?: string;
  readonly requestParameters: unknown;
  /** Answers hold secrets and much else; none is kept. */
  readonly responseElements: null;
  readonly additionalEventData?: {
    readonly decision?: string;
    readonly robotTokenId?: string;
    readonly gates?: readonly GateNote[];
  };
  readonly requestID: string;
  readonly eventID: string;
  readonly readOnly: boolean;
  readonly resources?: readonly AuditedResource[];
  readonly eventType: 'AwsApiCall';
  readonly managementEvent: true;
  readonly recipientAccountId?: string;
  readonly eventCategory: 'Management';
}

export interface UserIdentity {
  readonly type: 'Root' | 'IAMUser' | 'AssumedRole' | 'AWSAccount' | 'Unknown';
  readonly principalId?: string;
  readonly arn?: string;
  readonly accountId?: string;
  readonly accessKeyId?: string;
  readonly userName?: string;
  readonly sessionContext?: { readonly sessionIssuer: SessionIssuer };
}

/** The role behind a session. */
export interface SessionIssuer {
  readonly type: 'Role';
  readonly principalId: string;
  readonly arn: string;
  readonly accountId: string;
  readonly userName: string;
}

export interface AuditedResource {
  readonly accountId?: string;
  readonly type: string;
  readonly ARN: string;
}

/** Clients choose this text, at any length. */
const USER_AGENT_CHARACTERS_MAX = 512;
const ERROR_CHARACTERS_MAX = 1024;

/** @param eventId unique for ever */
export function toCloudTrailRecord(entry: AuditEntry, eventId: string): CloudTrailRecord {
  const { caller, registry, error, sourceIp, userAgent } = entry;
  const account = registry?.accountId ?? (caller?.accountId || undefined);
  const resources = entry.resources.filter((arn) => arn !== '*').map(toResource);
  const additional = additionalOf(entry);
  return {
    eventVersion: '1.11',
    userIdentity: toUserIdentity(caller),
    eventTime: entry.at.toISOString().replace(/\.[0-9]{3}Z$/, 'Z'),
    eventSource: entry.eventSource,
    eventName: entry.eventName,
    ...(registry && { awsRegion: registry.region }),
    ...(sourceIp !== undefined && { sourceIPAddress: sourceIp }),
    ...(userAgent !== undefined && { userAgent: userAgent.slice(0, USER_AGENT_CHARACTERS_MAX) }),
    ...(error && { errorCode: error.code, errorMessage: error.message.slice(0, ERROR_CHARACTERS_MAX) }),
    requestParameters: withoutSecrets(entry.requestParameters),
    responseElements: null,
    ...(additional && { additionalEventData: additional }),
    requestID: entry.requestId,
    eventID: eventId,
    readOnly: isReadOnly(entry.eventName),
    ...(resources.length > 0 && { resources }),
    eventType: 'AwsApiCall',
    managementEvent: true,
    ...(account !== undefined && { recipientAccountId: account }),
    eventCategory: 'Management',
  };
}

/** AWS CloudTrail user guide, "CloudTrail userIdentity element". */
function toUserIdentity(caller: Caller | undefined): UserIdentity {
  if (!caller) return { type: 'Unknown' };
  if (caller.kind === 'anonymous') return { type: 'AWSAccount', principalId: '', accountId: 'ANONYMOUS_PRINCIPAL' };
  const { userId: principalId, arn, accountId, accessKeyId, userName } = caller;
  const identity = { principalId, arn, accountId, ...(accessKeyId !== undefined && { accessKeyId }) };
  switch (caller.kind) {
    case 'root':
      return { type: 'Root', ...identity };
    case 'user':
      return { type: 'IAMUser', ...identity, ...(userName !== undefined && { userName }) };
    case 'assumed-role':
      return { type: 'AssumedRole', ...identity, ...sessionContextOf(caller) };
    case 'open':
      // Somebody who said who they are, and was believed.
      return { type: 'Unknown', ...identity };
  }
}

/** A session's user id is the role's, a colon, and the session's name. */
function sessionContextOf({ userId, roleArn = '' }: Caller): Pick<UserIdentity, 'sessionContext'> {
  const role = parseIdentityArn(roleArn);
  if (!role) return {};
  const [principalId = ''] = userId.split(':');
  const { accountId, name: userName } = role;
  return { sessionContext: { sessionIssuer: { type: 'Role', principalId, arn: roleArn, accountId, userName } } };
}

function toResource(arn: string): AuditedResource {
  const [, , service, , accountId] = arn.split(':');
  const type = service === 'ecr' ? 'AWS::ECR::Repository' : 'AWS::IAM::Role';
  return { ...(accountId && { accountId }), type, ARN: arn };
}

function additionalOf({ decision, caller, gates }: AuditEntry): CloudTrailRecord['additionalEventData'] {
  const robotTokenId = caller?.robotTokenId;
  if (decision === undefined && robotTokenId === undefined && gates === undefined) return undefined;
  return {
    ...(decision !== undefined && { decision }),
    ...(robotTokenId !== undefined && { robotTokenId }),
    ...(gates !== undefined && { gates }),
  };
}

/** As CloudTrail has it; it counts the calls of STS among those that only read. */
function isReadOnly(eventName: string): boolean {
  return /^(Get|List|Describe|BatchGet|BatchCheck|Validate|Assume)/.test(eventName);
}
