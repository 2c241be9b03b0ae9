import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Caller } from '../../core/access/caller.ts';
import type { Core } from '../../core/core.ts';
import { BodyAbortedError } from '../../http/body.ts';
import type { Handler } from '../../http/handler.ts';
import { requestIdOf } from '../../http/request-id.ts';
import { discardBody } from '../../http/unread-body.ts';
import { ACTIONS, isActionName } from './actions.ts';
import { type AuditNotes, auditEntry } from './audit.ts';
import type { Authentication, Client } from './authentication.ts';
import { StsError, stsErrorOf } from './errors.ts';
import { type Query, readQuery } from './query.ts';
import { answerXml, errorXml } from './xml.ts';

export interface StsContext {
  readonly core: Core;
  /** Absent: everybody is admitted as who they say they are. */
  readonly authentication: Authentication;
  readonly clientOf: (request: IncomingMessage) => Client;
  readonly now: () => Date;
  /** Absent: everybody may ask as fast as they like. */
  readonly throttle?: Throttle | undefined;
  /** Answers a form without an `Action`, which is nobody's Query: curl's `-d` makes one of any body. It is left no body to read. */
  readonly withoutAction: Handler;
}

/** Bounds how fast a principal may call an operation. */
export interface Throttle {
  /** False: too fast. */
  take(principalArn: string, operation: string): boolean;
}

/** Whether a request speaks the AWS Query protocol, which only STS does here: a form, or an `Action` in the URL. */
export function isStsRequest({ headers, url = '' }: IncomingMessage): boolean {
  if (headers['x-amz-target'] !== undefined) return false;
  const isForm = headers['content-type']?.toLowerCase().startsWith('application/x-www-form-urlencoded') ?? false;
  return isForm || /[?&]Action=/.test(url);
}

/**
 * Serves STS as far as a registry needs it: GetCallerIdentity, which Terraform, CDK and the AWS CLI ask before all else, and the
 * two ways to assume a role.
 */
export function createStsHandler(context: StsContext): Handler {
  const { core, withoutAction, clientOf, now } = context;
  return async (request, response) => {
    const requestId = requestIdOf(request);
    const client = clientOf(request);
    const notes: AuditNotes = {};
    try {
      const query = await readQuery(request);
      const action = query.parameters.get('Action');
      if (action === null) return await withoutAction(request, response);
      const result = await serve(request, context, { action, query, client, notes });
      core.audit.record(auditEntry(request, { at: now(), client, notes }));
      sendXml(response, 200, answerXml(action, result, requestId));
    } catch (error) {
      if (error instanceof BodyAbortedError) return void response.destroy();
      const { code, message, status } = stsErrorOf(error, requestId);
      core.audit.record(auditEntry(request, { at: now(), client, notes, error: { code, message } }));
      await discardBody(request);
      sendXml(response, status, errorXml(code, message, status, requestId));
      if (status >= 500) throw error;
    }
  };
}

interface Asked {
  readonly action: string;
  readonly query: Query;
  readonly client: Client;
  /** Taken as the request goes on, so that a refusal finds what was known by then. */
  readonly notes: AuditNotes;
}

async function serve(
  request: IncomingMessage,
  { core, authentication, throttle }: StsContext,
  { action, query: { parameters: query, body }, client, notes }: Asked,
) {
  if (!isActionName(action)) {
    const version = query.get('Version') ?? 'NO_VERSION_SPECIFIED';
    const names = Object.keys(ACTIONS).join(', ');
    const message = `Could not find operation ${action} for version ${version}; this server has ${names}`;
    throw new StsError('InvalidAction', message);
  }
  notes.action = action;
  const { isSigned, run } = ACTIONS[action];
  const facts = { ...(client.sourceIp && { sourceIp: client.sourceIp }), isSecure: client.isSecure };
  notes.parameters = query;
  if (!isSigned) {
    const result = await run({ core, query, facts });
    notes.subject = String(result.SubjectFromWebIdentityToken);
    return result;
  }
  const { caller, region, prove } = await authentication.begin(request, client);
  await prove(body);
  notes.caller = caller;
  notes.registry = { accountId: caller.accountId, region };
  refuseTooFast(throttle, caller, action);
  return run({ core, query, facts, caller });
}

function refuseTooFast(throttle: Throttle | undefined, { arn }: Caller, action: string): void {
  if (throttle?.take(arn, action) === false) throw new StsError('Throttling', 'Rate exceeded');
}

function sendXml(response: ServerResponse, status: number, xml: string): void {
  const bytes = Buffer.from(xml);
  response.writeHead(status, { 'Content-Type': 'text/xml', 'Content-Length': bytes.length });
  response.end(bytes);
}
