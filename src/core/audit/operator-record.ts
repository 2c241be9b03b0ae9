import type { CloudTrailRecord } from './cloudtrail-record.ts';
import { withoutSecrets } from './without-secrets.ts';

/** A change of access, or of tags, that was made on the server's own machine, by whoever may write its data. */
export interface OperatorChange {
  readonly at: Date;
  /** As IAM calls it where IAM has it: `CreateUser`. */
  readonly eventName: string;
  /** Whose change it would be in AWS. */
  readonly eventSource: OperatorEventSource;
  /** The name the operating system knows the operator by. */
  readonly operator: string;
  readonly accountId: string;
  readonly requestParameters: Readonly<Record<string, unknown>>;
}

export type OperatorEventSource =
  | 'iam.amazonaws.com'
  | 'ecr.amazonaws.com'
  | 'kms.amazonaws.com'
  | 'signer.amazonaws.com';

/** The change in the shape of the trail's other records; nobody's policies decided it. @param eventId unique for ever */
export function toOperatorRecord(change: OperatorChange, eventId: string): CloudTrailRecord {
  return {
    eventVersion: '1.11',
    userIdentity: { type: 'Unknown', userName: `operator:${change.operator}` },
    eventTime: change.at.toISOString().replace(/\.[0-9]{3}Z$/, 'Z'),
    eventSource: change.eventSource,
    eventName: change.eventName,
    requestParameters: withoutSecrets(change.requestParameters),
    responseElements: null,
    requestID: eventId,
    eventID: eventId,
    readOnly: false,
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: change.accountId,
    eventCategory: 'Management',
  };
}
