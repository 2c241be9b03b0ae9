import type { Handler } from '../../http/handler.ts';
import { sendJson } from '../../http/json.ts';

/** `GET /healthz`: the process lives. */
export const healthHandler: Handler = async (_, response) => sendJson(response, 200, { status: 'alive' });

/** A store that readiness asks, by the name the answer gives it. */
export interface Dependency {
  readonly name: string;
  ready(): Promise<void>;
}

/** Anybody may ask, and asking costs a write: an answer counts for so long. */
const REMEMBERED_MS = 1000;

/**
 * `GET /readyz`: 200 when every store answers, else 503.
 *
 * @param onUnready is told the reason, which may name paths: the answer does not
 */
export function createReadinessHandler(
  dependencies: readonly Dependency[],
  onUnready: (error: unknown, name: string) => void,
): Handler {
  const stateOf = (dependency: Dependency) =>
    dependency.ready().then(
      () => 'ready',
      (error: unknown) => {
        onUnready(error, dependency.name);
        return 'not ready';
      },
    );
  const ask = () => Promise.all(dependencies.map(async (one) => [one.name, await stateOf(one)] as const));
  let asked: { readonly at: number; readonly answers: ReturnType<typeof ask> } | undefined;
  return async (_, response) => {
    const at = performance.now();
    if (asked === undefined || at - asked.at > REMEMBERED_MS) asked = { at, answers: ask() };
    const answers = await asked.answers;
    const isReady = answers.every(([, state]) => state === 'ready');
    sendJson(response, isReady ? 200 : 503, {
      status: isReady ? 'ready' : 'not ready',
      stores: Object.fromEntries(answers),
    });
  };
}
