import { openSource } from '../compose/moving.ts';
import { registryPlaceOf } from '../compose/registry-place.ts';
import type { MoveConfig } from '../config/move-config.ts';
import { ConfigError } from '../config/settings-reader.ts';
import { forecastBytes } from '../core/moving/forecast.ts';
import { describePlace } from '../core/moving/why-not-here.ts';
import type { Invocation } from './command-spec.ts';
import { say } from './output.ts';
import { describeBytes } from './progress-line.ts';

/** What a disk and a network of middling speed do; both are measured soon enough. */
const BYTES_PER_SECOND = 50 * 1024 * 1024;
const BLOBS_PER_SECOND = 50;
const ROWS_PER_SECOND = 20_000;

/** Says what would be moved, and writes nothing on either side. */
export async function forecastMove(invocation: Invocation, { from, to }: MoveConfig): Promise<void> {
  const places = { from: registryPlaceOf(from), to: registryPlaceOf(to) };
  if (describePlace(places.from) === describePlace(places.to)) {
    throw new ConfigError('The registry is there already: nothing is to move');
  }
  await using source = await openSource(from, places.from);
  const lines = [`From ${describePlace(places.from)} to ${describePlace(places.to)}:`];
  const bytes = places.from.bytes === places.to.bytes ? undefined : await forecastBytes(source.metadata);
  if (bytes !== undefined) {
    const seconds = bytes.bytes / BYTES_PER_SECOND + bytes.blobs / BLOBS_PER_SECOND;
    const encrypted = bytes.encrypted === 0 ? '' : `, ${bytes.encrypted} of them encrypted`;
    lines.push(
      `  ${bytes.blobs} blobs (${describeBytes(bytes.bytes)})${encrypted}, while the server runs: ${describeDuration(seconds)} at 50 MiB a second`,
      `  ${bytes.uploads} unfinished uploads, with the switch`,
    );
  }
  const tables = places.from.facts === places.to.facts ? undefined : await source.countFacts();
  if (tables !== undefined) {
    const rows = tables.reduce((sum, table) => sum + table.rows, 0);
    lines.push(`  ${rows} rows of facts, with the switch: ${describeDuration(rows / ROWS_PER_SECOND)}`);
  }
  say(invocation, lines, { ...places, bytes, tables });
}

function describeDuration(seconds: number): string {
  if (seconds < 90) return `about ${Math.ceil(seconds)} s`;
  if (seconds < 5400) return `about ${Math.ceil(seconds / 60)} min`;
  return `about ${(seconds / 3600).toFixed(1)} h`;
}
