import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import type { CommandOption, CommandSpec } from './commands/command-spec.ts';
import { COMMANDS, GROUPS } from './commands/command-table.ts';
import { readEnvironment } from './config/environment.ts';
import type { Setting } from './config/setting.ts';

/** What the operator is told in words; anything else is a fault of ours and shows where. */
const TOLD_IN_WORDS = [
  'ConfigError',
  'CommandError',
  'IdentityError',
  'PolicyError',
  'EventTargetError',
  'PeerError',
  'FolderLockedError',
  'NewerStoreError',
  'DownloadError',
  'ScanError',
];

await run();

async function run(): Promise<void> {
  try {
    await commandLine().parseAsync();
  } catch (error) {
    if (!TOLD_IN_WORDS.includes((error as Error).name)) throw error;
    console.error(`gantry: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}

function commandLine(): Command {
  const program = new Command('gantry')
    .description("A container registry that speaks Amazon ECR's API and the OCI distribution protocol")
    .version(versionOf(), '--version', 'print the version')
    .showHelpAfterError();
  const groups = new Map<string, Command>();
  for (const spec of COMMANDS) {
    const words = spec.words.split(' ');
    const name = words.pop() ?? '';
    let parent = program;
    for (const [at, word] of words.entries()) {
      const path = words.slice(0, at + 1).join(' ');
      const group = groups.get(path) ?? parent.command(word).description(GROUPS[path] ?? '');
      groups.set(path, group);
      parent = group;
    }
    add(parent, name, spec);
  }
  return program;
}

function add(parent: Command, name: string, spec: CommandSpec): void {
  const command = parent.command(name).description(spec.description).showHelpAfterError();
  for (const { name, description, isOptional = false, repeats = false } of spec.operands ?? []) {
    const shown = repeats ? `${name}...` : name;
    command.argument(isOptional ? `[${shown}]` : `<${shown}>`, description);
  }
  const keys = new Map<string, string>();
  const addOption = (option: Option, flag: string) => {
    command.addOption(option);
    keys.set(option.attributeName(), flag);
  };
  for (const option of spec.options ?? []) addOption(optionOf(option), option.flag);
  for (const setting of spec.settings) {
    for (const option of optionsOf(setting)) addOption(option, setting.flag);
  }
  command.action(async () => {
    const given = Object.entries(command.opts<Record<string, string | boolean>>());
    const flags = Object.fromEntries(given.map(([key, value]) => [keys.get(key) ?? key, value]));
    const runCommand = await spec.load();
    await runCommand({ flags, operands: command.args, environment: readEnvironment() });
  });
}

function optionOf({ flag, placeholder, description, isRequired = false, repeats = false }: CommandOption): Option {
  const option = new Option(placeholder ? `--${flag} <${placeholder}>` : `--${flag}`, description);
  return joining(option.makeOptionMandatory(isRequired), repeats);
}

/** A switch can also be turned off, for a variable may have turned it on. */
function optionsOf({ flag, variable, placeholder, description, default: value, repeats = false }: Setting): Option[] {
  const notes = value === undefined ? `env ${variable}` : `env ${variable}, default ${value}`;
  const option = new Option(placeholder ? `--${flag} <${placeholder}>` : `--${flag}`, `${description} (${notes})`);
  return placeholder ? [joining(option, repeats)] : [option, new Option(`--no-${flag}`).hideHelp()];
}

/** Values given one by one read as those given with commas between. */
function joining(option: Option, repeats: boolean): Option {
  if (!repeats) return option;
  return option.argParser((one, before: string | undefined) => (before === undefined ? one : `${before},${one}`));
}

function versionOf(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
}
