import type { IncomingMessage } from 'node:http';
import { BodyTooLargeError, readBody } from '../../http/body.ts';
import { StsError } from './errors.ts';

/** A web identity token has up to 20,000 characters, a session policy 2,048, which escaping may treble. */
const BODY_BYTES_MAX = 64 * 1024;

/** A request of the AWS Query protocol: a form in the body, parameters in the URL, or both. */
export interface Query {
  readonly parameters: URLSearchParams;
  /** As it was signed. */
  readonly body: Buffer;
}

/** Rejects with StsError (413) and BodyAbortedError. */
export async function readQuery(request: IncomingMessage): Promise<Query> {
  const { url = '' } = request;
  const inUrl = url.includes('?') ? url.slice(url.indexOf('?') + 1) : '';
  const body = await readBody(request, { bytesMax: BODY_BYTES_MAX }).catch((error: unknown) => {
    if (!(error instanceof BodyTooLargeError)) throw error;
    throw new StsError('RequestEntityTooLarge', error.message, 413);
  });
  return { parameters: new URLSearchParams(`${body.toString('utf8')}&${inUrl}`), body };
}
