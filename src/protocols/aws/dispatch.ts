import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Call, Caller } from '../../core/access/caller.ts';
import type { Core } from '../../core/core.ts';
import type { GateNote } from '../../core/gates/gate-decision.ts';
import { BodyAbortedError } from '../../http/body.ts';
import type { ByteBudget, FairByteBudget } from '../../http/byte-budget.ts';
import type { Handler } from '../../http/handler.ts';
import { sendJson } from '../../http/json.ts';
import { requestIdOf } from '../../http/request-id.ts';
import { discardBody } from '../../http/unread-body.ts';
import { type AuditNotes, auditEntry } from './audit.ts';
import type { Authentication, Client } from './authenticate.ts';
import { authorizeOperation } from './authorize.ts';
import { findViolation } from './constraints.ts';
import { AwsError, awsErrorOf, invalidParameter } from './errors.ts';
import { loadModel, readStructure, writeStructure } from './model.ts';
import { implementedOperation } from './operations.ts';
import { admitBody, parseRequestBody, readRequestBody } from './request-body.ts';
import { operationNameOf } from './target.ts';

export interface AwsContext {
  readonly core: Core;
  /** Absent: everybody is admitted as who they say they are. */
  readonly authentication: Authentication;
  readonly clientOf: (request: IncomingMessage) => Client;
  readonly now: () => Date;
  /** Absent: everybody may ask as fast as they like. */
  readonly throttle?: Throttle | undefined;
  /** Scheme and host that clients reach the server by; else what each request's Host says. */
  readonly publicUrl?: string;
  /** Shared by all bodies above 64 KiB. */
  readonly bodyBudget: ByteBudget;
  /** The same for bodies whose sender is known only when they are there. */
  readonly unprovenBodyBudget: FairByteBudget;
}

/** Bounds how fast a principal may call an operation. */
export interface Throttle {
  /** False: too fast. */
  take(principalArn: string, operation: string): boolean;
}

/** Serves `POST /` in AWS JSON 1.1, the protocol of the ECR API; says in the same form what any other request to `/` lacks. */
export function createAwsHandler(context: AwsContext): Handler {
  const { core, clientOf, now } = context;
  return async (request, response) => {
    const client = clientOf(request);
    const notes: AuditNotes = {};
    try {
      const answer = await serve(request, context, client, notes);
      core.audit.record(auditEntry(request, { at: now(), client, notes }));
      sendAws(request, response, 200, answer);
    } catch (error) {
      const known = awsErrorOf(error, requestIdOf(request));
      if (!(error instanceof BodyAbortedError)) {
        core.audit.record(auditEntry(request, { at: now(), client, notes, error: known }));
      }
      await answerError(request, response, error, known);
    }
  };
}

/** @param notes are taken as the request goes on, so that a refusal finds what was known by then */
async function serve(
  request: IncomingMessage,
  context: AwsContext,
  client: Client,
  notes: AuditNotes,
): Promise<object> {
  const { core } = context;
  const name = operationNameOf(request, core.addresses);
  notes.operation = name;
  const { caller, region, isProven, prove } = await context.authentication.begin(request, client);
  using _room = await admitBody(request, name, isProven ? context.bodyBudget : unprovenBudget(context, client));
  using body = await readRequestBody(request, name);
  await prove(body.bytes);
  notes.caller = caller;
  notes.registry = { accountId: caller.accountId, region };
  refuseTooFast(context.throttle, caller, name);
  const operation = implementedOperation(name);
  const { json, layerPart } = parseRequestBody(body.bytes, name);
  const shapes = (await loadModel()).shapesOf(name);
  const input = readStructure(shapes.input, json);
  notes.input = input;
  const violation = findViolation(shapes.input, input);
  if (violation) throw invalidParameter(violation.parameter, violation.constraint, operation.violation);
  const registry = { accountId: registryIdIn(input) ?? caller.accountId, region };
  const call = {
    caller,
    registry,
    facts: { ...(client.sourceIp && { sourceIp: client.sourceIp }), isSecure: client.isSecure },
    onGate: (note: GateNote) => {
      notes.gates ??= [];
      notes.gates.push(note);
    },
  };
  notes.registry = registry;
  await authorizeOperation(core.authorizer, operation, call, { input, client, notes });
  const baseUrl = baseUrlOf(context, call, client);
  return writeStructure(shapes.output, await operation.run({ core, call, input, layerPart, baseUrl }));
}

/** Who only claims to be somebody stands in a line of its own, and cannot fill it from one address. */
function unprovenBudget({ unprovenBodyBudget }: AwsContext, { sourceIp = '' }: Client): ByteBudget {
  return { acquire: (bytes) => unprovenBodyBudget.acquire(bytes, sourceIp) };
}

function refuseTooFast(throttle: Throttle | undefined, { arn }: Caller, operation: string): void {
  if (throttle?.take(arn, operation) === false) throw new AwsError('ThrottlingException', 'Rate exceeded');
}

function registryIdIn(input: Readonly<Record<string, unknown>>): string | undefined {
  return typeof input.registryId === 'string' ? input.registryId : undefined;
}

/** The host that the client asked for, when the client has signed it or it is one of ours. */
function baseUrlOf({ core, publicUrl }: AwsContext, { caller, registry }: Call, { host, isSecure }: Client): string {
  if (publicUrl !== undefined) return publicUrl.replace(/\/+$/, '');
  const isMeant = host !== undefined && (caller.kind !== 'open' || core.addresses.isKnownHost(host));
  if (!isMeant) return core.addresses.proxyEndpoint(registry);
  return `${isSecure ? 'https' : core.addresses.scheme}://${host}`;
}

/** A fault of the server's is answered in AWS's form, and thrown on to whom it concerns: the log. */
async function answerError(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  { code, message, members, status, headers }: AwsError,
): Promise<void> {
  if (error instanceof BodyAbortedError) return void response.destroy();
  await discardBody(request);
  sendAws(request, response, status, { __type: code, message, ...members }, headers);
  if (status === 500) throw error;
}

function sendAws(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  body: object,
  headers?: OutgoingHttpHeaders,
): void {
  sendJson(response, status, body, {
    ...headers,
    'Content-Type': 'application/x-amz-json-1.1',
    'x-amzn-RequestId': requestIdOf(request),
  });
}
