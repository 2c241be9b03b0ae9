import { Fault } from './fault.ts';
import type { Answer } from './send-request.ts';

/** A JSON object out of an answer, which it disposes of. @throws Fault `invalid` when it is anything else, or too large */
export async function readJson({ body }: Answer, bytesMax: number): Promise<Record<string, unknown>> {
  return parseJsonObject(await body.all(bytesMax));
}

export function parseJsonObject(bytes: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {}
  const looksLikeHtml = /^\s*<(!doctype|html)/i.test(Buffer.from(bytes.subarray(0, 100)).toString('latin1'));
  throw new Fault('invalid', `the answer is ${looksLikeHtml ? 'HTML and ' : ''}not a JSON object`);
}
