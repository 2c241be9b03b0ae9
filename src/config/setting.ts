/** One thing an operator can set: a flag, and the variable that stands for it. The flag wins. */
export interface Setting {
  /** Without the dashes; `no-` before a switch turns it off. */
  readonly flag: string;
  readonly variable: string;
  /** The flag's placeholder in `--help`; absent for a switch. */
  readonly placeholder?: string;
  readonly description: string;
  readonly default?: string;
  /** May be given several times; the variable holds the values with commas between. */
  readonly repeats?: boolean;
}
