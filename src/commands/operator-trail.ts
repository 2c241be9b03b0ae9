import { randomUUID } from 'node:crypto';
import { appendFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { type OperatorEventSource, toOperatorRecord } from '../core/audit/operator-record.ts';

/** Tells the trail of a change that has been made. */
export type RecordChange = (eventName: string, requestParameters: Readonly<Record<string, unknown>>) => Promise<void>;

/**
 * Adds to the trail that the server writes; the server opens it for each write and sets it aside when it is full.
 *
 * @param file undefined keeps nothing
 * @param eventSource whose changes these would be in AWS
 */
export function createOperatorTrail(
  file: string | undefined,
  accountId: string,
  now: () => Date,
  eventSource: OperatorEventSource = 'iam.amazonaws.com',
): RecordChange {
  return async (eventName, requestParameters) => {
    if (file === undefined) return;
    const change = { at: now(), eventName, eventSource, operator: operatorName(), accountId, requestParameters };
    const line = `${JSON.stringify(toOperatorRecord(change, randomUUID()))}\n`;
    await appendFile(file, line, { mode: 0o600 }).catch((error: Error) => {
      console.error(`gantry: the change was made, but the audit trail cannot be written: ${error.message}`);
    });
  };
}

/** Who runs the command. A container's user may have a number only. */
export function operatorName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'unknown');
  }
}
