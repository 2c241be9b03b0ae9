import type { IncomingMessage } from 'node:http';
import type { RegistryAddresses } from '../../core/access/registry-addresses.ts';
import { AwsError } from './errors.ts';
import type { OperationName } from './operation.ts';
import { isOperationName } from './operations.ts';

/** Service and version of the ECR API, as every SDK puts them before the operation's name. */
const PREFIX = 'AmazonEC2ContainerRegistry_V20150921.';

/** Which operation a request asks for. Throws UnknownOperationException with a line to copy when it names none. */
export function operationNameOf(request: IncomingMessage, addresses: RegistryAddresses): OperationName {
  const target = request.headers['x-amz-target'];
  if (request.method !== 'POST' || typeof target !== 'string') throw missingTarget(request, addresses);
  const name = target.startsWith(PREFIX) ? target.slice(PREFIX.length) : undefined;
  if (name !== undefined && isOperationName(name)) return name;
  throw new AwsError(
    'UnknownOperationException',
    `X-Amz-Target names no operation of the ECR API: '${target.slice(0, 200)}'. One it knows is '${PREFIX}DescribeRepositories'`,
  );
}

function missingTarget(request: IncomingMessage, addresses: RegistryAddresses): AwsError {
  const { host } = request.headers;
  const shown = host !== undefined && addresses.isKnownHost(host) ? host : addresses.hostOf(addresses.defaultRegistry);
  const lacks = request.method === 'POST' ? 'has no X-Amz-Target header' : `is a ${request.method}, not a POST`;
  return new AwsError(
    'UnknownOperationException',
    `This is the ECR API: it takes POST requests whose header X-Amz-Target names an operation. This one ${lacks}. Try: ` +
      `curl -X POST ${addresses.scheme}://${shown}/ -H 'Content-Type: application/x-amz-json-1.1' ` +
      `-H 'X-Amz-Target: ${PREFIX}DescribeRepositories' -d '{}'`,
  );
}
