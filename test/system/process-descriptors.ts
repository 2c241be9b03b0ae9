import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';

/** Why descriptors cannot be counted here, as a test's `skip`; false where they can. */
export const noDescriptors: string | false = existsSync('/proc/self/fd') ? false : 'no /proc here';

/** How many a process has open. */
export async function openDescriptors(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length;
}

/** The number once it has stopped falling. */
export async function restingDescriptors(pid: number): Promise<number> {
  for (let before = await openDescriptors(pid); ; ) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    const now = await openDescriptors(pid);
    if (now >= before) return now;
    before = now;
  }
}

/** Resolves when the process has no more open than it had; never, when it leaks. */
export async function backTo(pid: number, before: number): Promise<void> {
  while ((await openDescriptors(pid)) > before) await new Promise((resolve) => setTimeout(resolve, 50));
}
