import assert from 'node:assert/strict';
import type { HttpAnswer } from '../support/http.ts';

/** The answer is an error in the specification's form, with this status and code and message. */
export function assertOciError(answer: HttpAnswer, status: number, code: string, message?: string | RegExp): void {
  assert.equal(answer.status, status, answer.text());
  assert.equal(answer.headers['content-type'], 'application/json');
  const { errors } = answer.json();
  assert.equal(errors.length, 1);
  assert.equal(errors[0].code, code);
  if (typeof message === 'string') assert.equal(errors[0].message, message);
  else assert.match(errors[0].message, message ?? /\S/);
}

export function assertStatus(answer: HttpAnswer, status: number): void {
  assert.equal(answer.status, status, `${answer.status} ${answer.text()}`);
}
