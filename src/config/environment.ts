/** The one place that reads the environment. An empty variable counts as not set. */
export function readEnvironment(): Environment {
  return Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== undefined && value !== ''));
}

export type Environment = Readonly<Record<string, string | undefined>>;
