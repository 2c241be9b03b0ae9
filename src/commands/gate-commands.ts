import { COMMAND_SETTINGS } from '../config/access-settings.ts';
import type { CommandSpec } from './command-spec.ts';
import { JSON_OPTION } from './shared-options.ts';

const REPOSITORY = { name: 'repository', description: 'name of the repository' };

const settings = COMMAND_SETTINGS;
const options = [JSON_OPTION];

/** What images must be for them to be pulled. */
export const GATE_COMMANDS: readonly CommandSpec[] = [
  {
    words: 'gate set',
    description: 'refuse pulls of images that are not as is said here; replaces the gate, and exceptions stay',
    operands: [REPOSITORY],
    settings,
    options: [
      {
        flag: 'severity',
        placeholder: 'severity',
        description: 'no findings of it or above: CRITICAL, HIGH, MEDIUM, LOW, INFORMATIONAL or UNDEFINED',
      },
      { flag: 'scanned', description: 'a scan has completed at least once' },
      { flag: 'signed-by', placeholder: 'profile', description: 'signed by this signer profile, by its name or ARN' },
      {
        flag: 'grace',
        placeholder: 'time',
        description: 'pass all the same for so long, such as 72h, after the push or the first sight of the findings',
      },
      { flag: 'dry-run', description: 'refuse nothing, and record what would be' },
      JSON_OPTION,
    ],
    load: async () => (await import('./gate.ts')).setGate,
  },
  {
    words: 'gate except',
    description: 'let a finding, an image, or a finding in an image pass until a day',
    operands: [REPOSITORY],
    settings,
    options: [
      { flag: 'cve', placeholder: 'name', description: 'the finding, such as CVE-2026-0861' },
      { flag: 'image', placeholder: 'digest', description: 'the image' },
      { flag: 'until', placeholder: 'date', description: 'when it ends, such as 2026-12-31' },
      { flag: 'reason', placeholder: 'text', description: 'why, for whoever reads it later' },
      { flag: 'end', description: 'end the exception for this finding and image now' },
      JSON_OPTION,
    ],
    load: async () => (await import('./gate-exceptions.ts')).exceptFromGate,
  },
  {
    words: 'gate show',
    description: 'show the gate of a repository with its exceptions',
    operands: [REPOSITORY],
    settings,
    options,
    load: async () => (await import('./gate.ts')).showGate,
  },
  {
    words: 'gate list',
    description: 'list the gates of a registry',
    settings,
    options,
    load: async () => (await import('./gate.ts')).listGates,
  },
  {
    words: 'gate remove',
    description: 'let everything be pulled from a repository again; takes the exceptions along',
    operands: [REPOSITORY],
    settings,
    options,
    load: async () => (await import('./gate.ts')).removeGate,
  },
  {
    words: 'gate check',
    description: 'say what a pull would come to now, and why; changes nothing',
    operands: [{ name: 'image', description: 'REPOSITORY[:TAG] or REPOSITORY@DIGEST (tag latest when left out)' }],
    settings,
    options,
    load: async () => (await import('./gate-check.ts')).checkGate,
  },
];
