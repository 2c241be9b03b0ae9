import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { readEnvironment } from './config/environment.ts';
import type { Setting } from './config/setting.ts';
import { FOLDER_SETTINGS, SERVE_SETTINGS } from './config/settings.ts';
import { ConfigError, type Flags } from './config/settings-reader.ts';

await run();

async function run(): Promise<void> {
  try {
    await commandLine().parseAsync();
  } catch (error) {
    if (!(error instanceof ConfigError) && (error as Error).name !== 'FolderLockedError') throw error;
    console.error(`gantry: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}

function commandLine(): Command {
  const program = new Command('gantry')
    .description("A container registry that speaks Amazon ECR's API and the OCI distribution protocol")
    .version(versionOf(), '--version', 'print the version')
    .showHelpAfterError();
  add(program, 'serve', 'serve the registry until it is told to stop', SERVE_SETTINGS, async (flags) =>
    (await import('./commands/serve.ts')).serve(flags, readEnvironment()),
  );
  add(
    program,
    'garbage',
    'take away what nothing points at any more; a server may run meanwhile',
    FOLDER_SETTINGS,
    async (flags) => (await import('./commands/garbage.ts')).garbage(flags, readEnvironment()),
  );
  add(
    program,
    'verify',
    'read every byte again and compare; exit status 1 when something is wrong',
    FOLDER_SETTINGS,
    async (flags) => (await import('./commands/verify.ts')).verify(flags, readEnvironment()),
  );
  return program;
}

function add(
  program: Command,
  name: string,
  description: string,
  settings: readonly Setting[],
  action: (flags: Flags) => Promise<void>,
): void {
  const command = program.command(name).description(description);
  const keys = new Map<string, string>();
  for (const setting of settings) {
    for (const option of optionsOf(setting)) {
      command.addOption(option);
      keys.set(option.attributeName(), setting.flag);
    }
  }
  command.action(async (given: Record<string, string | boolean>) => {
    await action(Object.fromEntries(Object.entries(given).map(([key, value]) => [keys.get(key) ?? key, value])));
  });
}

/** A switch can also be turned off, for a variable may have turned it on. */
function optionsOf({ flag, variable, placeholder, description, default: value, repeats }: Setting): Option[] {
  const notes = value === undefined ? `env ${variable}` : `env ${variable}, default ${value}`;
  const option = new Option(placeholder ? `--${flag} <${placeholder}>` : `--${flag}`, `${description} (${notes})`);
  if (repeats) option.argParser((one, before: string | undefined) => (before === undefined ? one : `${before},${one}`));
  return placeholder ? [option] : [option, new Option(`--no-${flag}`).hideHelp()];
}

function versionOf(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
}
