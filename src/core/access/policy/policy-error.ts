/** A policy document that is none: the message says what is wrong and where, for whoever has to mend it. */
export class PolicyError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'PolicyError';
  }
}
