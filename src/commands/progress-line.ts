/** One line on a terminal that is written over and over; nothing where standard error is no terminal. */
export interface ProgressLine extends Disposable {
  show(text: string): void;
  clear(): void;
}

const INTERVAL_MS = 100;

export function createProgressLine(): ProgressLine {
  const { stderr } = process;
  let shownAt = 0;
  const clear = () => {
    if (stderr.isTTY && shownAt > 0) stderr.write('\r\x1b[K');
  };
  return {
    show(text) {
      if (!stderr.isTTY || Date.now() - shownAt < INTERVAL_MS) return;
      shownAt = Date.now();
      stderr.write(`\r\x1b[K${text}`);
    },
    clear,
    [Symbol.dispose]: clear,
  };
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

/** A size as people read it, in powers of 1,024. */
export function describeBytes(bytes: number): string {
  const unit = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${(bytes / 1024 ** unit).toFixed(unit === 0 ? 0 : 1)} ${UNITS[unit]}`;
}
