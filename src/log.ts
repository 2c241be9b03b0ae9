import { pino } from 'pino';

export interface Log {
  info(facts: object, message: string): void;
  error(facts: object, message: string): void;
  /** One line a request, at level info. */
  request(facts: object): void;
}

/** JSON lines on standard error; standard output is for what the operator asked for. */
export function createLog(level: string): Log {
  const logger = pino({ level, base: null }, pino.destination({ dest: 2, sync: false }));
  return {
    info: (facts, message) => logger.info(facts, message),
    error: (facts, message) => logger.error(facts, message),
    request: (facts) => logger.info(facts, 'request'),
  };
}
