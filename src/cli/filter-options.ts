import type { Command } from 'commander';
import { TrailError } from '../core/error.ts';
import { FILTER_KEYS, type FilterKey, type RawFilter } from '../core/filter.ts';

/** The options that narrow lines, the same for every command that reads some. */
export function filterOptions(command: Command): Command {
  return command
    .option('--level <levels>', 'only these levels, by comma')
    .option('--min-level <level>', 'this level and above')
    .option('--source <sources>', 'only these sources, by comma')
    .option('--stream <streams>', 'only stdout or stderr')
    .option('--type <types>', 'only these types, by comma')
    .option('--search <text>', 'only lines that contain this text, in any case')
    .option('--regex', 'take --search as a regular expression (RE2 syntax)')
    .option('--from <time>', 'from this time on (ISO 8601 or Unix ms)')
    .option('--to <time>', 'before this time');
}

/** What was given of them, as the API takes it. */
export function rawFilterOf(options: Readonly<Record<string, unknown>>): RawFilter {
  if (options.regex && !options.search) throw new TrailError('invalid_usage', '--regex needs --search PATTERN');
  return Object.fromEntries(FILTER_KEYS.map((key) => [key, options[OPTIONS[key] ?? key]]));
}

/** Options that are not called like the parameter. */
const OPTIONS: Readonly<Partial<Record<FilterKey, string>>> = { min_level: 'minLevel', q: 'query' };
