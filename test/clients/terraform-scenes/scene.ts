import type { Client } from '../../support/client.ts';

/** Resources of one kind in two forms, one after the other, and what others must see of each. */
export interface TerraformScene {
  /** Done once before. */
  prepare?(client: Client): Promise<void>;
  resources(form: Form): string;
  check(ask: Ask, form: Form): Promise<void>;
  /** After all was destroyed. */
  checkGone(ask: Ask): Promise<void>;
}

export type Form = 'first' | 'second';

/** Calls an operation of the ECR API. @returns the answer's JSON, also of an error */
// biome-ignore lint/suspicious/noExplicitAny: a test looks into answers of every shape
export type Ask = (operation: string, input: object) => Promise<any>;
