/** What a variant measures, by name. Units are part of the names: `pageP99Ms`, `cpuUs`, `linesPerS`. */
export type Figures = Readonly<Record<string, number>>;

/** One way to do the work, measured in a process of its own: a script of `variants/`. */
export interface Variant {
  readonly name: string;
  readonly script: string;
  readonly args?: readonly string[];
  /** It is ours, and can write task directories: it runs without them, and again with them. */
  readonly directories?: true;
  /** How often it runs, where that is not the rounds of its section. */
  readonly rounds?: number;
}

/** The median of a figure. Of a variant of ours it is the one of the mode that is looked at. */
export type Medians = (variant: string, figure: string) => number;

/** A line of a section's table. */
export interface Row {
  readonly what: string;
  readonly value: (median: Medians) => number;
  readonly show: (value: number) => string;
  /** Somebody else's figure: without directories and with them it is the same. */
  readonly peer?: true;
  readonly aim?: { readonly text: string; readonly met: (value: number) => boolean };
  /** What bounds it where the aim is missed. */
  readonly bounds?: string;
}

export interface Section {
  readonly name: string;
  readonly title: string;
  /** What is measured and how, in Markdown. */
  readonly about: string;
  readonly rounds: number;
  readonly variants: readonly Variant[];
  readonly rows: readonly Row[];
}

/** What is kept of a section's last run, in `results/`. */
export interface Result {
  readonly date: string;
  readonly commit: string;
  readonly machine: string;
  readonly versions: string;
  /** The load of the machine when it began, from others too. */
  readonly load: number;
  /** By variant and mode: the figures of each round. */
  readonly runs: Readonly<Record<string, readonly Figures[]>>;
}

export type Mode = 'off' | 'on';
export const MODES: readonly Mode[] = ['off', 'on'];

export function atMost(limit: number, unit = ''): Row['aim'] {
  return { text: `≤ ${limit.toLocaleString('en-US')}${unit}`, met: (value) => value <= limit };
}

export function atLeast(limit: number, unit = ''): Row['aim'] {
  return { text: `≥ ${limit.toLocaleString('en-US')}${unit}`, met: (value) => value >= limit };
}

/** `digits` behind the point, thousands with commas. */
export function shown(unit: string, digits = 0): Row['show'] {
  return (value) =>
    `${value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })}${unit}`;
}
