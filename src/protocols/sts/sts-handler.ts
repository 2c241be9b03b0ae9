import type { IncomingMessage, ServerResponse } from 'node:http';
import { credentialScopeOf, openCaller } from '../../core/access/credential-scope.ts';
import type { RegistryAddresses } from '../../core/access/registry-addresses.ts';
import type { Registry } from '../../core/values/registry.ts';
import { BodyAbortedError, BodyTooLargeError, readBody } from '../../http/body.ts';
import type { Handler } from '../../http/handler.ts';
import { requestIdOf } from '../../http/request-id.ts';
import { callerIdentityXml, errorXml } from './xml.ts';

export interface StsContext {
  readonly defaults: Registry;
  readonly addresses: RegistryAddresses;
  /** Answers a form without an `Action`, which is nobody's Query: curl's `-d` makes one of any body. It is left no body to read. */
  readonly withoutAction: Handler;
}

/** Queries of the one action here are 50 bytes. */
const BODY_BYTES_MAX = 64 * 1024;

/** Whether a request speaks the AWS Query protocol, which only STS does here: a form, or an `Action` in the URL. */
export function isStsRequest({ headers, url = '' }: IncomingMessage): boolean {
  if (headers['x-amz-target'] !== undefined) return false;
  const isForm = headers['content-type']?.toLowerCase().startsWith('application/x-www-form-urlencoded') ?? false;
  return isForm || /[?&]Action=/.test(url);
}

/** Serves STS as far as a registry needs it: GetCallerIdentity, which Terraform, CDK and the AWS CLI ask before all else. */
export function createStsHandler({ defaults, addresses, withoutAction }: StsContext): Handler {
  return async (request, response) => {
    const requestId = requestIdOf(request);
    const query = await readQuery(request, response);
    if (query === undefined) return;
    const action = query.get('Action');
    if (action === null) return withoutAction(request, response);
    if (action !== 'GetCallerIdentity') {
      const message = `Could not find operation ${action} for version ${query.get('Version') ?? 'NO_VERSION_SPECIFIED'}; this server has GetCallerIdentity`;
      return sendXml(response, 400, errorXml('InvalidAction', message, requestId));
    }
    const scope = credentialScopeOf(request.headers.authorization);
    const region = scope?.region ?? addresses.registryOfHost(request.headers.host ?? '')?.region ?? defaults.region;
    sendXml(response, 200, callerIdentityXml(openCaller(scope, { ...defaults, region }), requestId));
  };
}

/** The parameters of the URL and of the body. Undefined when the request was answered, or its client has gone. */
async function readQuery(request: IncomingMessage, response: ServerResponse): Promise<URLSearchParams | undefined> {
  const { url = '' } = request;
  const inUrl = url.includes('?') ? url.slice(url.indexOf('?') + 1) : '';
  try {
    const body = await readBody(request, { bytesMax: BODY_BYTES_MAX });
    return new URLSearchParams(`${body.toString('utf8')}&${inUrl}`);
  } catch (error) {
    if (error instanceof BodyAbortedError) return void response.destroy();
    if (!(error instanceof BodyTooLargeError)) throw error;
    sendXml(response, 413, errorXml('RequestEntityTooLarge', error.message, requestIdOf(request)));
    return undefined;
  }
}

function sendXml(response: ServerResponse, status: number, xml: string): void {
  const bytes = Buffer.from(xml);
  response.writeHead(status, { 'Content-Type': 'text/xml', 'Content-Length': bytes.length });
  response.end(bytes);
}
