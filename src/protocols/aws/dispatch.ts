import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Call } from '../../core/access/caller.ts';
import type { Core } from '../../core/core.ts';
import type { Registry } from '../../core/values/registry.ts';
import { BodyAbortedError } from '../../http/body.ts';
import type { ByteBudget } from '../../http/byte-budget.ts';
import type { Handler } from '../../http/handler.ts';
import { sendJson } from '../../http/json.ts';
import { requestIdOf } from '../../http/request-id.ts';
import { discardBody } from '../../http/unread-body.ts';
import { type Authenticate, openAuthentication } from './authenticate.ts';
import { findViolation } from './constraints.ts';
import { awsErrorOf, invalidParameter } from './errors.ts';
import { loadModel, readStructure, writeStructure } from './model.ts';
import { implementedOperation } from './operations.ts';
import { admitBody, readRequestBody } from './request-body.ts';
import { operationNameOf } from './target.ts';

export interface AwsContext {
  readonly core: Core;
  readonly defaults: Registry;
  /** Scheme and host that clients reach the server by; else what each request's Host says. */
  readonly publicUrl?: string;
  /** Shared by all bodies above 64 KiB. */
  readonly bodyBudget: ByteBudget;
}

/** Serves `POST /` in AWS JSON 1.1, the protocol of the ECR API; says in the same form what any other request to `/` lacks. */
export function createAwsHandler(context: AwsContext): Handler {
  const authenticate = openAuthentication(context.core.addresses, context.defaults);
  return async (request, response) => {
    try {
      sendAws(request, response, 200, await serve(request, context, authenticate));
    } catch (error) {
      await answerError(request, response, error);
    }
  };
}

async function serve(request: IncomingMessage, context: AwsContext, authenticate: Authenticate): Promise<object> {
  const { core } = context;
  const name = operationNameOf(request, core.addresses);
  const operation = implementedOperation(name);
  const { caller, region } = await authenticate(request);
  using _room = await admitBody(request, name, context.bodyBudget);
  using body = await readRequestBody(request, name);
  const shapes = (await loadModel()).shapesOf(name);
  const input = readStructure(shapes.input, body.json);
  const violation = findViolation(shapes.input, input);
  if (violation) throw invalidParameter(violation.parameter, violation.constraint, operation.violation);
  const call = { caller, registry: { accountId: registryIdIn(input) ?? caller.accountId, region } };
  for (const resource of operation.resources(call, input)) {
    await core.authorizer.authorize(caller, { action: operation.action, resource });
  }
  const { layerPart } = body;
  const output = await operation.run({ core, call, input, layerPart, baseUrl: baseUrlOf(request, context, call) });
  return writeStructure(shapes.output, output);
}

function registryIdIn(input: Readonly<Record<string, unknown>>): string | undefined {
  return typeof input.registryId === 'string' ? input.registryId : undefined;
}

function baseUrlOf({ headers }: IncomingMessage, { core, publicUrl }: AwsContext, { registry }: Call): string {
  if (publicUrl !== undefined) return publicUrl.replace(/\/+$/, '');
  const { host } = headers;
  const isOurs = host !== undefined && core.addresses.isKnownHost(host);
  return isOurs ? `${core.addresses.scheme}://${host}` : core.addresses.proxyEndpoint(registry);
}

/** A fault of the server's is answered in AWS's form, and thrown on to whom it concerns: the log. */
async function answerError(request: IncomingMessage, response: ServerResponse, error: unknown): Promise<void> {
  if (error instanceof BodyAbortedError) return void response.destroy();
  await discardBody(request);
  const { code, message, members, status } = awsErrorOf(error, requestIdOf(request));
  sendAws(request, response, status, { __type: code, message, ...members });
  if (status === 500) throw error;
}

function sendAws(request: IncomingMessage, response: ServerResponse, status: number, body: object): void {
  sendJson(response, status, body, {
    'Content-Type': 'application/x-amz-json-1.1',
    'x-amzn-RequestId': requestIdOf(request),
  });
}
