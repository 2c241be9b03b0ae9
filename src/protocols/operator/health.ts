import type { Handler } from '../../http/handler.ts';
import { sendJson } from '../../http/json.ts';

/** `GET /healthz`: the process lives. */
export const healthHandler: Handler = async (_, response) => sendJson(response, 200, { status: 'alive' });

/** A store that readiness asks, by the name the answer gives it. */
export interface Dependency {
  readonly name: string;
  ready(): Promise<void>;
}

/** `GET /readyz`: 200 when every store answers, else 503 with the reason of each that does not. */
export function createReadinessHandler(dependencies: readonly Dependency[]): Handler {
  return async (_, response) => {
    const answers = await Promise.all(dependencies.map(async (one) => [one.name, await stateOf(one)] as const));
    const isReady = answers.every(([, state]) => state === 'ready');
    sendJson(response, isReady ? 200 : 503, {
      status: isReady ? 'ready' : 'not ready',
      stores: Object.fromEntries(answers),
    });
  };
}

function stateOf(dependency: Dependency): Promise<string> {
  return dependency.ready().then(
    () => 'ready',
    (error: Error) => error.message,
  );
}
