/** Thrown by what does a job: trying again would be of no use, so it is given up at once. The message says why. */
export class JobGivenUpError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'JobGivenUpError';
  }
}
